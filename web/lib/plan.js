// What one click is going to do, decided before anything is touched. Plain data, no page.
// @ts-check
import { familyOf } from "./family.js";
import { hookOf, partOf, runOf } from "./runs.js";
import { sideOf } from "./sides.js";
import { socketsOf, textsOf, wordsOf } from "./climb.js";
import { encodersOf, isPositiveSomewhere, makerBelow, samplersFedBy } from "./trace.js";
import { encodes, isDoubtful, isEncoder, isSystemPrompt, textWidgets } from "./words.js";

/** Encoders whose text alone makes their conditioning, so that NegOptEncode can stand in for them. */
const DF_ENCODER = "NegOptEncode";
const PLAIN_ENCODERS = new Set(["CLIPTextEncode", DF_ENCODER]);

/** @typedef {import("./flat.js").Flat} Flat */
/** @typedef {import("./climb.js").Text} Text */
/** @typedef {{ code: string, values?: Record<string, unknown> }} Note what the user should know, with what its sentence names */
/** @typedef {{ fault: string, values?: Record<string, unknown>, prompts?: Text[], samplers?: string[] }} Fault
 *   why nothing is touched; with `prompts`, the words that could be added by hand can still be asked for */
/** @typedef {(family: string | undefined) => string | undefined} NagActs see guidance: "never" where core's NAG does nothing */

/**
 * @typedef {object} Plan
 * @property {Text} prompt where the positive prompt stands
 * @property {Text[]} prompts all positives that the samplers read, that one first
 * @property {Text | null} negative where the negative goes; null: an encoder has to be made
 * @property {Text | null} kept words that a new negative begins with: those of a text that is another sampler's positive
 * @property {string | null} encoder the positive encoder that a new negative one is modelled on
 * @property {string[]} samplers keys of the samplers that are served
 * @property {{ key: string, input: string }[]} sockets where a new encoder has to be connected
 * @property {string[]} doubts what to ask before writing: encoders of other packs, with the fields that are taken for the prompt
 * @property {Note[]} notes
 */

/** A node as it is named to the user. @param {Flat} flat @param {string} key */
export function nameOf(flat, key) {
  const node = flat.get(key);
  return node ? `${node.title || node.type} #${key}` : `#${key}`;
}

/** @param {Flat} flat @param {string[]} keys */
const namesOf = (flat, keys) => [...new Set(keys)].map((key) => nameOf(flat, key)).join(", ");

/** @param {Flat} flat @param {string[]} keys @returns {Fault} */
const computed = (flat, keys) => ({ fault: "computed-text", values: { node: namesOf(flat, keys) } });

/**
 * Plan the writing of a negative for a node. The node may hold the positive text or the negative one.
 * @param {Flat} flat @param {string} key @param {NagActs} [nagActs]
 * @returns {Plan | Fault}
 */
export function planNegative(flat, key, nagActs) {
  const asked = clicked(flat, key);
  if ("fault" in asked) return asked;
  const { text, fed } = asked;
  if (!fed.length) return makerBelow(flat, key) ? computed(flat, [String(makerBelow(flat, key))]) : { fault: "no-sampler" };
  const served = fed.filter((one) => one.side === "positive");
  if (!served.length) return fromNegative(flat, { text, samplers: samplersIn(fed), nagActs });
  const samplers = samplersIn(served).filter((one) => runOf(flat, one).hasNegative);
  if (!samplers.length) return { fault: "no-negative-input" };
  return fromPositive(flat, { text, key, samplers, nagActs });
}

/**
 * The text of a node that was clicked, and the samplers that it feeds.
 * @param {Flat} flat @param {string} key
 * @returns {{ text: Text, fed: import("./trace.js").Fed[], doubts: string[] } | Fault}
 */
export function clicked(flat, key) {
  const node = flat.get(key);
  if (!node || !textWidgets(node).length) {
    return node && encodes(node) && !isEncoder(node) ? computed(flat, [key]) : { fault: "no-text" };
  }
  const { text, unknown } = wordsOf(flat, key);
  if (!text) return computed(flat, unknown.length ? unknown : [key]);
  if (!encodes(node) && text.fields.every((field) => isSystemPrompt(valueOfField(flat, field)))) return { fault: "system-prompt" };
  return { text, fed: samplersFedBy(flat, key), doubts: doubtsOf(flat, [text]) };
}

/** @param {Flat} flat @param {import("./climb.js").Field} field */
const valueOfField = (flat, { key, name }) => String(flat.get(key)?.widgets[name] ?? "");

/** @param {import("./trace.js").Fed[]} fed */
const samplersIn = (fed) => [...new Set(fed.map((one) => one.sampler))];

/** @param {Text} one @param {Text} other whether both stand in the same widgets */
const isSame = (one, other) => {
  const places = (/** @type {Text} */ text) => text.fields.map(({ key, name }) => `${key} ${name}`).sort().join("|");
  return places(one) === places(other);
};

/**
 * @param {Flat} flat @param {{ text: Text, samplers: string[], nagActs?: NagActs }} asked
 * @returns {Plan | Fault}
 */
function fromNegative(flat, { text, samplers, nagActs }) {
  const found = samplers.map((one) => textsOf(flat, one, "positive"));
  const prompts = inOrder(found.flatMap((one) => one.texts).filter((one) => !isSame(one, text)));
  if (!prompts.length) {
    const unknown = found.flatMap((one) => one.unknown);
    return unknown.length ? computed(flat, unknown) : { fault: "no-positive" };
  }
  const notes = notesOf(flat, samplers, nagActs);
  return { prompt: prompts[0], prompts, negative: text, kept: null, encoder: null, samplers, sockets: [], doubts: doubtsOf(flat, [text]), notes };
}

/** Each text once, those of the whole picture before those of a part. @param {Text[]} texts */
const inOrder = (texts) => {
  const once = texts.filter((one, place) => texts.findIndex((other) => isSame(one, other)) === place);
  return [...once.filter((one) => !one.isPart), ...once.filter((one) => one.isPart)];
};

/**
 * @param {Flat} flat @param {{ text: Text, key: string, samplers: string[], nagActs?: NagActs }} asked `key`: the clicked node
 * @returns {Plan | Fault}
 */
function fromPositive(flat, { text, key, samplers, nagActs }) {
  const prompts = inOrder([text, ...samplers.flatMap((one) => textsOf(flat, one, "positive").texts)].filter((one) => one.fields.length));
  const found = samplers.map((one) => textsOf(flat, one, "negative"));
  const texts = inOrder(found.flatMap((one) => one.texts));
  const own = texts.filter((one) => !isPositiveSomewhere(flat, one));
  const kept = own.length ? null : (texts.find((one) => !prompts.some((other) => isSame(one, other))) ?? null);
  const unknown = found.flatMap((one) => one.unknown);
  if (!own.length && unknown.length) return { fault: "computed-negative", values: { node: namesOf(flat, unknown) }, prompts, samplers };
  const notes = notesOf(flat, samplers, nagActs);
  if (own.some((one) => !isSame(one, own[0]))) notes.push({ code: "many-negatives" });
  // every sampler must get it: one that has none of these texts would be left out silently
  const isWhole = own.length > 0 && found.every((one) => one.texts.some((other) => isSame(other, own[0])));
  if (!isWhole && own.length) notes.push({ code: "not-all-samplers" });
  if (isWhole && samplers.length > 1) notes.push({ code: "shared", values: { samplers: namesOf(flat, samplers) } });
  if (!own.length && found.some((one) => one.isZeroed)) notes.push(zeroNote(flat, samplers, nagActs));
  const serves = (/** @type {string} */ one) => samplersFedBy(flat, one).some(({ sampler }) => samplers.includes(sampler));
  const encoder = own.length ? null : (encodersOf(flat, key).find(serves) ?? null);
  const sockets = own.length ? [] : unique(samplers.flatMap((one) => negativeSockets(flat, one)));
  const doubts = doubtsOf(flat, own.length ? [own[0]] : [text]);
  return { prompt: text, prompts, negative: own[0] ?? null, kept, encoder, samplers, sockets, doubts, notes };
}

/** Zeros are another thing than an empty text where the negative acts. @param {Flat} flat @param {string[]} samplers @param {NagActs} [nagActs] @returns {Note} */
const zeroNote = (flat, samplers, nagActs) => ({ code: atCfgOne(flat, samplers, nagActs).length ? "was-zeroed" : "zeros-acted" });

/** @param {Flat} flat @param {Text[]} texts */
function doubtsOf(flat, texts) {
  return texts.flatMap(({ encoder, fields }) => {
    const node = flat.get(encoder);
    return node && isDoubtful(node) ? [`${nameOf(flat, encoder)}: ${fields.map((field) => field.name).join(", ")}`] : [];
  });
}

/**
 * @typedef {object} Wiring what has to change so that words can act in their own steps
 * @property {Plan} plan
 * @property {string[]} replaced keys of encoders that become NegOptEncode
 * @property {{ key: string, offset: number, total: number }[]} unhooked samplers without our hook, with their part of a chain
 */

/**
 * Plan the whole scheduled wiring around a prompt: encoders that can schedule, and the hook before each sampler.
 * @param {Flat} flat @param {string} key @param {NagActs} [nagActs]
 * @returns {Wiring | Fault}
 */
export function planWiring(flat, key, nagActs) {
  const plan = planNegative(flat, key, nagActs);
  if ("fault" in plan) return { ...plan, prompts: undefined };
  const isAsked = isSame(plan.prompt, wordsOf(flat, key).text ?? plan.prompt);
  if (!isAsked && plan.prompts.filter((one) => !one.isPart).length > 1) return { fault: "many-positives" };
  const texts = [plan.prompt, ...(plan.negative ? [plan.negative] : [])];
  const maker = texts.flatMap((text) => text.fields.map((field) => makerBelow(flat, field.key))).find(Boolean);
  if (maker) return { fault: "feeds-maker", values: { node: nameOf(flat, maker) } };
  // a text with windows is read by everything that it feeds, also where the click was not meant for that
  const read = texts.map((text) => text.fields.flatMap((field) => encodersOf(flat, field.key)));
  const encoders = [...new Set(read.flat())];
  const typeOf = (/** @type {string} */ one) => flat.get(one)?.type ?? "";
  const other = encoders.find((one) => !PLAIN_ENCODERS.has(typeOf(one)));
  if (other || read.some((one) => !one.length)) return { fault: "other-encoder", values: { node: nameOf(flat, other ?? key) } };
  const fed = encoders.flatMap((one) => samplersFedBy(flat, one).map(({ sampler }) => sampler));
  const bare = [...new Set([...plan.samplers, ...fed])].filter((one) => !hookOf(flat, one));
  const unhooked = bare.map((one) => ({ key: one, offset: partOf(flat, one)?.first ?? 0, total: partOf(flat, one)?.total ?? 0 }));
  if (bare.some((one) => !partOf(flat, one))) plan.notes.push({ code: "hook-by-hand" });
  return { plan, replaced: encoders.filter((one) => typeOf(one) !== DF_ENCODER), unhooked };
}

/**
 * Samplers that do not compute the negative.
 * @param {Flat} flat @param {string[]} samplers @param {NagActs} [nagActs]
 */
export function atCfgOne(flat, samplers, nagActs = () => undefined) {
  return samplers.filter((one) => {
    const run = runOf(flat, one);
    const isGuided = run.hasNag && !(run.nag === "core" && nagActs(familyOf(flat, one)) === "never");
    return run.cfg === 1 && !isGuided;
  });
}

/** @param {Flat} flat @param {string[]} samplers @param {NagActs} [nagActs] @returns {Note[]} */
function notesOf(flat, samplers, nagActs) {
  const dead = atCfgOne(flat, samplers, nagActs);
  /** @type {Note[]} */
  const notes = [];
  if (dead.length === samplers.length) notes.push({ code: "cfg-one" });
  else if (dead.length) notes.push({ code: "cfg-one-part", values: { samplers: dead.map((one) => partName(flat, one)).join(", ") } });
  const runs = samplers.map((one) => runOf(flat, one));
  const turned = runs.find((run) => run.otherCfg !== undefined && (run.cfg === 1) !== (run.otherCfg === 1));
  if (turned) notes.push({ code: "cfg-switch", values: { cfg: turned.cfg, other: turned.otherCfg } });
  const unread = runs.flatMap((run) => run.cfgBy ?? []);
  if (unread.length) notes.push({ code: "cfg-unknown", values: { node: namesOf(flat, unread) } });
  return notes;
}

/** @param {Flat} flat @param {string} key */
function partName(flat, key) {
  const part = partOf(flat, key);
  return part?.total ? `${nameOf(flat, key)} (${part.first}-${part.stop - 1} / ${part.total})` : nameOf(flat, key);
}

/** Whether a text may hold windows: every encoder that reads it is ours. @param {Flat} flat @param {string} key */
export function isScheduled(flat, key) {
  const encoders = encodersOf(flat, key);
  return encoders.length > 0 && encoders.every((one) => flat.get(one)?.type === DF_ENCODER);
}

/** Whether windows may be written into a text: its encoders read them, and nothing that makes other words of it does. @param {Flat} flat @param {Text} text */
export const takesWindows = (flat, { fields }) => fields.every(({ key }) => isScheduled(flat, key) && !makerBelow(flat, key));

/** @param {{ key: string, input: string }[]} sockets */
const unique = (sockets) => [...new Map(sockets.map((one) => [`${one.key} ${one.input}`, one])).values()];

/** Where a negative enters on its way to a sampler. @param {Flat} flat @param {string} samplerKey */
export const negativeSockets = (flat, samplerKey) =>
  socketsOf(flat.get(samplerKey), "negative").map((socket) => socketAbove(flat, samplerKey, socket.name));

/**
 * Above nodes such as ControlNet, which carry both sides.
 * @param {Flat} flat @param {string} key @param {string} name
 */
function socketAbove(flat, key, name) {
  let place = { key, input: name };
  for (let depth = 0; depth < 64; depth += 1) {
    const origin = flat.get(place.key)?.inputs.find((one) => one.name === place.input)?.origin;
    const node = origin ? flat.get(origin.key) : undefined;
    const input = node?.inputs.find((one) => one.type === "CONDITIONING" && sideOf(node, one.name) === "negative");
    if (!node || !input) break;
    place = { key: node.key, input: input.name };
  }
  return place;
}
