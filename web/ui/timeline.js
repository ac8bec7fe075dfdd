// Lanes of bars under the scheduled texts of our nodes. The texts are the truth; the bars follow them.
import { app, grow, keyOf, nodeAt, oneStep, say, setWidget } from "../host.js";
import { changeBar, clampWeight, isPlain as isPlainBar } from "../lib/bars.js";
import { hookOf, runOf } from "../lib/runs.js";
import { samplersFedBy } from "../lib/trace.js";
import { listen } from "./bar_input.js";
import { drawLane, makeLane } from "./lane.js";
import { drawHookLines, mayHaveWindows } from "./hook_lines.js";
import { keepLess } from "./less.js";
import { attach, keepLooking } from "./looking.js";
import { flatNow } from "./one_click.js";
import { make } from "./style.js";
import { isWriter, widgetOf } from "./writers.js";

/** Node -> side -> the widget with its text. Only NegOptTimeline shows lanes of plain words too. */
const WRITTEN = { positive: "locked_positive", negative: "locked_negative" };
const LANES = {
  NegOptTimeline: { positive: "df_text", negative: "df_negative" },
  NegOptEncode: { positive: "df_text" },
  NegOptSuggest: WRITTEN,
  NegOptOneClick: WRITTEN,
};
const MAIN = "NegOptTimeline";
const HOOKED = "NegOptEncode"; // what needs a hook before its samplers
const LOCKS = "negopt_locked";
const LOOK_EVERY = 300; // ms
const TRACE_EVERY = 7; // looks between two readings of the graph for the sampler's steps
const [HOOK_HEIGHT, MOST_HOOKS] = [44, 4]; // of one line about a hook with its button, and how many of them are seen at once
const WRITER_HEIGHT = 130; // beside four text fields and a review: what fits on a screen of 900 px
const [LEAST_HEIGHT, MOST_HEIGHT, SMALL_HEIGHT, HEAD_HEIGHT, FRAME_HEIGHT, ROW_HEIGHT] = [120, 320, 284, 18, 46, 22];

/** Give a node with scheduled texts its bars. */
export function addTimeline(node) {
  const kind = node.comfyClass;
  if (!LANES[kind] || !node.addDOMWidget) return;
  const root = make("div", "negopt-timeline");
  root.style.maxHeight = `${limitOf(kind) + (kind === HOOKED ? MOST_HOOKS * HOOK_HEIGHT : 0)}px`; // past it the lanes scroll
  const head = make("div", "negopt-head");
  const [left, right] = [make("span"), make("span", "", kind === MAIN ? say("timeline-hint") : "")];
  head.append(left, right);
  const hooks = make("div", "negopt-hooks");
  const state = { node, kind, root, head, left, hooks, headHeight: HEAD_HEIGHT, lanes: [], steps: 0, sampler: null, looks: 0 };
  state.lanes = Object.keys(LANES[kind]).map((side) => laneOf(state, side));
  root.append(head, ...state.lanes.map((lane) => lane.element), hooks);
  const widget = node.addDOMWidget("timeline", "negopt_timeline", root, {
    serialize: false,
    hideOnZoom: false,
    margin: 8,
    getMinHeight: () => heightOf(state),
    ...(kind === MAIN ? {} : { getMaxHeight: () => heightOf(state) }),
  });
  widget.serialize = false;
  for (const side of Object.keys(LANES[kind])) follow(state, side);
  state.lanes.forEach((lane) => draw(state, lane));
  keepLooking(state, () => look(state), LOOK_EVERY);
}

/** Draw at once when a text is set: a node that grew later would be an undo step of its own. */
function follow(state, side) {
  const widget = widgetOf(state.node, nameOf(state, side));
  if (!widget) return;
  const before = widget.callback;
  widget.callback = function () {
    const told = before?.apply(this, arguments);
    // the first window of an encoder brings lines about its hooks; while a bar is dragged nothing of that changes
    if (state.kind === HOOKED && mayHaveWindows(state.node) !== state.hasWindows) trace(state);
    refresh(state);
    return told;
  };
}

/** The most that the bars of a node of this kind take. */
const limitOf = (kind) => (kind === MAIN ? MOST_HEIGHT : kind === HOOKED ? SMALL_HEIGHT : WRITER_HEIGHT);

/** Room for every row, up to a limit; past it the lanes scroll. */
function heightOf({ kind, lanes, root, hooks, headHeight }) {
  if (root.hidden) return 0;
  const shown = lanes.filter((lane) => !lane.element.hidden);
  const rows = shown.reduce((sum, lane) => sum + lane.bars.length + 2 * lane.problems.children.length, 0);
  const least = kind === MAIN ? LEAST_HEIGHT : 0;
  return Math.min(limitOf(kind), Math.max(least, headHeight + FRAME_HEIGHT + rows * ROW_HEIGHT)) + hooks.childElementCount * HOOK_HEIGHT;
}

/** Beside NegOptTimeline, bars are shown only where there is a window or a weight to show. */
function hideIfEmpty(state) {
  const isEmpty = state.kind !== MAIN && !state.hooks.childElementCount && state.lanes.every((lane) => lane.element.hidden);
  if (state.root.hidden !== isEmpty) state.root.hidden = isEmpty;
}

function laneOf(state, side) {
  const lane = makeLane(side);
  listen(lane, {
    steps: () => state.steps || 1,
    isFixed: (index) => isLinked(state, side) || isLocked(state.node, lane.bars[index]),
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
  const widget = widgetOf(state.node, nameOf(state, lane.side));
  if (!bar || !widget) return;
  const text = changeBar(lane.text, bar, change);
  const write = () => {
    widget.value = text;
    widget.callback?.(text, app.canvas, state.node);
    // what a person has changed is not written over by the next run
    if (isWriter(state.node)) setWidget(state.node, "locked", true);
  };
  // while a bar is dragged only its own picture follows; one undo step is made when it is let go
  if (isDone) commit(write);
  else write();
  if (lane.text !== text) draw(state, lane); // else the widget's callback has drawn it
}

/** `oneStep` captures before and after; before, there must be nothing of the drag, so only the end is captured. */
function commit(write) {
  write();
  const tracker = app.extensionManager?.workflow?.activeWorkflow?.changeTracker;
  (tracker?.captureCanvasState ?? tracker?.checkState)?.call(tracker);
}

const nameOf = ({ kind }, side) => LANES[kind][side];

const isLinked = ({ node, kind }, side) =>
  node.inputs?.some((input) => input.name === LANES[kind][side] && input.link != null) ?? false;

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
  const name = nameOf(state, lane.side);
  const text = String(widgetOf(node, name)?.value ?? "");
  drawLane(lane, {
    text,
    steps: state.steps || 1,
    isLocked: (bar) => isLocked(node, bar),
    isReadOnly: isLinked(state, lane.side),
    percents: state.percents,
    onProblem: (problem) => selectText(widgetOf(node, name), problem),
  });
  const isPlain = !lane.problems.childElementCount && lane.bars.every((bar) => isPlainBar(bar));
  lane.element.hidden = state.kind === MAIN ? lane.side === "negative" && !text && !isLinked(state, "negative") : isPlain;
  hideIfEmpty(state);
}

/** Show where in the text a bracket stands. */
function selectText(widget, { from, to }) {
  const area = widget?.inputEl ?? widget?.element;
  const shown = area?.isConnected ? area : null;
  shown?.focus();
  shown?.setSelectionRange?.(from, to);
}

function look(state) {
  if (state.looks % TRACE_EVERY === 0) trace(state);
  if (state.kind === HOOKED) keepLess(state.node); // the others have a review, which looks too
  state.looks += 1;
  refresh(state);
}

function refresh(state) {
  const own = Number(widgetOf(state.node, "steps")?.value) || 1;
  const steps = Math.max(1, state.sampler ?? own);
  const drawnFor = `${steps} ${state.percents}`;
  const isNew = drawnFor !== state.drawnFor;
  Object.assign(state, { steps, drawnFor });
  for (const lane of state.lanes) {
    if (!isNew && String(widgetOf(state.node, nameOf(state, lane.side))?.value ?? "") === lane.text) continue;
    draw(state, lane);
  }
  tellSteps(state);
  const needed = heightOf(state);
  if (needed !== state.needed) grow(state.node); // measuring a node is the dearest part of a drag
  state.needed = needed;
}

/** The line over the lanes; a long one takes two or three lines, which is measured only when it changes. */
function tellSteps(state) {
  const told = say(stepsKey(state), { steps: state.steps });
  if (state.left.textContent === told && state.isMeasured) return;
  state.left.textContent = told;
  state.left.title = told;
  state.isMeasured = state.head.offsetHeight > 0; // 0 while the node is not on the page
  state.headHeight = Math.max(HEAD_HEIGHT, state.head.offsetHeight);
}

function stepsKey({ sampler, percents }) {
  if (!sampler) return "steps-of-node";
  return percents ? "steps-with-percent" : "steps-of-sampler";
}

/**
 * The first sampler that the node's texts reach: its steps, if it says; the side that a single lane is on; and what each
 * step was in ComfyUI's percent when it last ran, which only a run can tell.
 */
function trace(state) {
  const key = keyOf(state.node);
  const flat = key ? flatNow() : new Map();
  const fed = key ? samplersFedBy(flat, key) : [];
  const { sampler, side } = fed.find((one) => runOf(flat, one.sampler).steps) ?? fed[0] ?? {};
  state.sampler = (sampler && runOf(flat, sampler).steps) || null;
  const hook = sampler && hookOf(flat, sampler);
  const percents = hook && nodeAt(hook)?.negoptPercents;
  state.percents = percents?.length === state.sampler + 1 ? percents : null;
  if (side && state.lanes.length === 1) state.lanes[0].element.dataset.side = side;
  if (state.kind !== HOOKED) return;
  state.hasWindows = mayHaveWindows(state.node);
  if (drawHookLines(state.hooks, state.node, flat, key)) hideIfEmpty(state);
}

/** The server tells what the steps of a run were; kept on the live node that hooks the model, never saved. */
export function keepPercents({ detail }) {
  const node = nodeAt(detail?.node);
  if (node && Array.isArray(detail.percents)) node.negoptPercents = detail.percents;
}
