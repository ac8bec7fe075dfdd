// From a sampler, or a node that was asked for, up to the widgets that hold its words. Plain data, no page.
// @ts-check
import { sideOf } from "./sides.js";
import { switchOf } from "./values.js";
import { CARRIERS, encodes, fieldsAt, isEncoder, isSystemPrompt, joinedInputs, makesWords, passes, textWidgets } from "./words.js";

/** @typedef {import("./flat.js").Flat} Flat */
/** @typedef {import("./flat.js").FlatNode} FlatNode */
/** @typedef {import("./flat.js").FlatInput} FlatInput */
/** @typedef {import("./flat.js").Origin} Origin */
/** @typedef {import("./sides.js").Side} Side */
/** @typedef {{ key: string, name: string }} Field a widget of a node */
/**
 * @typedef {object} Text one prompt
 * @property {string} encoder the node whose words these are: an encoder, or a string node that was asked for
 * @property {Field[]} fields where words are added, each behind its own: several where an encoder has several
 * @property {Field[]} read what the model reads
 * @property {boolean} [isPart] whether it is about a part of the picture only, as that of a box
 */
/**
 * @typedef {object} Found what stands above an input
 * @property {Text[]} texts nearest first
 * @property {boolean} isZeroed whether zeros replace a text on the way
 * @property {string[]} unknown keys of nodes that make conditioning or words in a way that is not understood here
 */

const ZERO_OUT = "ConditioningZeroOut";
/** Nodes of another pack that connect sockets without a link. */
const BROADCAST = /everywhere/i;

/** The inputs of a sampler on one side. @param {FlatNode | undefined} sampler @param {Side} side */
export const socketsOf = (sampler, side) =>
  (sampler?.inputs ?? []).filter((one) => one.type === "CONDITIONING" && sampler && sideOf(sampler, one.name) === side);

/**
 * The texts that feed one side of a sampler, nearest first, and what else stands there.
 * @param {Flat} flat @param {string} samplerKey @param {Side} side
 * @returns {Found & { isConnected: boolean }}
 */
export function textsOf(flat, samplerKey, side) {
  const sockets = socketsOf(flat.get(samplerKey), side);
  const search = new Search(flat);
  for (const { origin } of sockets) search.conditioning(origin, false);
  const { texts, isZeroed, unknown } = search;
  const isConnected = sockets.some((one) => one.origin);
  const sender = isConnected || !sockets.length ? undefined : [...flat.values()].find((node) => BROADCAST.test(node.type));
  return { texts, isZeroed, unknown: sender ? [sender.key] : unknown, isConnected };
}

/**
 * The words of one node: an encoder's, or those of a string node.
 * @param {Flat} flat @param {string} key
 * @returns {{ text: Text | null, unknown: string[] }} `text` null: there are none, or nodes that are not understood make them
 */
export function wordsOf(flat, key) {
  const node = flat.get(key);
  const widgets = textWidgets(node);
  if (!node || !widgets.length) return { text: null, unknown: [] };
  const search = new Search(flat);
  if (!encodes(node)) {
    const words = search.string({ key, slot: 0 });
    return { text: words && { encoder: key, ...words }, unknown: search.unknown };
  }
  const plain = widgets.filter((name) => sideOf(node, name) !== "negative");
  search.encoder(node, plain.length ? plain : widgets, false);
  return { text: search.texts[0] ?? null, unknown: search.unknown };
}

/** Climbs from an input to the words above it. @implements {Found} */
class Search {
  /** @param {Flat} flat */
  constructor(flat) {
    this.flat = flat;
    /** @type {Text[]} */
    this.texts = [];
    this.isZeroed = false;
    /** @type {string[]} */
    this.unknown = [];
    this.seen = new Set();
  }

  /** @param {Origin} origin @returns {FlatNode | undefined} the node, once */
  next(origin) {
    const place = `${origin.key} ${origin.slot}`;
    if (this.seen.has(place)) return undefined;
    this.seen.add(place);
    return this.flat.get(origin.key);
  }

  /** @param {FlatNode} node @returns {null} */
  giveUp(node) {
    this.unknown.push(node.key);
    return null;
  }

  /** @param {Origin | null} origin @param {boolean} isPart @returns {void} */
  conditioning(origin, isPart) {
    const node = origin && this.next(origin);
    if (!node || !origin) return;
    const branches = switchOf(this.flat, node);
    if (branches) return this.conditioning(branches.active.origin, isPart);
    if (node.type === ZERO_OUT) {
      this.isZeroed = true;
      return;
    }
    const above = node.inputs.filter((one) => one.origin && /^(CONDITIONING|\*|COMFY_MATCHTYPE_V3)$/.test(one.type) && passes(node, one, origin.slot));
    if (isEncoder(node)) this.encoder(node, fieldsAt(node, origin.slot), isPart || above.length > 0);
    else if (!above.length || makesWords(node)) this.giveUp(node);
    for (const one of above) this.conditioning(one.origin, isPart);
  }

  /** @param {FlatNode} node @param {string[]} names @param {boolean} isPart */
  encoder(node, names, isPart) {
    const found = names.map((name) => this.field(node, name));
    if (!found.length || found.includes(null)) return;
    const of = (/** @type {"fields" | "read"} */ which) => distinct(found.flatMap((one) => one?.[which] ?? []));
    this.texts.push({ encoder: node.key, fields: of("fields"), read: of("read"), ...(isPart ? { isPart } : {}) });
  }

  /** @typedef {{ fields: Field[], read: Field[] }} Words */

  /** What stands in a field, or comes into it. @param {FlatNode} node @param {string} name @returns {Words | null} */
  field(node, name) {
    const linked = node.inputs.find((one) => one.name === name && one.origin);
    if (linked?.origin) return this.string(linked.origin);
    if (typeof node.widgets[name] !== "string") return { fields: [], read: [] }; // a socket that nothing is connected to
    const field = { key: node.key, name };
    return { fields: [field], read: [field] };
  }

  /** @param {Origin} origin @returns {Words | null} null: not understood */
  string(origin) {
    const node = this.flat.get(origin.key);
    if (!node || this.seen.size > this.flat.size * 4) return null;
    this.seen.add(`${origin.key} ${this.seen.size}`); // two fields may have one source
    const branches = switchOf(this.flat, node);
    if (branches) return branches.active.origin ? this.string(branches.active.origin) : this.giveUp(node);
    const names = stringWidgets(node, origin.slot);
    if (names.length) return merged(names.map((name) => this.field(node, name)));
    if (makesWords(node) || encodes(node)) return this.giveUp(node);
    const inRow = joinedInputs(node);
    if (inRow.length) return this.joined(node, inRow);
    return this.worked(node);
  }

  /** A string that is worked on: the first that comes in and is neither a system prompt nor a template. @param {FlatNode} node */
  worked(node) {
    const linked = node.inputs.filter((one) => one.origin && CARRIERS.has(one.type));
    const rank = (/** @type {FlatInput} */ one) => Number(!/^(string|text)/i.test(one.name));
    let found = null;
    for (const { origin } of linked.sort((one, other) => rank(one) - rank(other))) {
      found = origin && this.string(origin);
      if (!found || !(this.isSystem(found) || this.isTemplate(found, node.widgets.find))) return found;
    }
    return found ?? this.giveUp(node);
  }

  /** Strings in a row: all are read, and words are added to the last that is no system prompt. @param {FlatNode} node @param {string[]} names */
  joined(node, names) {
    const found = names.map((name) => this.field(node, name)).filter((one) => !one || one.read.some((field) => this.valueOf(field)));
    const words = found.filter((one) => !one || !this.isSystem(one));
    const last = words.at(-1);
    if (!last) return found.length ? null : this.field(node, names[names.length - 1]);
    return { fields: last.fields, read: words.flatMap((one) => one?.read ?? []) };
  }

  /** @param {Words} words */
  isSystem = (words) => words.read.every((field) => isSystemPrompt(this.valueOf(field)));

  /** Whether words have a place for others. @param {Words} words @param {unknown} place */
  isTemplate = (words, place) => Boolean(place) && words.read.some((field) => this.valueOf(field).includes(String(place)));

  /** @param {Field} field */
  valueOf = (field) => String(this.flat.get(field.key)?.widgets[field.name] ?? "");
}

/** The widgets of a string node whose text leaves it at an output. @param {FlatNode} node @param {number} slot */
export function stringWidgets(node, slot) {
  if (encodes(node)) return [];
  const names = textWidgets(node);
  const isNegative = (/** @type {string} */ name) => /neg/i.test(name);
  if (node.outputs.length < 2 || !names.some(isNegative)) return names;
  return names.filter((name) => isNegative(name) === isNegative(node.outputs[slot]?.name ?? ""));
}

/** @param {({ fields: Field[], read: Field[] } | null)[]} parts */
function merged(parts) {
  if (parts.includes(null)) return null;
  const of = (/** @type {"fields" | "read"} */ which) => distinct(parts.flatMap((one) => one?.[which] ?? []));
  return { fields: of("fields"), read: of("read") };
}

/** @param {Field[]} fields */
const distinct = (fields) => [...new Map(fields.map((one) => [`${one.key} ${one.name}`, one])).values()];
