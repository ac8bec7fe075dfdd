// The few things asked of ComfyUI's page: its app, our routes, notices, one undo step, texts in the user's language.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { ENGLISH } from "./lib/texts.js";

export { app, api };

const ROUTES = "/negopt/v1";
let texts = ENGLISH;

/** Load our texts in the page's language; English stands in for what is missing. */
export async function loadTexts() {
  const language = setting("Comfy.Locale") ?? "en";
  if (language === "en") return; // nothing to wait for
  try {
    const answer = await api.fetchApi("/i18n");
    texts = { ...ENGLISH, ...((await answer.json())[language]?.negopt ?? {}) };
  } catch {
    texts = ENGLISH;
  }
}

/** A text by its key, with `{name}` replaced. */
export function say(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** A setting's value; undefined where this page does not know it. */
export function setting(id) {
  try {
    return app.extensionManager?.setting?.get(id);
  } catch {
    return undefined;
  }
}

/** A notice in the corner of the page. It shows plain text: nothing in it is read as HTML. */
export function notify(severity, detail) {
  const life = severity === "error" ? 12000 : 7000;
  app.extensionManager?.toast?.add({ severity, summary: "negopt", detail, life });
}

/** Ask one of our routes; throws an Error in words, also when the server is gone. A Blob is sent as it is. */
export async function ask(path, body) {
  const isFile = body instanceof Blob;
  const options = body && {
    method: "POST",
    headers: { "Content-Type": isFile ? "application/zip" : "application/json" },
    body: isFile ? body : JSON.stringify(body),
  };
  let answer, told;
  try {
    answer = await api.fetchApi(ROUTES + path, options);
    told = await answer.json();
  } catch {
    throw new Error(say(answer ? "answer-unreadable" : "server-gone"));
  }
  if (!answer.ok) throw new Error(told?.error?.message ?? say("answer-unreadable"));
  return told;
}

/** Change the graph so that one undo takes all of it back. */
export function oneStep(change) {
  capture(); // what was changed before is a step of its own
  try {
    return change();
  } finally {
    redraw();
    capture();
  }
}

const tracker = () => app.extensionManager?.workflow?.activeWorkflow?.changeTracker;

/** Make what has changed since the last step an undo step. */
function capture() {
  const now = tracker();
  return now?.captureCanvasState ? now.captureCanvasState() : now?.checkState?.();
}

/** As `oneStep`; then `settle`, once nodes that are new have the heights that the page gives them: the same step. */
export async function oneStepOnPage(change, settle) {
  oneStep(change);
  const step = tracker();
  await settled();
  if (tracker() !== step) return; // another workflow is open
  settle();
  redraw();
  fold(step);
  api.addEventListener("promptQueueing", keepHeights, { once: true });
}

/** Add what has changed to the step before, as ComfyUI itself does shortly after a step. */
function fold(step) {
  if (step?.squashState) return step.squashState();
  if (step?.activeState) step.activeState = JSON.parse(JSON.stringify(rootGraph().serialize()));
}

/** Heights that the page gave new nodes late are no step of their own, which queueing would make of them. */
function keepHeights() {
  const step = tracker();
  if (!step?.activeState) return;
  const now = JSON.parse(JSON.stringify(rootGraph().serialize()));
  if (withoutSizes(step.activeState) === withoutSizes(now)) step.activeState = now;
}

const NO_CHANGE = ["size", "ds"]; // of a node; where the canvas stands

const withoutSizes = (state) => JSON.stringify(state, (key, value) => (NO_CHANGE.includes(key) ? undefined : value));

/** Nodes have had the same heights for some frames: on a slow machine the page measures new ones late. */
async function settled() {
  let before = "";
  for (let frame = 0, same = 0; same < SETTLED_AFTER && frame < LATEST; frame += 1) {
    await new Promise(requestAnimationFrame);
    const now = rootGraph().nodes.map((node) => node.size.join()).join(" ");
    same = now === before ? same + 1 : 0;
    before = now;
  }
}

const SETTLED_AFTER = 12; // frames
const LATEST = 90; // frames
const REDRAWS = 4;

/** Draw the canvas now and in the next frames: the text fields of a new node find their place a frame or two after it. */
function redraw(left = REDRAWS) {
  app.canvas?.setDirty(true, true);
  if (left) requestAnimationFrame(() => redraw(left - 1));
}

/** Set a widget as if the user had typed: callbacks run, the node is drawn again. */
export function setWidget(node, name, value) {
  const widget = node.widgets?.find((one) => one.name === name);
  if (!widget) return;
  widget.value = value;
  widget.callback?.(value, app.canvas, node);
  node.setDirtyCanvas?.(true, true);
}

/** Make a node as tall as its widgets need, which have changed; the Vue renderer does that itself. */
export function grow(node) {
  if (window.LiteGraph.vueNodesMode || !node.computeSize) return;
  const least = node.computeSize()[1];
  if (least > node.size[1]) node.setSize([node.size[0], least]);
  redraw();
}

export const rootGraph = () => app.rootGraph ?? app.graph?.rootGraph ?? app.graph;

/** ComfyUI's execution id of a live node, such as "12:5" inside of subgraph 12; null if it is in no graph. */
export function keyOf(node, graph = rootGraph(), path = []) {
  if (graph.getNodeById?.(node.id) === node) return [...path, node.id].join(":");
  for (const one of graph.nodes ?? []) {
    if (!one.isSubgraphNode?.()) continue;
    const key = keyOf(node, one.subgraph, [...path, one.id]);
    if (key) return key;
  }
  return null;
}

/** The live node of an execution id, or null; for "12#text" the subgraph node that shows the widget. */
export function nodeAt(key) {
  const path = String(key).split("#")[0].split(":");
  const last = path.pop();
  let graph = rootGraph();
  for (const id of path) graph = nodeIn(graph, id)?.subgraph;
  return nodeIn(graph, last);
}

const nodeIn = (graph, id) => graph?.getNodeById?.(Number(id)) ?? graph?.getNodeById?.(id) ?? null;
