// A workflow as one flat graph: subgraphs opened, reroutes and bypassed nodes passed through. Plain data, no page.
// @ts-check

/**
 * @typedef {{ name: string, type: string, link: number | null, widget?: string }} Socket `widget`: the one that it shows
 * @typedef {{ id: number | string, type: string, title?: string, mode: number, inputs: Socket[],
 *   outputs: { name: string, type: string }[], widgets: Record<string, unknown>, long?: string[], isCore?: boolean,
 *   inner?: Level }} LevelNode one node of a level; `inner` is what a subgraph holds, `long` names the inputs that take words by
 *   its schema, `isCore` tells a node of ComfyUI's own
 * @typedef {{ from: number | string, slot: number, to: number | string, toSlot: number }} Link
 * @typedef {{ nodes: LevelNode[], links: Map<number, Link> }} Level a graph without what is above or below it
 * @typedef {{ key: string, slot: number }} Origin an output of a node
 * @typedef {{ name: string, type: string, origin: Origin | null }} FlatInput
 * @typedef {{ key: string, type: string, title?: string, inputs: FlatInput[], outputs: { name: string, type: string }[],
 *   widgets: Record<string, unknown>, long: string[], isCore: boolean }} FlatNode `key` is ComfyUI's execution id, such as "12:5"; "12#text" is the widget
 *   that subgraph node 12 shows for its inner nodes, as a node of its own
 * @typedef {Map<string, FlatNode>} Flat
 */

export const SUBGRAPH_INPUT = -10;
export const SUBGRAPH_OUTPUT = -20;
const MUTED = 2;
const BYPASSED = 4;
const DEEPEST = 32; // levels of subgraphs, and nodes passed through in a row; a guard against circles
/** The type of the nodes that stand for a widget which a subgraph node shows. */
export const PROMOTED = "negopt promoted widget";
const REROUTES = new Set(["Reroute", "PrimitiveReroute"]);
/** Nodes of other packs that carry a link by a name: both are of the page only, and neither runs. */
const SETTER = /^(easy )?setnode$/i;
const GETTER = /^(easy )?getnode$/i;

/**
 * Every node that runs, by key. Links lead to the node that really makes the value.
 * @param {Level} root
 * @returns {Flat}
 */
export function flatten(root) {
  /** @type {Flat} */
  const flat = new Map();
  addLevel(flat, { level: root, path: [] });
  return flat;
}

/** @typedef {{ level: Level, path: LevelNode[], parent?: Place }} Place a level and the subgraph nodes it lies in */

/** @param {Flat} flat @param {Place} place */
function addLevel(flat, place) {
  for (const node of place.level.nodes) {
    if (node.inner && place.path.length < DEEPEST && node.mode !== MUTED && node.mode !== BYPASSED) {
      addPromoted(flat, place, node);
      addLevel(flat, { level: node.inner, path: [...place.path, node], parent: place });
    } else if (!isPassed(node) && node.mode !== MUTED) {
      const inputs = node.inputs.map(({ name, type, link }) => ({ name, type, origin: originOf(place, link, 0) }));
      const key = keyOf(place, node);
      const { type, title, outputs, widgets, long = [], isCore = false } = node;
      flat.set(key, { key, type, title, inputs, outputs, widgets, long, isCore });
    }
  }
}

/** What a subgraph node says in place of its inner widgets. @param {Flat} flat @param {Place} place @param {LevelNode} holder */
function addPromoted(flat, place, holder) {
  holder.inputs.forEach((input, slot) => {
    const key = promotedKey(place, holder, slot);
    const { name, type, widget } = input;
    if (!key || widget === undefined) return;
    const widgets = { [widget]: holder.widgets[widget] };
    flat.set(key, { key, type: PROMOTED, title: holder.title, inputs: [], outputs: [{ name, type }], widgets, long: [], isCore: true });
  });
}

/**
 * The key of the widget that stands in for a link that a subgraph node does not have; null if it shows none.
 * @param {Place} place @param {LevelNode} holder @param {number} slot
 */
function promotedKey(place, holder, slot) {
  const { link, widget } = holder.inputs[slot] ?? {};
  if (link != null || widget === undefined || holder.widgets[widget] === undefined) return null;
  return `${keyOf(place, holder)}#${widget}`;
}

/** @param {LevelNode} node */
const isPassed = (node) => isCarrier(node) || GETTER.test(node.type) || node.mode === BYPASSED;

/** Whether a node gives its one input as it is. @param {LevelNode} node */
const isCarrier = (node) => REROUTES.has(node.type) || SETTER.test(node.type);

/** @param {Place} place @param {LevelNode} node */
const keyOf = (place, node) => [...place.path.map((one) => one.id), node.id].join(":");

/**
 * @param {Place} place @param {number | null | undefined} linkId @param {number} depth
 * @returns {Origin | null}
 */
function originOf(place, linkId, depth) {
  const link = linkId == null ? undefined : place.level.links.get(linkId);
  if (!link || depth > DEEPEST * DEEPEST) return null;
  if (Number(link.from) === SUBGRAPH_INPUT) return fromParent(place, link.slot, depth);
  const node = place.level.nodes.find((one) => String(one.id) === String(link.from));
  if (!node || node.mode === MUTED) return null;
  if (GETTER.test(node.type)) return fromSetter(place, node, depth);
  if (isPassed(node)) return originOf(place, passedLink(node, link.slot), depth + 1);
  if (node.inner) return fromInner(place, node, link.slot, depth);
  return { key: keyOf(place, node), slot: link.slot };
}

/**
 * What was put away under the name that a getter says, in its own graph or in one around it.
 * @param {Place} place @param {LevelNode} getter @param {number} depth @returns {Origin | null}
 */
function fromSetter(place, getter, depth) {
  const nameOf = (/** @type {LevelNode} */ node) => Object.values(node.widgets)[0];
  /** @type {Place | undefined} */
  let at = place;
  for (; at; at = at.parent) {
    const setter = at.level.nodes.find((one) => SETTER.test(one.type) && one.mode !== MUTED && nameOf(one) === nameOf(getter));
    if (setter) return originOf(at, setter.inputs[0]?.link, depth + 1);
  }
  return null;
}

/** @param {Place} place @param {number} slot @param {number} depth @returns {Origin | null} */
function fromParent(place, slot, depth) {
  const holder = place.path[place.path.length - 1];
  if (!place.parent || !holder) return null;
  const key = promotedKey(place.parent, holder, slot);
  if (key) return { key, slot: 0 };
  return originOf(place.parent, holder.inputs[slot]?.link, depth + 1);
}

/** @param {Place} place @param {LevelNode} node @param {number} slot @param {number} depth @returns {Origin | null} */
function fromInner(place, node, slot, depth) {
  const level = /** @type {Level} */ (node.inner);
  for (const [id, link] of level.links) {
    if (Number(link.to) === SUBGRAPH_OUTPUT && link.toSlot === slot) {
      return originOf({ level, path: [...place.path, node], parent: place }, id, depth + 1);
    }
  }
  return null;
}

/**
 * The link that comes out again at `slot` of a reroute or a bypassed node: ComfyUI takes the input at the same
 * position if its type fits, else the first of that type.
 * @param {LevelNode} node @param {number} slot
 */
function passedLink(node, slot) {
  if (isCarrier(node)) return node.inputs[0]?.link;
  const type = node.outputs[slot]?.type;
  const same = node.inputs[slot];
  if (same && same.type === type) return same.link;
  return node.inputs.find((input) => input.type === type)?.link;
}
