// Under an encoder: what is wrong with the hooks of the samplers that it feeds, each line with the button that mends it.
import { nodeAt, oneStep, say } from "../host.js";
import { hookFindings } from "../lib/hooks.js";
import { isScheduled } from "../lib/phrases.js";
import { nameOf } from "../lib/plan.js";
import { HOOK, insertBefore } from "./insert.js";
import { button, make } from "./style.js";

const BYPASSED = 4;

/** Draw the lines for an encoder with windows; returns whether they are others than before. */
export function drawHookLines(root, flat, key) {
  const node = flat.get(key);
  const text = String(node?.widgets.df_text ?? "");
  const isLinked = node?.inputs.some((input) => input.name === "df_text" && input.origin);
  const findings = isLinked || isScheduled(text) ? hookFindings(flat, key) : [];
  const lines = findings.map((finding) => [say(finding.code, { sampler: nameOf(flat, finding.sampler) }), finding.mend]);
  const now = JSON.stringify(lines);
  if ((root.dataset.shown ?? "[]") === now) return false;
  root.dataset.shown = now;
  root.replaceChildren(...lines.map(([message, mend]) => lineOf(message, mend)));
  return true;
}

function lineOf(message, { insert, bypass }) {
  const line = make("div", "negopt-finding");
  line.dataset.severity = "warning";
  line.append(make("span", "", message));
  if (insert) line.append(button(say("mend-hook"), () => oneStep(() => putHook(insert))));
  if (bypass) line.append(button(say("mend-bypass"), () => oneStep(() => bypass.forEach((key) => (nodeAt(key).mode = BYPASSED)))));
  return line;
}

/** A hook of its own right before the sampler: it takes the place of one that stands further up. */
function putHook({ sampler, offset, total }) {
  insertBefore(sampler, HOOK, { step_offset: offset, total_steps: total });
}
