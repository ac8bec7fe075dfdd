// Under an encoder: what is wrong with the hooks of the samplers that it feeds, each line with the button that mends it.
import { nodeAt, oneStep, say } from "../host.js";
import { hookFindings } from "../lib/hooks.js";
import { isScheduled } from "../lib/phrases.js";
import { nameOf } from "../lib/plan.js";
import { HOOK, insertBefore } from "./insert.js";
import { button, make } from "./style.js";
import { widgetOf } from "./writers.js";

const BYPASSED = 4;

/** Whether an encoder may have windows; what is linked to it is known when the graph runs. */
export const mayHaveWindows = (node) =>
  isScheduled(String(widgetOf(node, "df_text")?.value ?? "")) ||
  Boolean(node.inputs?.some((input) => input.name === "df_text" && input.link != null));

/** Draw the lines for an encoder; returns whether they are others than before. */
export function drawHookLines(root, node, flat, key) {
  const findings = mayHaveWindows(node) ? hookFindings(flat, key) : [];
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
  const mends = () => {
    for (const key of bypass ?? []) nodeAt(key).mode = BYPASSED;
    if (insert) putHook(insert);
  };
  if (insert || bypass) line.append(button(say(insert ? "mend-hook" : "mend-bypass"), () => oneStep(mends)));
  return line;
}

/** A hook of its own right before the sampler: it takes the place of one that stands further up. */
function putHook({ sampler, offset, total }) {
  insertBefore(sampler, HOOK, { step_offset: offset, total_steps: total });
}
