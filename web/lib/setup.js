// What the checks are asked about a node: its texts, and what the graph says of the run. Plain data, no page.
// @ts-check
import { format } from "./df_text.js";
import { textsOf } from "./climb.js";
import { familyOf } from "./family.js";
import { partOf, runOf } from "./runs.js";
import { samplersFedBy } from "./trace.js";

/** @typedef {import("./flat.js").Flat} Flat */

/**
 * The body for the inspect route; a value that the graph does not tell is left out.
 * @param {Flat} flat @param {string} key
 * @returns {{ body: Record<string, unknown>, sampler: string | null }}
 */
export function inspectBody(flat, key) {
  const node = flat.get(key);
  const fed = samplersFedBy(flat, key);
  const sampler = fed[0]?.sampler ?? null;
  const { positive, negative } = textsIn(node?.widgets ?? {});
  /** @type {Record<string, unknown>} */
  const body = { positive, negative };
  if (sampler !== null) {
    const run = runOf(flat, sampler);
    const parts = partsOf(flat, fed);
    if (run.steps) body.steps = run.steps;
    if (parts) body.parts = parts;
    else if (run.cfg !== undefined && run.nag !== "pack") body.cfg = run.cfg;
    if (run.nag === "core") body.nag = true;
    if (textsOf(flat, sampler, "negative").isZeroed) body.negative_zeroed = true;
    const family = familyOf(flat, sampler);
    if (family) body.model_family = family;
  }
  const made = policyFamily(flat, node);
  if (made) body.policy_family = made;
  return { body, sampler };
}

/**
 * CFG by parts of the run, where samplers that read the texts differ in it: progress from and to, and the CFG there.
 * @param {Flat} flat @param {import("./trace.js").Fed[]} fed
 * @returns {{ start: number, end: number, cfg: number }[] | undefined}
 */
function partsOf(flat, fed) {
  const parts = [...new Set(fed.map((one) => one.sampler))].map((key) => {
    const [run, part] = [runOf(flat, key), partOf(flat, key)];
    if (run.cfg === undefined || run.hasNag || !part) return undefined;
    const [start, end] = part.total ? [part.first / part.total, part.stop / part.total] : [0, 1];
    return { start, end, cfg: run.cfg };
  });
  const known = parts.filter((one) => one !== undefined);
  if (known.length < parts.length || new Set(known.map((one) => one.cfg)).size < 2) return undefined;
  return known.filter((one) => one.start < one.end);
}

/**
 * Whether a writing node's texts are there: locked ones, or those it wrote last. A text for another prompt is not used again.
 * @param {Record<string, unknown>} widgets
 */
export function isWritten(widgets) {
  const isFresh = format(String(widgets.locked_positive ?? "")).startsWith(format(String(widgets.prompt ?? "")));
  return widgets.locked === true || (Boolean(widgets.locked_positive || widgets.locked_negative) && isFresh);
}

/**
 * The texts that a writing node will use: the locked ones; else what it wrote last; else what the user wrote.
 * @param {Record<string, unknown>} widgets
 */
export function textsIn(widgets) {
  const [positive, negative] = isWritten(widgets)
    ? [widgets.locked_positive, widgets.locked_negative]
    : [widgets.prompt, widgets.negative];
  return { positive: String(positive ?? ""), negative: String(negative ?? "") };
}

/**
 * The policy that a writing node uses, by the name of the menu; "" for the default.
 * @param {Flat} flat @param {import("./flat.js").FlatNode | undefined} node
 */
export function policyOf(flat, node) {
  const linked = node?.inputs.find((input) => input.name === "policy")?.origin;
  const holder = linked ? flat.get(linked.key) : node;
  const name = typeof holder?.widgets.policy === "string" ? holder.widgets.policy : "";
  const { family } = holder?.widgets ?? {};
  return OURS.has(name) && typeof family === "string" && family !== "any" ? `${name}:${family}` : name;
}

/** The policies that are asked for a family. */
const OURS = new Set(["negopt", "negopt-scheduled"]);
/** Families that a checkpoint's class does not tell from another: a run of one click takes the other. */
const CLASS_OF = new Map([["pony", "sdxl"], ["illustrious", "sdxl"]]);

/**
 * As `policyOf`, with the family that a run of one click reads off its model.
 * @param {Flat} flat @param {string | null} key
 */
export function policyOfRun(flat, key) {
  const node = key ? flat.get(key) : undefined;
  const name = policyOf(flat, node);
  const sampler = key && node?.type === "NegOptOneClick" && OURS.has(name) ? samplersFedBy(flat, key)[0]?.sampler : undefined;
  const family = sampler ? familyOf(flat, sampler) : undefined;
  return family && family !== "world" ? `${name}:${CLASS_OF.get(family) ?? family}` : name;
}

/**
 * The family that a policy's name tells; undefined if none or if the texts are locked, and so nobody's.
 * @param {Flat} flat @param {import("./flat.js").FlatNode | undefined} node
 */
function policyFamily(flat, node) {
  if (node?.widgets.locked === true) return undefined;
  return /^(?:rules|negopt|negopt-scheduled):([\w-]+)$/.exec(policyOf(flat, node))?.[1];
}
