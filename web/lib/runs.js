// What the graph tells of a sampler's run: CFG, steps, its part of a chain, and what hooks its model. Plain data, no page.
// @ts-check
import { socketsOf } from "./climb.js";
import { consumers } from "./trace.js";
import { numberOf, switchOf, valueOf } from "./values.js";

/** @typedef {import("./flat.js").Flat} Flat */
/** @typedef {import("./flat.js").FlatNode} FlatNode */

const HOOKS = /^NegOpt(SamplerHook|OneClick)$/;
const CORE_NAG = "NAGuidance";
/** CFG by another name; of a guider with two scales both must be 1 before the negative is left out. */
const CFG_NAMES = ["cfg", "cfg_conds", "video_cfg"];
const SECOND_CFG = "cfg_cond2_negative";
export const OPEN_END = 10000; // what KSamplerAdvanced has as its end where it runs to the last step

/**
 * @typedef {object} Run what is known of a sampler's run; a value that nodes compute which are not understood is left out
 * @property {number} [cfg]
 * @property {number} [otherCfg] what a switch before it would make of the CFG
 * @property {string} [cfgBy] key of the node that computes the CFG
 * @property {number} [steps]
 * @property {boolean} hasNag
 * @property {"core" | "pack"} [nag] whose normalized attention guidance is above the sampler
 * @property {boolean} hasNegative
 */

/** @param {Flat} flat @param {string} samplerKey @returns {Run} */
export function runOf(flat, samplerKey) {
  const sampler = flat.get(samplerKey);
  if (!sampler) return { hasNag: false, hasNegative: false };
  const nag = nagOf(flat, sampler);
  const steps = numberOf(flat, sampler, "steps") ?? scheduledSteps(flat, sampler);
  const hasNegative = socketsOf(sampler, "negative").length > 0;
  return { ...cfgOf(flat, sampler), ...(steps === undefined ? {} : { steps }), hasNag: nag !== undefined, ...(nag && { nag }), hasNegative };
}

/** @param {Flat} flat @param {FlatNode} sampler @returns {Pick<Run, "cfg" | "otherCfg" | "cfgBy">} */
function cfgOf(flat, sampler) {
  const has = (/** @type {string} */ name) => name in sampler.widgets || sampler.inputs.some((one) => one.name === name);
  const name = CFG_NAMES.find(has);
  if (!name) return {};
  const { value, other, by } = valueOf(flat, sampler, name);
  const second = has(SECOND_CFG) ? numberOf(flat, sampler, SECOND_CFG) : undefined;
  if (typeof value !== "number") return by ? { cfgBy: by } : {};
  const cfg = value === 1 && second !== undefined ? second : value;
  return { cfg, ...(typeof other === "number" ? { otherCfg: other } : {}) };
}

/** @param {Flat} flat @param {FlatNode} sampler @returns {Run["nag"]} */
function nagOf(flat, sampler) {
  const found = above(flat, sampler, "MODEL").filter((node) => /nag/i.test(node.type) && node.type !== "Note");
  if (!found.length) return undefined;
  return found.every((node) => node.type === CORE_NAG) ? "core" : "pack";
}

/**
 * The nodes above, along links of one type: through the taken branch of a switch, and of several inputs the first, as a merge
 * keeps the patches of its first model.
 * @param {Flat} flat @param {FlatNode} start @param {string} type
 * @returns {FlatNode[]} nearest first
 */
export function above(flat, start, type) {
  /** @type {FlatNode[]} */
  const found = [];
  for (let node = start; ; ) {
    const input = switchOf(flat, node)?.active ?? node.inputs.find((one) => one.type === type && one.origin);
    const next = input?.origin ? flat.get(input.origin.key) : undefined;
    if (!next || found.includes(next)) return found;
    found.push(next);
    node = next;
  }
}

/** The node that hooks a sampler's model, if one does. @param {Flat} flat @param {string} samplerKey @returns {string | undefined} */
export const hookOf = (flat, samplerKey) => hooksOf(flat, samplerKey)[0];

/** All nodes that hook a sampler's model; the first, nearest the sampler, is the one that acts. @param {Flat} flat @param {string} samplerKey */
export function hooksOf(flat, samplerKey) {
  const sampler = flat.get(samplerKey);
  return sampler ? above(flat, sampler, "MODEL").filter((node) => HOOKS.test(node.type)).map((node) => node.key) : [];
}

/** A sampler, or a guider and the samplers that it guides. @param {Flat} flat @param {FlatNode} sampler */
const runsOf = (flat, sampler) => [sampler, ...consumers(flat, sampler.key, () => true).map(([node]) => node)];

/** The nodes above a sampler or guider that make its steps, with the output that is used. @param {Flat} flat @param {FlatNode} sampler */
function sigmasOf(flat, sampler) {
  const run = runsOf(flat, sampler).find((one) => one.inputs.some((input) => input.type === "SIGMAS" && input.origin));
  /** @type {{ node: FlatNode, slot: number }[]} */
  const chain = [];
  for (let at = run; at; ) {
    const branches = switchOf(flat, at);
    const input = branches ? branches.active : at.inputs.find((one) => one.type === "SIGMAS" && one.origin);
    const node = input?.origin && flat.get(input.origin.key);
    if (!node || !input?.origin || chain.some((one) => one.node === node)) break;
    chain.push({ node, slot: input.origin.slot });
    at = node;
  }
  return chain;
}

/** Steps of the scheduler beside a sampler or guider whose own widgets do not say. @param {Flat} flat @param {FlatNode} sampler */
function scheduledSteps(flat, sampler) {
  for (const { node } of sigmasOf(flat, sampler)) {
    const steps = numberOf(flat, node, "steps");
    if (steps) return steps;
  }
  return undefined;
}

/**
 * @typedef {object} Part the steps of a chain of samplers that one of them does
 * @property {string} key the sampler
 * @property {number} first
 * @property {number} stop the step after its last
 * @property {number} total steps of the whole chain; 0: it does all of them, however many
 */

/**
 * The part of a run that a sampler does; undefined where only the run itself knows.
 * @param {Flat} flat @param {string} key
 * @returns {Part | undefined}
 */
export function partOf(flat, key) {
  const node = flat.get(key);
  if (!node) return undefined;
  const chain = sigmasOf(flat, node);
  if (chain.some((one) => /^SplitSigmas/.test(one.node.type))) return splitPart(flat, key, chain);
  const whole = { key, first: 0, stop: 0, total: 0 };
  const knowsParts = ["start_at_step", "end_at_step"].some((name) => name in node.widgets || node.inputs.some((one) => one.name === name));
  if (!knowsParts) return whole;
  const [first, end, steps] = ["start_at_step", "end_at_step", "steps"].map((name) => numberOf(flat, node, name));
  if (first === 0 && end !== undefined && end >= OPEN_END) return whole;
  if (first === undefined || end === undefined || steps === undefined) return undefined;
  const stop = Math.min(end, steps);
  return first === 0 && stop === steps ? whole : { key, first, stop, total: steps };
}

/** @param {Flat} flat @param {string} key @param {{ node: FlatNode, slot: number }[]} chain @returns {Part | undefined} */
function splitPart(flat, key, chain) {
  const total = chain.map(({ node }) => numberOf(flat, node, "steps")).find(Boolean);
  if (!total) return undefined;
  let [first, stop] = [0, total];
  for (const { node, slot } of [...chain].reverse()) {
    if (!/^SplitSigmas/.test(node.type)) continue;
    const step = node.type === "SplitSigmas" ? numberOf(flat, node, "step") : undefined;
    if (step === undefined) return undefined;
    const cut = Math.min(stop, first + step);
    if (slot === 0) stop = cut;
    else first = cut;
  }
  return { key, first, stop, total };
}
