// Where a node's written texts come from, kept in the node, and what to do where that policy is not here.
import { keyOf, nodeAt, notify, say, setWidget } from "../host.js";
import { policyOf } from "../lib/setup.js";
import { flatNow } from "./one_click.js";
import { offeredPolicies } from "./settings.js";
import { isWriter, widgetOf } from "./writers.js";

const KEPT = "negopt";
const SIGN = "+"; // two policies as one: NEGATIVE+MODIFIERS
const SHOWN_HASH = 8;

/** Keep what wrote a node's texts: an answer of the suggest route, or the record of a run. */
export function keepOrigin(node, { policy, policy_hash: hash, seed, negopt }) {
  const flat = flatNow();
  const name = policyOf(flat, flat.get(keyOf(node))) || policy;
  if (!policy) return; // a locked text has no writer
  const from = offeredPolicies().find((one) => one.name === name)?.from;
  node.properties[KEPT] = { policy: name, hash: hash ?? "", from: from ?? "", seed, negopt };
}

/** The record of a run, as its node tells it. */
export function keepRecord(node, record) {
  try {
    keepOrigin(node, JSON.parse(record));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // a record is JSON of our own; anything else is no record
  }
}

/** One line: policy, hash, seed, version; "" if nothing was written here. */
export function originLine(node) {
  const kept = node.properties?.[KEPT];
  if (!kept?.policy || !widgetOf(node, "locked_positive")?.value) return "";
  const { policy, hash, from, seed, negopt } = kept;
  return say("origin", { policy: String(policy), hash: String(hash).slice(0, SHOWN_HASH), seed, negopt, from: from ? ` · ${from}` : "" });
}

/** A finding for a node whose policy is not on this machine; none if it is, or if the server does not tell. */
export function missingPolicy(node, name) {
  if (!name || isOffered(name)) return [];
  const message = say("policy-missing", { name }) + whereFrom(node);
  // locked texts do without their policy; that it is not here is still worth a line
  if (widgetOf(node, "locked")?.value) return [{ code: "policy-not-needed", severity: "info", message }];
  return [{ code: "policy-missing", severity: "warning", message, remedy: say("policy-missing-remedy") }];
}

/** A workflow that was just opened: nodes whose policy is not here use the texts that travelled with it. */
export function lockOrphans() {
  const flat = flatNow();
  for (const [key, one] of flat) {
    const node = nodeAt(key);
    const name = node && isWriter(node) ? policyOf(flat, one) : "";
    if (!name || isOffered(name) || widgetOf(node, "locked")?.value) continue;
    if (!widgetOf(node, "locked_positive")?.value && !widgetOf(node, "locked_negative")?.value) continue;
    setWidget(node, "locked", true);
    notify("warn", say("locked-for-missing", { name }) + whereFrom(node));
  }
}

function whereFrom(node) {
  const from = node.properties?.[KEPT]?.from;
  return from ? ` ${say("policy-from", { from: String(from) })}` : "";
}

function isOffered(name) {
  const offered = offeredPolicies().map((one) => one.name);
  return !offered.length || offered.includes(name) || name.split(SIGN).every((part) => offered.includes(part));
}
