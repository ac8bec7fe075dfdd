// Making a negative encoder beside the positive one: same kind, same CLIP, same sizes, empty text.
import { app, nodeAt, setWidget } from "../host.js";
import { join } from "../lib/join.js";
import { pushedDown } from "../lib/room.js";

const GAP = 60;

/** The live nodes that a plan needs to make an encoder; null if one is gone or they lie in different graphs. */
export function placesFor(plan) {
  const model = plan.encoder && nodeAt(plan.encoder);
  const sockets = plan.sockets.map(({ key, input }) => ({ node: nodeAt(key), input }));
  if (!model || !sockets.length || sockets.some(({ node }) => node?.graph !== model.graph)) return null;
  return { model, sockets };
}

/** Make the encoder, connect it in place of what was there, and return it. Call inside of `oneStep`. */
export function makeEncoder({ model, sockets }, textNames) {
  const made = window.LiteGraph.createNode(model.type);
  model.graph.add(made);
  made.size = [...model.size];
  made.pos = freePlace(model);
  for (const widget of model.widgets ?? []) {
    if (!textNames.includes(widget.name) && widget.name && !widget.options?.canvasOnly) {
      setWidget(made, widget.name, widget.value);
    }
  }
  model.inputs?.forEach((input, slot) => {
    if (input.link != null && !textNames.includes(input.name)) copyLink(model, made, slot);
  });
  const output = made.outputs.findIndex((one) => one.type === "CONDITIONING");
  for (const { node, input } of sockets) {
    join(made, output, node, node.inputs.findIndex((one) => one.name === input));
  }
  app.canvas?.setDirty(true, true);
  return made;
}

/** Connect an input of `made` to where the same input of `model` comes from, across a subgraph's inlet too. */
function copyLink(model, made, slot, name = model.inputs[slot].name) {
  const { graph } = model;
  const link = graph.getLink?.(model.inputs[slot].link) ?? graph.links[model.inputs[slot].link];
  const target = made.inputs.findIndex((one) => one.name === name);
  if (!link || target < 0) return;
  const origin = graph.getNodeById(link.origin_id);
  if (origin) join(origin, link.origin_slot, made, target);
  else join(graph.inputNode?.slots?.[link.origin_slot], made.inputs[target], made);
}

/**
 * Put a node of another type in an encoder's place, with its links; `names` maps widgets of the old one to the new one's.
 * Call inside of `oneStep`.
 */
export function replaceEncoder(old, type, names) {
  const { graph } = old;
  const made = window.LiteGraph.createNode(type);
  graph.add(made);
  made.pos = [...old.pos];
  made.size = [Math.max(old.size[0], made.size[0]), Math.max(old.size[1], made.size[1])];
  for (const key of ["color", "bgcolor"]) if (old[key]) made[key] = old[key];
  old.inputs?.forEach((input, slot) => input.link != null && copyLink(old, made, slot, names[input.name]));
  const output = made.outputs.findIndex((one) => one.type === "CONDITIONING");
  for (const id of [...(old.outputs.find((one) => one.type === "CONDITIONING")?.links ?? [])]) {
    const link = graph.getLink?.(id) ?? graph.links[id];
    const target = link && graph.getNodeById(link.target_id);
    if (target) join(made, output, target, link.target_slot);
    else if (link) join(graph.outputNode?.slots?.[link.target_slot], made.outputs[output], made);
  }
  graph.remove(old);
  return made;
}

/** The first place below `model` where a node of its size lies on no other. */
function freePlace(model) {
  const [left, width, height] = [model.pos[0], model.size[0], model.size[1] + GAP];
  let top = model.pos[1] + height;
  const others = [...(model.graph.nodes ?? [])].sort((one, other) => one.pos[1] - other.pos[1]);
  for (const { pos, size } of others) {
    const isBeside = pos[0] > left + width || pos[0] + size[0] < left;
    if (!isBeside && pos[1] - GAP < top + height && pos[1] + size[1] > top) top = pos[1] + size[1] + GAP;
  }
  return [left, top];
}

const TITLE = 30;

/** Height with the title; the Vue renderer's is known only from the page. */
const heightOf = ({ id, size }) =>
  (window.LiteGraph.vueNodesMode && document.querySelector(`[data-node-id="${id}"]`)?.offsetHeight) || size[1] + TITLE;

/** Move down what nodes that have grown now cover. Call inside of a step. */
export function makeRoom(grown) {
  for (const graph of new Set(grown.map((node) => node.graph).filter(Boolean))) {
    const boxes = graph.nodes.map((node) => ({
      id: node.id, left: node.pos[0], top: node.pos[1] - TITLE, width: node.size[0], height: heightOf(node),
    }));
    const ids = grown.filter((node) => node.graph === graph).map(({ id }) => id);
    for (const [id, top] of pushedDown(boxes, ids, GAP - TITLE)) {
      const node = graph.getNodeById(id);
      node.pos = [node.pos[0], top + TITLE];
    }
  }
}

/** Run `write`, which sets texts of `nodes`, and move down what they cover if they grew at once. */
export function writeWithRoom(nodes, write) {
  const heights = nodes.map(heightOf);
  write();
  makeRoom(nodes.filter((node, index) => heightOf(node) > heights[index]));
}
