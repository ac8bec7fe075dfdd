// What can be done about a finding with one click; each is one undo step.
import { app, nodeAt, oneStep, say, setWidget } from "../host.js";
import { widened, withoutPhrases } from "../lib/phrases.js";
import { widgetOf } from "./writers.js";

const NAG = "NAGuidance";
const GAP = 40;

/**
 * Label and action for a finding, or null. `context`: node, sampler key, steps, model family, `write` (asks the policy).
 */
export function remedyOf(finding, context) {
  const make = REMEDIES[finding.code];
  return make ? make(finding, context) : null;
}

const REMEDIES = {
  "cfg-one": (finding, context) =>
    context.sampler && window.LiteGraph.registered_node_types[NAG]
      ? { label: say("remedy-nag"), act: () => oneStep(() => insertNag(context.sampler)) }
      : null,
  "negative-empty": (finding, { write }) => ({ label: say("remedy-write"), act: write }),
  "phrase-in-both": removeSubjects,
  "embedding-missing": removeSubjects,
  "window-too-narrow": (finding, context) =>
    edits(finding, context, say("remedy-widen"), (text) => widened(text, finding.subjects, context.steps)),
  "other-model-family": (finding, { node, family }) => {
    const widget = widgetOf(node, "policy");
    const name = `rules:${family}`;
    if (!widget?.options?.values?.includes?.(name)) return null;
    return { label: say("remedy-policy", { name }), act: () => oneStep(() => setWidget(node, "policy", name)) };
  },
};

function removeSubjects(finding, context) {
  return edits(finding, context, say("remedy-remove"), (text) => withoutPhrases(text, finding.subjects));
}

/** A remedy that edits the text of the finding's side; null where it would change nothing. */
function edits({ side }, { node, texts }, label, change) {
  const after = change(texts[side] ?? "");
  if (!side || after === texts[side]) return null;
  return { label, act: () => oneStep(() => keepText(node, { ...texts, [side]: after })) };
}

/** Put texts into the node and lock it, so that the next run uses them as they are. */
export function keepText(node, { positive, negative }) {
  setWidget(node, "locked", true);
  setWidget(node, "locked_positive", positive);
  setWidget(node, "locked_negative", negative);
}

/** Put ComfyUI's own NAG node between a sampler and its model. */
function insertNag(samplerKey) {
  const sampler = nodeAt(samplerKey);
  const slot = sampler?.inputs.findIndex((input) => input.type === "MODEL") ?? -1;
  const linkId = sampler?.inputs[slot]?.link;
  if (linkId == null) return;
  const link = sampler.graph.getLink?.(linkId) ?? sampler.graph.links[linkId];
  const origin = sampler.graph.getNodeById(link.origin_id);
  const made = window.LiteGraph.createNode(NAG);
  sampler.graph.add(made);
  made.pos = [sampler.pos[0], sampler.pos[1] - made.size[1] - GAP];
  if (origin) origin.connect(link.origin_slot, made, 0);
  else sampler.graph.inputNode?.slots?.[link.origin_slot]?.connect(made.inputs[0], made);
  made.connect(0, sampler, slot);
  app.canvas?.setDirty(true, true);
}
