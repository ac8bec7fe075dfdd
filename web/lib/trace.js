// From a text to the samplers it feeds, and from a sampler back to its texts and settings. Plain data, no page.
// @ts-check
import { PROMOTED } from "./flat.js";
import { CARRIERS, encodes, makesWords, textWidgets } from "./words.js";

export { textWidgets };

/** @typedef {import("./flat.js").Flat} Flat */
/** @typedef {import("./flat.js").FlatNode} FlatNode */
/** @typedef {"positive" | "negative"} Side */
/** @typedef {{ key: string, widgets: string[] }} Text a node and those of its widgets that hold the prompt */
/** @typedef {{ sampler: string, side: Side }} Fed */

const HOOKS = /^NegOpt(SamplerHook|OneClick)$/;
const ZERO_OUT = "ConditioningZeroOut";

/** Whether a text goes into a node that makes other words of it. @param {Flat} flat @param {string} key */
export const isInstruction = (flat, key) => consumers(flat, key, () => true).some(([node]) => makesWords(node));

/**
 * The samplers (or guiders) that a node feeds, each with the side it feeds.
 * @param {Flat} flat @param {string} key
 * @returns {Fed[]}
 */
export function samplersFedBy(flat, key) {
  /** @type {Fed[]} */
  const found = [];
  const seen = new Set();
  /** @param {string} from @param {(slot: number) => boolean} isOurs */
  const walk = (from, isOurs) => {
    for (const [node, input] of consumers(flat, from, isOurs)) {
      const place = `${node.key} ${input.name}`;
      if (seen.has(place)) continue;
      seen.add(place);
      if (isSampler(node)) found.push({ sampler: node.key, side: sideOf(input.name) });
      else if (!makesWords(node)) walk(node.key, (slot) => passes(node, input.name, slot));
    }
  };
  const start = flat.get(key);
  walk(key, (slot) => CARRIERS.has(start?.outputs[slot]?.type ?? ""));
  return found;
}

/**
 * The texts that feed one side of a sampler, nearest first. `isZeroed`: zeros replace one of them on the way; `isComputed`:
 * one of them is known only when the graph runs.
 * @param {Flat} flat @param {string} samplerKey @param {Side} side
 * @returns {{ texts: Text[], isZeroed: boolean, isComputed: boolean, isConnected: boolean }}
 */
export function textsOf(flat, samplerKey, side) {
  const sampler = flat.get(samplerKey);
  const input = sampler?.inputs.find((one) => one.type === "CONDITIONING" && sideOf(one.name) === side);
  return { ...textsAbove(flat, input?.origin ?? null), isConnected: Boolean(input?.origin) };
}

/**
 * Where the words of a node stand: in the node itself, or in the string node that is linked to its widget.
 * @param {Flat} flat @param {string} key
 * @returns {Text | null}
 */
export function wordsOf(flat, key) {
  const node = flat.get(key);
  const widgets = textWidgets(node);
  const linked = node?.inputs.find((input) => input.origin && widgets.includes(input.name));
  if (linked) return textsAbove(flat, linked.origin).texts[0] ?? null;
  return widgets.length ? { key, widgets } : null;
}

/**
 * @param {Flat} flat @param {import("./flat.js").Origin | null} start
 * @returns {{ texts: Text[], isZeroed: boolean, isComputed: boolean }}
 */
function textsAbove(flat, start) {
  /** @type {{ texts: Text[], isZeroed: boolean, isComputed: boolean }} */
  const found = { texts: [], isZeroed: false, isComputed: false };
  const seen = new Set();
  /** @param {import("./flat.js").Origin | null} origin */
  const climb = (origin) => {
    const node = origin && flat.get(origin.key);
    if (!node || !origin || seen.has(`${origin.key} ${origin.slot}`)) return;
    seen.add(`${origin.key} ${origin.slot}`);
    if (node.type === ZERO_OUT) {
      found.isZeroed = true;
      return;
    }
    const widgets = textWidgets(node);
    const linked = node.inputs.filter((one) => one.origin && widgets.includes(one.name));
    if (widgets.length && !linked.length) found.texts.push({ key: node.key, widgets });
    else if (linked.length) linked.forEach((one) => climb(one.origin));
    else {
      const above = makesWords(node) ? [] : node.inputs.filter((one) => one.origin && isUpstream(node, one, origin.slot));
      if (!above.length && !encodes(node)) found.isComputed = true;
      above.forEach((one) => climb(one.origin));
    }
  };
  climb(start);
  return found;
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

/** @param {Flat} flat @param {string} key @returns {boolean} whether a node's text also acts as a positive */
export function isPositiveSomewhere(flat, key) {
  return samplersFedBy(flat, key).some((fed) => fed.side === "positive");
}

/**
 * What is known of a sampler's run; a value that another node computes is left out.
 * @param {Flat} flat @param {string} samplerKey
 * @returns {{ cfg?: number, steps?: number, hasNag: boolean, nag?: "core" | "pack", hasNegative: boolean }}
 */
export function runOf(flat, samplerKey) {
  const sampler = flat.get(samplerKey);
  if (!sampler) return { hasNag: false, hasNegative: false };
  const cfg = numberOf(flat, sampler, "cfg");
  const steps = numberOf(flat, sampler, "steps") ?? scheduledSteps(flat, sampler);
  const isNag = (/** @type {FlatNode} */ node) => /nag/i.test(node.type) && node.type !== "Note";
  const hasNag = climbs(flat, sampler, "MODEL", isNag);
  const isPack = climbs(flat, sampler, "MODEL", (node) => isNag(node) && node.type !== "NAGuidance");
  return {
    ...(cfg === undefined ? {} : { cfg }),
    ...(steps === undefined ? {} : { steps }),
    hasNag,
    ...(hasNag && { nag: isPack ? "pack" : "core" }),
    hasNegative: sampler.inputs.some((input) => input.type === "CONDITIONING" && sideOf(input.name) === "negative"),
  };
}

/**
 * The model family that the wiring itself tells, for example by an SDXL encoder; undefined if it does not.
 * @param {Flat} flat @param {string} samplerKey
 * @returns {string | undefined}
 */
export function familyOf(flat, samplerKey) {
  const sampler = flat.get(samplerKey);
  if (!sampler) return undefined;
  if (climbs(flat, sampler, "MODEL", (node) => node.type === "NegOptDemoModel")) return "world";
  const above = (/** @type {RegExp} */ type) => climbs(flat, sampler, "CONDITIONING", (node) => type.test(node.type));
  if (above(/^CLIPTextEncodeFlux$|^FluxGuidance$/)) return "flux";
  if (above(/^CLIPTextEncodeSDXL/)) return "sdxl";
  return above(/^CLIPTextEncodeSD3$/) ? "sd3" : undefined;
}

/**
 * The node that hooks a sampler's model, if one does.
 * @param {Flat} flat @param {string} samplerKey
 * @returns {string | undefined}
 */
export function hookOf(flat, samplerKey) {
  const sampler = flat.get(samplerKey);
  let hook;
  if (sampler) climbs(flat, sampler, "MODEL", (node) => HOOKS.test(node.type) && Boolean((hook = node.key)));
  return hook;
}

/**
 * Whether a node samples, or guides a sampler: it takes a model and conditioning. One that gives conditioning passes the text
 * on, and one that gives a model patches it (WanVideoNAG, PerpNeg): the text has no side there.
 * @param {FlatNode} node
 */
export function isSampler(node) {
  const takes = (/** @type {string} */ type) => node.inputs.some((input) => input.type === type);
  return takes("MODEL") && takes("CONDITIONING") && !node.outputs.some(({ type }) => /^(CONDITIONING|MODEL)$/.test(type));
}

/** @param {string} name @returns {Side} */
const sideOf = (name) => (/neg/i.test(name) ? "negative" : "positive");

/**
 * @param {Flat} flat @param {string} key @param {(slot: number) => boolean} isOurs
 * @returns {[FlatNode, import("./flat.js").FlatInput][]}
 */
function consumers(flat, key, isOurs) {
  /** @type {[FlatNode, import("./flat.js").FlatInput][]} */
  const found = [];
  for (const node of flat.values()) {
    for (const input of node.inputs) {
      if (input.origin?.key === key && isOurs(input.origin.slot)) found.push([node, input]);
    }
  }
  return found;
}

/**
 * Whether what enters at `name` leaves at output `slot`: by the same name where there is one, else by type.
 * @param {FlatNode} node @param {string} name @param {number} slot
 */
function passes(node, name, slot) {
  const output = node.outputs[slot];
  if (!output || !CARRIERS.has(output.type)) return false;
  const isTwoSided = node.outputs.filter((one) => one.type === "CONDITIONING").length > 1;
  if (!isTwoSided || !/^(positive|negative)/i.test(output.name)) return true;
  return sideOf(output.name) === sideOf(name);
}

/** @param {FlatNode} node @param {import("./flat.js").FlatInput} input @param {number} slot */
function isUpstream(node, input, slot) {
  return CARRIERS.has(input.type) && passes(node, input.name, slot);
}

/** What a primitive node, or a promoted widget, gives. @param {FlatNode | undefined} node */
const valueOf = (node) => (node?.type === PROMOTED ? Object.values(node.widgets)[0] : node?.widgets.value);

/** @param {Flat} flat @param {FlatNode} node @param {string} name @returns {number | undefined} */
export function numberOf(flat, node, name) {
  const input = node.inputs.find((one) => one.name === name);
  const source = input?.origin ? valueOf(flat.get(input.origin.key)) : node.widgets[name];
  return typeof source === "number" ? source : undefined;
}

/** A sampler, or a guider and the samplers that it guides. @param {Flat} flat @param {FlatNode} sampler */
const runsOf = (flat, sampler) => [sampler, ...consumers(flat, sampler.key, () => true).map(([node]) => node)];

/** Whether a sampler or guider runs on a part of a scheduler's steps. @param {Flat} flat @param {string} samplerKey */
export function hasSplitSteps(flat, samplerKey) {
  const sampler = flat.get(samplerKey);
  const isSplit = (/** @type {FlatNode} */ node) => /^SplitSigmas/.test(node.type);
  return Boolean(sampler) && runsOf(flat, /** @type {FlatNode} */ (sampler)).some((run) => climbs(flat, run, "SIGMAS", isSplit));
}

/** Steps of the scheduler beside a sampler or guider whose own widgets do not say. @param {Flat} flat @param {FlatNode} sampler */
function scheduledSteps(flat, sampler) {
  for (const run of runsOf(flat, sampler)) {
    const origin = run.inputs.find((input) => input.type === "SIGMAS")?.origin;
    const steps = origin && numberOf(flat, /** @type {FlatNode} */ (flat.get(origin.key)), "steps");
    if (steps) return steps;
  }
  return undefined;
}

/**
 * Whether a node above, along links of one type, is one of those looked for.
 * @param {Flat} flat @param {FlatNode} start @param {string} type @param {(node: FlatNode) => boolean} isLookedFor
 */
function climbs(flat, start, type, isLookedFor) {
  const queue = [start];
  const seen = new Set();
  for (const node of queue) {
    if (seen.has(node.key)) continue;
    seen.add(node.key);
    if (node !== start && isLookedFor(node)) return true;
    for (const input of node.inputs) {
      const above = input.type === type && input.origin ? flat.get(input.origin.key) : undefined;
      if (above) queue.push(above);
    }
  }
  return false;
}
