// A node shows what most people set. What its schema calls advanced comes on demand: the Vue renderer does that by itself,
// on the classic canvas the widgets are hidden here, and ComfyUI's own "Show Advanced" in a node's menu brings them back.
import { grow, setting } from "../host.js";

const ALWAYS = "Comfy.Node.AlwaysShowAdvancedWidgets"; // ComfyUI's own setting
const isOurs = (node) => Boolean(node.comfyClass?.startsWith("NegOpt"));

/** Whether this page can hide a widget without leaving a hole; that of ComfyUI 0.3.64 cannot, and shows all. */
const canHide = (node) => typeof node.getLayoutWidgets === "function";

/** Whether a node shows only what most people set. */
export const isShort = (node) => canHide(node) && !node.showAdvanced && !setting(ALWAYS);

/** The widgets that the schema calls advanced, each with those that belong to it, as a seed's control. */
const advancedOf = (node) =>
  (node.widgets ?? []).filter((one) => one.options?.advanced).flatMap((one) => [one, ...(one.linkedWidgets ?? [])]);

const isLinked = (node, widget) => node.inputs?.some((input) => input.widget?.name === widget.name && input.link != null);

/** Whether a node has something to open on the classic canvas. */
export const canOpen = (node) => canHide(node) && !window.LiteGraph.vueNodesMode && !setting(ALWAYS) && advancedOf(node).length > 0;

/** Give a new node its short form. */
export function showLess(node) {
  if (!isOurs(node) || !canHide(node) || !advancedOf(node).length) return;
  const { toggleAdvanced, onConfigure } = node;
  node.toggleAdvanced = function () {
    toggleAdvanced?.apply(this, arguments);
    keepLess(this);
  };
  node.onConfigure = function () {
    const told = onConfigure?.apply(this, arguments);
    keepLess(this);
    return told;
  };
  keepLess(node);
  if (!window.LiteGraph.vueNodesMode) node.setSize([node.size[0], node.computeSize()[1]]);
}

/** Hide or show the advanced widgets as the node says; also called now and then, as the renderer may be changed. */
export function keepLess(node) {
  if (!isOurs(node) || !canHide(node)) return;
  const isClassic = !window.LiteGraph.vueNodesMode && !setting(ALWAYS);
  let isChanged = false;
  for (const widget of advancedOf(node)) {
    const isHidden = isClassic && !node.showAdvanced && !isLinked(node, widget);
    if (Boolean(widget.hidden) === isHidden) continue;
    widget.hidden = isHidden;
    isChanged = true;
  }
  for (const widget of advancedOf(node)) {
    const isAdvanced = isClassic && !isLinked(node, widget);
    if (Boolean(widget.advanced) !== isAdvanced) widget.advanced = isAdvanced; // for the menu's own entry
  }
  if (!isChanged) return;
  if (node.showAdvanced) closed.set(node, node.size[1]);
  else if (closed.has(node)) node.setSize([node.size[0], Math.max(closed.get(node), node.computeSize()[1])]);
  grow(node);
}

/** Node -> its height before it was opened. */
const closed = new WeakMap();
