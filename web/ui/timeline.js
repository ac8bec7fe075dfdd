// The timeline of NegOptTimeline: two lanes of bars under the texts. The texts are the truth; the bars follow them.
import { app, grow, keyOf, nodeAt, oneStep, say } from "../host.js";
import { changeBar, clampWeight } from "../lib/bars.js";
import { runOf, samplersFedBy } from "../lib/trace.js";
import { listen } from "./bar_input.js";
import { drawLane, makeLane } from "./lane.js";
import { flatNow } from "./one_click.js";
import { make } from "./style.js";
import { widgetOf } from "./writers.js";

const NODE = "NegOptTimeline";
const LANES = { positive: "df_text", negative: "df_negative" };
const LOCKS = "negopt_locked";
const LOOK_EVERY = 300; // ms; texts also change where no callback tells: undo, load, another tab
const TRACE_EVERY = 7; // looks between two readings of the graph for the sampler's steps
const [LEAST_HEIGHT, MOST_HEIGHT, ROW_HEIGHT] = [120, 320, 22];

/** Give a timeline node its bars. */
export function addTimeline(node) {
  if (node.comfyClass !== NODE || !node.addDOMWidget) return;
  const root = make("div", "negopt-timeline");
  const head = make("div", "negopt-head");
  const [left, right] = [make("span"), make("span", "", say("timeline-hint"))];
  head.append(left, right);
  const state = { node, root, left, lanes: [], steps: 0, sampler: null, looks: 0 };
  state.lanes = Object.keys(LANES).map((side) => laneOf(state, side));
  root.append(head, ...state.lanes.map((lane) => lane.element));
  const widget = node.addDOMWidget("timeline", "negopt_timeline", root, {
    serialize: false,
    hideOnZoom: false,
    margin: 8,
    getMinHeight: () => heightOf(state),
  });
  widget.serialize = false;
  keepLooking(state);
}

/** Room for every row, up to a limit; past it the lanes scroll. */
function heightOf({ lanes }) {
  const rows = lanes.reduce((sum, lane) => sum + lane.bars.length + 2 * lane.problems.children.length, 2);
  return Math.min(MOST_HEIGHT, Math.max(LEAST_HEIGHT, rows * ROW_HEIGHT));
}

function laneOf(state, side) {
  const lane = makeLane(side);
  listen(lane, {
    steps: () => state.steps || 1,
    isFixed: (index) => isLinked(state.node, side) || isLocked(state.node, lane.bars[index]),
    edit: (index, change, isDone) => edit(state, lane, { index, change, isDone }),
    nudge: (index, by) => {
      const weight = clampWeight(lane.bars[index].weight + by);
      edit(state, lane, { index, change: { weight }, isDone: true });
    },
    toggleLock: (index) => toggleLock(state, lane.bars[index]),
  });
  return lane;
}

function edit(state, lane, { index, change, isDone }) {
  attach(state);
  const bar = lane.bars[index];
  const widget = widgetOf(state.node, LANES[lane.side]);
  if (!bar || !widget) return;
  const text = changeBar(lane.text, bar, change);
  const write = () => {
    widget.value = text;
    widget.callback?.(text, app.canvas, state.node);
  };
  // while a bar is dragged only its own picture follows; one undo step is made when it is let go
  if (isDone) commit(write);
  else write();
  draw(state, lane);
}

/** `oneStep` captures before and after; before, there must be nothing of the drag, so only the end is captured. */
function commit(write) {
  write();
  const tracker = app.extensionManager?.workflow?.activeWorkflow?.changeTracker;
  (tracker?.captureCanvasState ?? tracker?.checkState)?.call(tracker);
}

const isLinked = (node, side) => node.inputs?.some((input) => input.name === LANES[side] && input.link != null) ?? false;

const isLocked = (node, bar) => Boolean(bar && node.properties?.[LOCKS]?.includes(bar.label));

function toggleLock(state, bar) {
  attach(state);
  oneStep(() => {
    const locks = new Set(state.node.properties?.[LOCKS] ?? []);
    if (!locks.delete(bar.label)) locks.add(bar.label);
    state.node.properties[LOCKS] = [...locks];
  });
  state.lanes.forEach((lane) => draw(state, lane));
}

function draw(state, lane) {
  const { node } = state;
  const name = LANES[lane.side];
  const text = String(widgetOf(node, name)?.value ?? "");
  drawLane(lane, {
    text,
    steps: state.steps || 1,
    isLocked: (bar) => isLocked(node, bar),
    isReadOnly: isLinked(node, lane.side),
    onProblem: (problem) => selectText(widgetOf(node, name), problem),
  });
  lane.element.hidden = lane.side === "negative" && !text && !isLinked(node, "negative");
}

/** Show where in the text a bracket stands. */
function selectText(widget, { from, to }) {
  const area = widget?.inputEl ?? widget?.element;
  const shown = area?.isConnected ? area : null;
  shown?.focus();
  shown?.setSelectionRange?.(from, to);
}

function keepLooking(state) {
  const look = () => {
    if (!state.root.isConnected) return state.isRemoved && clearInterval(timer);
    attach(state);
    if (state.looks % TRACE_EVERY === 0) state.sampler = sampledSteps(state.node);
    state.looks += 1;
    refresh(state);
  };
  const timer = setInterval(look, LOOK_EVERY);
  const before = state.node.onRemoved;
  state.node.onRemoved = function () {
    state.isRemoved = true;
    return before?.apply(this, arguments);
  };
}

/** Undo and load make new node objects, and the Vue renderer keeps showing this element for the new one. */
function attach(state) {
  const key = keyOf(state.node);
  if (key) state.key = key;
  const now = !key && state.key ? nodeAt(state.key) : null;
  if (now?.comfyClass === NODE) state.node = now;
}

function refresh(state) {
  const own = Number(widgetOf(state.node, "steps")?.value) || 1;
  const steps = Math.max(1, state.sampler ?? own);
  const isNew = steps !== state.steps;
  state.steps = steps;
  for (const lane of state.lanes) {
    if (!isNew && String(widgetOf(state.node, LANES[lane.side])?.value ?? "") === lane.text) continue;
    draw(state, lane);
    grow(state.node);
  }
  const told = say(state.sampler ? "steps-of-sampler" : "steps-of-node", { steps });
  if (state.left.textContent !== told) state.left.textContent = told;
}

/** Steps of the first sampler that the node's texts reach; null if none does or it does not say. */
function sampledSteps(node) {
  const key = keyOf(node);
  if (!key) return null;
  const flat = flatNow();
  for (const { sampler } of samplersFedBy(flat, key)) {
    const { steps } = runOf(flat, sampler);
    if (steps) return steps;
  }
  return null;
}
