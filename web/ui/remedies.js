// What can be done about a finding with one click; each is one undo step.
import { nodeAt, oneStep, say, setWidget } from "../host.js";
import { join } from "../lib/join.js";
import { widened, withoutPhrases } from "../lib/phrases.js";
import { remediesOf } from "./guidance.js";
import { hasNode, insertBefore, NAG } from "./insert.js";
import { widgetOf } from "./writers.js";

/**
 * Label and action for a finding, or null. `context`: node, sampler key, steps, model family.
 */
export function remedyOf(finding, context) {
  const make = REMEDIES[finding.code];
  return make ? make(finding, context) : null;
}

const REMEDIES = {
  "cfg-one": (finding, { sampler, family }) => (sampler && remediesOf(family)[0] === "nag" && hasNode(NAG) ? addNag(sampler) : raiseCfg(sampler)),
  "negative-zeroed": (finding, context) => connects(context),
  locked: (finding, { node }) => ({ label: say("remedy-unlock"), act: () => oneStep(() => setWidget(node, "locked", false)) }),
  "policy-missing": (finding, { node, texts }) =>
    texts.positive || texts.negative ? { label: say("remedy-lock"), act: () => oneStep(() => keepText(node, texts)) } : null,
  "phrase-in-both": removeSubjects,
  "embedding-missing": removeSubjects,
  "window-too-narrow": (finding, context) =>
    edits(finding, context, say("remedy-widen"), (text) => widened(text, finding.subjects, context.steps)),
  "other-model-family": (finding, { node, family }) => {
    const widget = widgetOf(node, "policy");
    const name = family === "world" ? "rules:world" : `negopt:${family}`;
    if (!widget?.options?.values?.includes?.(name)) return null;
    return { label: say("remedy-policy", { name }), act: () => oneStep(() => setWidget(node, "policy", name)) };
  },
};

const LOW_CFG = 1.5; // where models made for CFG 1 still paint well

const addNag = (sampler) => ({ label: say("remedy-nag"), act: () => oneStep(() => insertBefore(sampler, NAG)) });

/** Null where the sampler's CFG is not its own widget, or another node sets it. */
function raiseCfg(sampler) {
  const node = sampler && nodeAt(sampler);
  const isLinked = node?.inputs?.some((input) => input.name === "cfg" && input.link != null);
  if (!node || isLinked || !widgetOf(node, "cfg")) return null;
  return { label: say("remedy-cfg", { cfg: LOW_CFG }), act: () => oneStep(() => setWidget(node, "cfg", LOW_CFG)) };
}

function removeSubjects(finding, context) {
  return edits(finding, context, say("remedy-remove"), (text) => withoutPhrases(text, finding.subjects));
}

/** A remedy that edits the text of the finding's side; null where it would change nothing. */
function edits({ side }, { node, texts }, label, change) {
  const after = change(texts[side] ?? "");
  if (!side || after === texts[side]) return null;
  return { label, act: () => oneStep(() => keepText(node, { ...texts, [side]: after })) };
}

/** Connect the node's own negative where zeros stand in for it; only for a node that encodes it. */
function connects({ node, sockets }) {
  const output = (node.outputs ?? []).findIndex((one) => one.type === "CONDITIONING" && /neg/i.test(one.name));
  const places = (sockets ?? []).map(({ key, input }) => ({ target: nodeAt(key), input }));
  if (output < 0 || !places.length || places.some(({ target }) => target?.graph !== node.graph)) return null;
  const connect = ({ target, input }) => join(node, output, target, target.inputs.findIndex((one) => one.name === input));
  return { label: say("remedy-connect"), act: () => oneStep(() => places.forEach(connect)) };
}

/** Put texts into the node and lock it, so that the next run uses them as they are. */
export function keepText(node, { positive, negative }) {
  setWidget(node, "locked", true);
  setWidget(node, "locked_positive", positive);
  setWidget(node, "locked_negative", negative);
}
