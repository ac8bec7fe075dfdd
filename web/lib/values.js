// What a widget or an input is set to: its own value, or one that comes through primitives, switches and arithmetic.
// Plain data, no page.
// @ts-check
import { evaluate } from "./arithmetic.js";
import { PROMOTED } from "./flat.js";

/** @typedef {import("./flat.js").Flat} Flat */
/** @typedef {import("./flat.js").FlatNode} FlatNode */
/** @typedef {import("./flat.js").FlatInput} FlatInput */

/** Nodes that are asked for one value, all in all: a guard against circles, and against switches that multiply. */
const MOST_ASKED = 400;
const MATH = /math|expression|calculat/i;

/**
 * What is known of a value. `other`: what a switch on the way would give if it were turned; `by`: key of the node that computes
 * what is not known.
 * @typedef {{ value?: unknown, other?: unknown, by?: string }} Known
 * @typedef {{ count: number }} Asked how many nodes were asked for the value so far
 */

/**
 * The value of a node's input or widget.
 * @param {Flat} flat @param {FlatNode} node @param {string} name @param {Asked} [asked] @returns {Known}
 */
export function valueOf(flat, node, name, asked = { count: 0 }) {
  const input = node.inputs.find((one) => one.name === name);
  return input?.origin ? valueAt(flat, input.origin, asked) : { value: node.widgets[name] };
}

/** @param {Flat} flat @param {FlatNode} node @param {string} name @returns {number | undefined} */
export function numberOf(flat, node, name) {
  const { value } = valueOf(flat, node, name);
  return typeof value === "number" ? value : undefined;
}

/** @param {Flat} flat @param {import("./flat.js").Origin} origin @param {Asked} asked @returns {Known} */
function valueAt(flat, origin, asked) {
  const node = flat.get(origin.key);
  if (!node || (asked.count += 1) > MOST_ASKED) return { by: origin.key };
  if (node.type === PROMOTED) return { value: Object.values(node.widgets)[0] };
  const branches = switchOf(flat, node, asked);
  if (branches) return throughSwitch(flat, branches, asked);
  if (MATH.test(node.type)) return calculated(flat, node, origin.slot, asked);
  const name = constantName(node);
  return name === undefined ? { by: node.key } : valueOf(flat, node, name, asked);
}

/** The widget whose value a node gives: that of a primitive, or the only one it has. @param {FlatNode} node */
function constantName(node) {
  if ("value" in node.widgets) return "value";
  const names = Object.keys(node.widgets).filter((name) => name !== "control_after_generate");
  return names.length === 1 && node.inputs.every((input) => input.name === names[0]) ? names[0] : undefined;
}

/** @param {Flat} flat @param {{ active: FlatInput, idle?: FlatInput }} branches @param {Asked} asked @returns {Known} */
function throughSwitch(flat, { active, idle }, asked) {
  const ask = (/** @type {FlatInput | undefined} */ one) => (one?.origin ? valueAt(flat, one.origin, asked) : {});
  const [now, turned] = [ask(active), ask(idle)];
  const other = turned.value ?? now.other;
  return { ...now, ...(other === undefined || other === now.value ? {} : { other }) };
}

/**
 * The branch of a switch that is taken and the one that is not; undefined for a node that is no switch, or whose position only
 * a run knows.
 * @param {Flat} flat @param {FlatNode} node @param {Asked} [asked]
 * @returns {{ active: FlatInput, idle?: FlatInput } | undefined}
 */
export function switchOf(flat, node, asked = { count: 0 }) {
  const at = (/** @type {string} */ name) => node.inputs.find((one) => one.name === name);
  const [yes, no] = [at("on_true"), at("on_false")];
  if (yes && no) {
    const name = ["switch", "boolean", "condition"].find((one) => one in node.widgets || at(one));
    const { value } = name ? valueOf(flat, node, name, asked) : {};
    if (typeof value !== "boolean" && typeof value !== "number") return undefined;
    return value ? { active: yes, idle: no } : { active: no, idle: yes };
  }
  if (!/switch/i.test(node.type)) return undefined;
  const choices = node.inputs.filter((one) => /^(any|input)_?\d+$/i.test(one.name));
  const chosen = ["select", "index"].find((one) => one in node.widgets || at(one));
  if (chosen) return numbered(choices, numberAt(flat, node, chosen, asked));
  const [first, second] = choices.filter((one) => one.origin); // the first that is connected
  return first && { active: first, idle: second };
}

/** @param {FlatInput[]} choices @param {number | undefined} place */
function numbered(choices, place) {
  const active = choices.find((one) => Number(/\d+$/.exec(one.name)?.[0]) === place);
  return active && { active, idle: choices.find((one) => one !== active && one.origin) };
}

/** @param {Flat} flat @param {FlatNode} node @param {string} name @param {Asked} asked */
function numberAt(flat, node, name, asked) {
  const { value } = valueOf(flat, node, name, asked);
  return typeof value === "number" || typeof value === "boolean" ? Number(value) : undefined;
}

/** @param {Flat} flat @param {FlatNode} node @param {number} slot @param {Asked} asked @returns {Known} */
function calculated(flat, node, slot, asked) {
  const text = node.widgets.expression ?? node.widgets.value;
  if (typeof text !== "string") return { by: node.key };
  const given = (/** @type {string} */ name) => {
    const input = node.inputs.find((one) => one.name === name || one.name === `values.${name}`);
    return input ? numberAt(flat, node, input.name, asked) : undefined;
  };
  const value = evaluate(text, given);
  if (value === undefined) return { by: node.key };
  const type = node.outputs[slot]?.type;
  if (type === "BOOLEAN") return { value: Boolean(value) };
  return { value: type === "INT" ? Math.trunc(value) : value };
}
