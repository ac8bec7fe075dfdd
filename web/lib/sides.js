// Which side of the guidance an input or an output is on, and which nodes sample. Plain data, no page.
// @ts-check

/** @typedef {import("./flat.js").FlatNode} FlatNode */
/** @typedef {"positive" | "negative"} Side */

/** ComfyUI marks the second conditioning of this guider as a negative itself. */
const MIDDLE = { type: "DualCFGGuider", input: "cond2" };
/** What outputs have that are made of measurements; a node with only such ones paints nothing. */
const FIGURES = new Set(["INT", "FLOAT", "BOOLEAN", "STRING", "MASK", "BOUNDING_BOX"]);

/**
 * The side of an input; undefined for one that is on none, as the empty conditioning of PerpNegGuider.
 * @param {FlatNode} node @param {string} name @returns {Side | undefined}
 */
export function sideOf(node, name) {
  if (/empty/i.test(name)) return undefined;
  if (node.type === MIDDLE.type && name === MIDDLE.input) return "negative";
  return /neg|uncond/i.test(name) ? "negative" : "positive";
}

/** The side of an output, where a node gives conditioning for both. @param {FlatNode} node @param {number} slot @returns {Side | undefined} */
export function outputSide(node, slot) {
  const output = node.outputs[slot];
  if (output?.type !== "CONDITIONING" || node.outputs.filter((one) => one.type === "CONDITIONING").length < 2) return undefined;
  if (/^neg|-$/i.test(output.name)) return "negative";
  return /^pos|\+$/i.test(output.name) ? "positive" : undefined;
}

/**
 * Whether a node samples, or guides a sampler: it takes a model and conditioning. One that gives conditioning passes the text
 * on, and one that gives a model patches it (WanVideoNAG, PerpNeg): the text has no side there. A sampler of another pack may
 * hand both on beside its picture; it is told by what it is set to.
 * @param {FlatNode} node
 */
export function isSampler(node) {
  const takes = (/** @type {string} */ type) => node.inputs.some((input) => input.type === type);
  if (!takes("MODEL") || !takes("CONDITIONING")) return false;
  const has = (/** @type {string} */ name) => name in node.widgets || node.inputs.some((input) => input.name === name);
  if (has("sampler_name") && has("steps")) return true;
  const gives = node.outputs.map(({ type }) => type);
  return !gives.some((type) => /^(CONDITIONING|MODEL)$/.test(type)) && !gives.every((type) => FIGURES.has(type));
}
