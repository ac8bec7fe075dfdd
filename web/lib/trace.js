// From a text down to the samplers, encoders and language models that it feeds. Plain data, no page.
// @ts-check
import { stringWidgets } from "./climb.js";
import { isSampler, sideOf } from "./sides.js";
import { switchOf } from "./values.js";
import { CARRIERS, encodes, fieldsAt, isEncoder, makesWords, passes, textWidgets } from "./words.js";

/** @typedef {import("./flat.js").Flat} Flat */
/** @typedef {import("./flat.js").FlatNode} FlatNode */
/** @typedef {import("./flat.js").FlatInput} FlatInput */
/** @typedef {import("./climb.js").Text} Text */
/** @typedef {{ sampler: string, side: import("./sides.js").Side }} Fed */

/**
 * The samplers (or guiders) that a node feeds, each with the side it feeds, once.
 * @param {Flat} flat @param {string} key @param {(slot: number) => boolean} [isAsked] which of its outputs; all, if left out
 * @returns {Fed[]}
 */
export function samplersFedBy(flat, key, isAsked = () => true) {
  /** @type {Map<string, Fed>} */
  const found = new Map();
  const seen = new Set();
  /** @param {string} from @param {(slot: number) => boolean} isOurs */
  const walk = (from, isOurs) => {
    for (const [node, input] of consumers(flat, from, isOurs)) {
      const place = `${node.key} ${input.name}`;
      if (seen.has(place) || !isTaken(flat, node, input)) continue;
      seen.add(place);
      const side = sideOf(node, input.name);
      if (!isSampler(node)) walk(node.key, (slot) => passes(node, input, slot));
      else if (side) found.set(`${node.key} ${side}`, { sampler: node.key, side });
    }
  };
  const start = flat.get(key);
  walk(key, (slot) => CARRIERS.has(start?.outputs[slot]?.type ?? "") && isAsked(slot));
  return [...found.values()];
}

/** The samplers that a text feeds, by any of the widgets that it stands in. @param {Flat} flat @param {Text} text @returns {Fed[]} */
export function fedByText(flat, text) {
  const fed = text.fields.flatMap(({ key, name }) => {
    const node = flat.get(key);
    const holds = (/** @type {number} */ slot) => node && (encodes(node) ? fieldsAt(node, slot) : stringWidgets(node, slot)).includes(name);
    return samplersFedBy(flat, key, (slot) => Boolean(holds(slot)));
  });
  return [...new Map(fed.map((one) => [`${one.sampler} ${one.side}`, one])).values()];
}

/**
 * Whether what comes into a node by an input goes on: not through the idle branch of a switch, nor into a node that makes words
 * of its own.
 * @param {Flat} flat @param {FlatNode} node @param {FlatInput} input
 */
function isTaken(flat, node, input) {
  const branches = switchOf(flat, node);
  if (branches) return branches.active.name === input.name;
  if (isEncoder(node) && input.type !== "CONDITIONING") return textWidgets(node).includes(input.name);
  return isSampler(node) || !makesWords(node);
}

/**
 * The encoders that a text goes through: the node itself, or the first ones below it that make conditioning; those that
 * reach no sampler only where none does.
 * @param {Flat} flat @param {string} key
 * @returns {string[]}
 */
export function encodersOf(flat, key) {
  const queue = [key];
  const found = [];
  for (const current of queue) {
    const node = flat.get(current);
    if (node && encodes(node)) found.push(current);
    else if (current === key || (node && !makesWords(node))) {
      const fed = consumers(flat, current, (slot) => CARRIERS.has(node?.outputs[slot]?.type ?? "")).map(([below]) => below.key);
      queue.push(...new Set(fed.filter((one) => !queue.includes(one))));
    }
  }
  const used = found.filter((one) => samplersFedBy(flat, one).length);
  return used.length ? used : found;
}

/**
 * A node that makes other words of a text, wherever it stands below it: a language model first of all.
 * @param {Flat} flat @param {string} key
 * @returns {string | undefined}
 */
export function makerBelow(flat, key) {
  const queue = [key];
  for (const current of queue) {
    for (const [node] of consumers(flat, current, () => true)) {
      if (makesWords(node)) return node.key;
      if (!encodes(node) && !isSampler(node) && !queue.includes(node.key)) queue.push(node.key);
    }
  }
  return undefined;
}

/** Whether a text also acts as a positive. @param {Flat} flat @param {Text} text */
export const isPositiveSomewhere = (flat, text) => fedByText(flat, text).some((fed) => fed.side === "positive");

/**
 * @param {Flat} flat @param {string} key @param {(slot: number) => boolean} isOurs
 * @returns {[FlatNode, FlatInput][]}
 */
export function consumers(flat, key, isOurs) {
  /** @type {[FlatNode, FlatInput][]} */
  const found = [];
  for (const node of flat.values()) {
    for (const input of node.inputs) {
      if (input.origin?.key === key && isOurs(input.origin.slot)) found.push([node, input]);
    }
  }
  return found;
}
