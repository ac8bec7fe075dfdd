// What one click is going to do, decided before anything is touched. Plain data, no page.
// @ts-check
import {
  encodersOf, hasSplitSteps, hookOf, isInstruction, isPositiveSomewhere, numberOf, runOf, samplersFedBy, textsOf, textWidgets,
  wordsOf,
} from "./trace.js";

/** Encoders whose text alone makes their conditioning, so that NegOptEncode can stand in for them. */
const DF_ENCODER = "NegOptEncode";
const PLAIN_ENCODERS = new Set(["CLIPTextEncode", DF_ENCODER]);

const OPEN_END = 10000; // what KSamplerAdvanced has as its end where it runs to the last step

/** @typedef {import("./flat.js").Flat} Flat */
/** @typedef {import("./trace.js").Text} Text */

/**
 * @typedef {object} Plan
 * @property {Text} prompt where the positive prompt stands
 * @property {Text | null} negative where the negative goes; null: an encoder has to be made
 * @property {string | null} encoder the positive encoder that a new negative one is modelled on
 * @property {string[]} samplers keys of the samplers that are served
 * @property {{ key: string, input: string }[]} sockets where a new encoder has to be connected
 * @property {string[]} notes codes of what the user should know
 */

/**
 * Plan the writing of a negative for a node. The node may hold the positive text or the negative one.
 * @param {Flat} flat @param {string} key
 * @returns {Plan | { fault: string }}
 */
export function planNegative(flat, key) {
  if (!textWidgets(flat.get(key)).length) return { fault: "no-text" };
  const text = wordsOf(flat, key);
  if (!text) return { fault: "computed-text" };
  const fed = samplersFedBy(flat, key);
  if (!fed.length) return { fault: isInstruction(flat, text.key) ? "computed-text" : "no-sampler" };
  const served = fed.filter((one) => one.side === "positive");
  if (!served.length) return fromNegative(flat, text, fed.map((one) => one.sampler));
  const samplers = [...new Set(served.map((one) => one.sampler))].filter((one) => runOf(flat, one).hasNegative);
  if (!samplers.length) return { fault: "no-negative-input" };
  return fromPositive(flat, { text, key, samplers });
}

/** @param {Flat} flat @param {Text} negative @param {string[]} samplers @returns {Plan | { fault: string }} */
function fromNegative(flat, negative, samplers) {
  const { texts: [prompt], isComputed } = textsOf(flat, samplers[0], "positive");
  if (!prompt) return { fault: isComputed ? "computed-text" : "no-positive" };
  return { prompt, negative, encoder: null, samplers, sockets: [], notes: notesOf(flat, samplers) };
}

/**
 * @param {Flat} flat @param {{ text: Text, key: string, samplers: string[] }} asked `key`: the node that was clicked
 * @returns {Plan | { fault: string }}
 */
function fromPositive(flat, { text, key, samplers }) {
  const found = samplers.map((one) => textsOf(flat, one, "negative"));
  const own = found.flatMap((one) => one.texts).filter((one) => !isPositiveSomewhere(flat, one.key));
  if (!own.length && found.some((one) => one.isComputed)) return { fault: "computed-text" };
  const notes = notesOf(flat, samplers);
  if (new Set(own.map((one) => one.key)).size > 1) notes.push("many-negatives");
  // every sampler must get it: one that has none of these texts would be left out silently
  const isWhole = own.length > 0 && found.every((one) => one.texts.some((other) => other.key === own[0].key));
  if (!isWhole && own.length) notes.push("not-all-samplers");
  if (!own.length && found.some((one) => one.isZeroed)) notes.push("was-zeroed");
  const serves = (/** @type {string} */ one) => samplersFedBy(flat, one).some(({ sampler }) => samplers.includes(sampler));
  const encoder = own.length ? null : (encodersOf(flat, key).find(serves) ?? null);
  const sockets = own.length ? [] : unique(samplers.map((one) => negativeSocket(flat, one)));
  return { prompt: text, negative: own[0] ?? null, encoder, samplers, sockets, notes };
}

/**
 * @typedef {object} Wiring what has to change so that words can act in their own steps
 * @property {Plan} plan
 * @property {string[]} replaced keys of encoders that become NegOptEncode
 * @property {{ key: string, offset: number, total: number }[]} unhooked samplers without our hook, with their part of a chain
 */

/**
 * Plan the whole scheduled wiring around a prompt: encoders that can schedule, and the hook before each sampler.
 * @param {Flat} flat @param {string} key
 * @returns {Wiring | { fault: string }}
 */
export function planWiring(flat, key) {
  const plan = planNegative(flat, key);
  if ("fault" in plan) return plan;
  // a text with windows is read by everything that it feeds, also where the click was not meant for that
  const read = [plan.prompt, ...(plan.negative ? [plan.negative] : [])].map((text) => encodersOf(flat, text.key));
  const encoders = [...new Set(read.flat())];
  const typeOf = (/** @type {string} */ one) => flat.get(one)?.type ?? "";
  if (read.some((one) => !one.length) || !encoders.every((one) => PLAIN_ENCODERS.has(typeOf(one)))) return { fault: "other-encoder" };
  const fed = encoders.flatMap((one) => samplersFedBy(flat, one).map(({ sampler }) => sampler));
  const unhooked = [...new Set([...plan.samplers, ...fed])].filter((one) => !hookOf(flat, one)).map((one) => partOf(flat, one));
  if (unhooked.some(({ key: one }) => isPartUnknown(flat, one))) plan.notes.push("hook-by-hand");
  return { plan, replaced: encoders.filter((one) => typeOf(one) !== DF_ENCODER), unhooked };
}

/** A sampler that runs only some steps of a chain. @param {Flat} flat @param {string} key */
function partOf(flat, key) {
  const [start, end, steps] = partOfChain(flat, key);
  const total = steps ?? 0;
  const isPart = start !== undefined && total > 0 && (start > 0 || (end !== undefined && end > 0 && end < total));
  return { key, offset: isPart ? start : 0, total: isPart ? total : 0 };
}

/** Where a part of a chain starts, where it ends, and the steps of the chain. @param {Flat} flat @param {string} key */
function partOfChain(flat, key) {
  const node = flat.get(key);
  return ["start_at_step", "end_at_step", "steps"].map((name) => (node ? numberOf(flat, node, name) : undefined));
}

/** Whether a sampler may run only a part of the steps, and which part the graph does not say. @param {Flat} flat @param {string} key */
function isPartUnknown(flat, key) {
  if (hasSplitSteps(flat, key)) return true;
  const names = flat.get(key)?.inputs.map((input) => input.name) ?? [];
  const [start, end, steps] = partOfChain(flat, key);
  if (start === undefined && end === undefined && !names.includes("start_at_step")) return false; // knows no parts
  if (start === undefined || end === undefined) return true;
  return steps === undefined && (start > 0 || end < OPEN_END);
}

/** Samplers that do not compute the negative. @param {Flat} flat @param {string[]} samplers */
export function atCfgOne(flat, samplers) {
  return samplers.filter((one) => {
    const run = runOf(flat, one);
    return run.cfg === 1 && !run.hasNag;
  });
}

/** @param {Flat} flat @param {string[]} samplers @returns {string[]} */
const notesOf = (flat, samplers) => (atCfgOne(flat, samplers).length ? ["cfg-one"] : []);

/** Whether a text may hold windows: every encoder that reads it is ours. @param {Flat} flat @param {string} key */
export function isScheduled(flat, key) {
  const encoders = encodersOf(flat, key);
  return encoders.length > 0 && encoders.every((one) => flat.get(one)?.type === DF_ENCODER);
}

/** @param {{ key: string, input: string }[]} sockets */
const unique = (sockets) => [...new Map(sockets.map((one) => [`${one.key} ${one.input}`, one])).values()];

/**
 * Where a negative enters on its way to a sampler: above nodes such as ControlNet, which carry both sides.
 * @param {Flat} flat @param {string} samplerKey
 */
export function negativeSocket(flat, samplerKey) {
  let node = flat.get(samplerKey);
  let input = node?.inputs.find((one) => one.type === "CONDITIONING" && /neg/i.test(one.name));
  let place = { key: samplerKey, input: input?.name ?? "negative" };
  for (let depth = 0; input?.origin && depth < 64; depth += 1) {
    node = flat.get(input.origin.key);
    input = node?.inputs.find((one) => one.type === "CONDITIONING" && /neg/i.test(one.name));
    if (!node || !input) break;
    place = { key: node.key, input: input.name };
  }
  return place;
}
