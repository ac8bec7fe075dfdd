// Where a `Level` comes from: the page's live graph, or a saved workflow.
// @ts-check
import { describe } from "./schema.js";

/** @typedef {import("./flat.js").Level} Level */
/** @typedef {import("./flat.js").LevelNode} LevelNode */

/**
 * The live graph of the page (LGraph or Subgraph), read without changing it.
 * @param {any} graph
 * @returns {Level}
 */
export function levelOfGraph(graph) {
  /** @type {Level["links"]} */
  const links = new Map();
  for (const link of valuesOf(graph.links)) links.set(Number(link.id), ends(link));
  return { nodes: (graph.nodes ?? graph._nodes ?? []).map(liveNode), links };
}

/** @param {any} node @returns {LevelNode} */
function liveNode(node) {
  const isSubgraph = Boolean(node.isSubgraphNode?.());
  return {
    ...shape(node),
    ...describe(node.constructor?.nodeData),
    type: node.comfyClass ?? node.type,
    widgets: Object.fromEntries((node.widgets ?? []).map((/** @type {any} */ one) => [one.name, one.value])),
    ...(isSubgraph ? { inner: levelOfGraph(node.subgraph) } : {}),
  };
}

/**
 * A saved workflow. `kindOf` gives the names of a node's widgets in the order of `widgets_values`, and what its schema tells.
 * @param {any} workflow
 * @param {(type: string) => { names: string[], long?: string[], isCore?: boolean }} kindOf
 * @returns {Level}
 */
export function levelOfWorkflow(workflow, kindOf) {
  const inner = new Map((workflow.definitions?.subgraphs ?? []).map((/** @type {any} */ one) => [one.id, one]));
  /** @param {any} saved @returns {Level} */
  const level = (saved) => ({
    nodes: saved.nodes.map((/** @type {any} */ node) => {
      const { names, ...told } = kindOf(node.type);
      const widgets = named(inner.has(node.type) ? shownBy(node) : names, node.widgets_values ?? []);
      return { ...shape(node), ...told, widgets, ...(inner.has(node.type) ? opened(node, inner.get(node.type)) : {}) };
    }),
    links: new Map(saved.links.map((/** @type {any} */ link) => [Number(link.id ?? link[0]), ends(link)])),
  });
  /** A saved subgraph node leaves out inputs that nothing is connected to; the inlet counts them all. @param {any} node @param {any} saved */
  const opened = (node, saved) => {
    const shown = shape(node).inputs;
    const inputs = saved.inputs?.map((/** @type {any} */ one) => shown.find(({ name }) => name === one.name) ?? { name: one.name, type: String(one.type), link: null });
    return { inner: level(saved), ...(inputs ? { inputs } : {}) };
  };
  return level(workflow);
}

/** The widgets that a saved subgraph node shows for its inner nodes, in order. @param {any} node @returns {string[]} */
const shownBy = (node) => (node.inputs ?? []).flatMap((/** @type {any} */ one) => one.widget?.name ?? []);

/** @param {any} node @returns {LevelNode} */
function shape(node) {
  const inputs = (node.inputs ?? []).map((/** @type {any} */ one) => ({
    name: one.name,
    type: String(one.type),
    link: one.link ?? null,
    widget: one.widget?.name,
  }));
  const outputs = (node.outputs ?? []).map((/** @type {any} */ one) => ({ name: one.name, type: String(one.type) }));
  return { id: node.id, type: node.type, title: node.title, mode: node.mode ?? 0, inputs, outputs, widgets: {} };
}

/** @param {any} link @returns {import("./flat.js").Link} */
function ends(link) {
  if (Array.isArray(link)) return { from: link[1], slot: link[2], to: link[3], toSlot: link[4] };
  return { from: link.origin_id, slot: link.origin_slot, to: link.target_id, toSlot: link.target_slot };
}

/** @param {any} links a Map, an object or an array of links */
function valuesOf(links) {
  if (!links) return [];
  return (links instanceof Map ? [...links.values()] : Object.values(links)).filter(Boolean);
}

/** @param {string[]} names @param {unknown[]} values */
function named(names, values) {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}
