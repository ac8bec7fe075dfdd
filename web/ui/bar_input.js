// Pointer, wheel and keys on the bars of a lane. Nothing here knows the text: every change goes through `edit`.
import { clampWeight, moved, stretched } from "../lib/bars.js";

const WEIGHT_STEP = 0.05;
const PIXELS_PER_WEIGHT = 60; // drag this far up for one more of weight
const DECIDED_AT = 4; // pixels before a drag of the body is taken as sideways or as up and down

/**
 * Listen on a lane. `edit(index, change, isDone)` changes a bar; `steps()` is the run's; `isFixed(index)` bars do
 * nothing; `toggleLock(index)` locks one.
 */
export function listen(lane, actions) {
  const { rows } = lane;
  rows.addEventListener("pointerdown", (event) => startDrag(event, lane, actions));
  rows.addEventListener("wheel", (event) => onWheel(event, rows, actions), { passive: false });
  rows.addEventListener("keydown", (event) => onKey(event, lane, actions));
  // ComfyUI's canvas must not see what a bar has answered
  for (const kind of ["contextmenu", "dblclick"]) rows.addEventListener(kind, (event) => event.stopPropagation());
}

const indexOf = (rows, target) => [...rows.children].indexOf(target.closest(".negopt-row"));

function startDrag(event, lane, actions) {
  const element = event.target.closest?.(".negopt-bar");
  if (!element || event.button !== 0) return;
  event.stopPropagation();
  element.focus({ preventScroll: true });
  const index = indexOf(lane.rows, element);
  if (actions.isFixed(index)) return;
  event.preventDefault();
  element.setPointerCapture?.(event.pointerId);
  const drag = {
    element,
    index,
    bar: { ...lane.bars[index] },
    edge: event.target.dataset?.edge,
    axis: event.target.dataset?.edge ? "x" : null,
    from: [event.clientX, event.clientY],
    // the canvas may be zoomed: what a pixel is worth is read off the screen
    box: lane.rows.getBoundingClientRect(),
    last: null,
    frame: 0,
  };
  follow(drag, actions);
}

function follow(drag, actions) {
  const onMove = (event) => {
    event.stopPropagation();
    drag.at = [event.clientX, event.clientY];
    drag.frame ||= requestAnimationFrame(() => {
      drag.frame = 0;
      apply(drag, actions, false);
    });
  };
  const onEnd = (event) => {
    event.stopPropagation();
    cancelAnimationFrame(drag.frame);
    drag.element.removeEventListener("pointermove", onMove);
    drag.element.removeEventListener("pointerup", onEnd);
    drag.element.removeEventListener("pointercancel", onEnd);
    if (event.type === "pointerup" && drag.at) drag.at = [event.clientX, event.clientY];
    apply(drag, actions, true);
  };
  drag.element.addEventListener("pointermove", onMove);
  drag.element.addEventListener("pointerup", onEnd);
  drag.element.addEventListener("pointercancel", onEnd);
}

function apply(drag, actions, isDone) {
  const change = drag.at ? changeOf(drag, actions.steps()) : null;
  if (change) drag.last = change;
  if (drag.last) actions.edit(drag.index, drag.last, isDone);
}

function changeOf(drag, steps) {
  const [x, y] = [drag.at[0] - drag.from[0], drag.at[1] - drag.from[1]];
  if (!drag.axis && Math.hypot(x, y) < DECIDED_AT) return null;
  drag.axis ??= Math.abs(x) >= Math.abs(y) ? "x" : "y";
  if (drag.axis === "y") {
    const scale = drag.box.width / (drag.element.offsetParent?.offsetWidth || drag.box.width);
    return { weight: onGrid(drag.bar.weight - y / scale / PIXELS_PER_WEIGHT) };
  }
  const by = (x / drag.box.width) * steps;
  return drag.edge ? stretched(drag.bar, drag.edge, by, steps) : moved(drag.bar, by, steps);
}

const onGrid = (weight) => clampWeight(Math.round(weight / WEIGHT_STEP) * WEIGHT_STEP);

/** The wheel changes the weight of the bar that has the focus; over any other it scrolls. */
function onWheel(event, rows, actions) {
  const element = event.target.closest?.(".negopt-bar");
  if (!element || element !== document.activeElement) return;
  event.preventDefault();
  event.stopPropagation();
  const index = indexOf(rows, element);
  if (!actions.isFixed(index)) actions.nudge(index, event.deltaY < 0 ? WEIGHT_STEP : -WEIGHT_STEP);
}

function onKey(event, lane, actions) {
  const element = event.target.closest?.(".negopt-bar");
  if (!element || event.ctrlKey || event.metaKey) return;
  const index = indexOf(lane.rows, element);
  const bar = lane.bars[index];
  if (!bar) return;
  if (event.key === "l" || event.key === "L") return done(event, () => actions.toggleLock(index));
  const change = keyChange(event, bar, actions.steps());
  if (!change) return;
  done(event, () => {
    if (!actions.isFixed(index)) actions.edit(index, change, true);
  });
}

function done(event, act) {
  event.preventDefault();
  event.stopPropagation(); // Delete, arrows and letters mean something to the canvas
  act();
}

/** Arrows move, with Shift the end, with Alt the start; up and down weigh; Home and End reach for the run's ends. */
function keyChange(event, bar, steps) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by) {
    if (event.shiftKey) return stretched(bar, "end", by, steps);
    return event.altKey ? stretched(bar, "start", by, steps) : moved(bar, by, steps);
  }
  const weigh = { ArrowUp: WEIGHT_STEP, ArrowDown: -WEIGHT_STEP }[event.key];
  if (weigh) return { weight: onGrid(bar.weight + weigh) };
  if (event.key === "Home") return { start: 0 };
  if (event.key === "End") return { end: 1 };
  return null;
}
