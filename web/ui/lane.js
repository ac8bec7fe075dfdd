// One lane of the timeline: a row for each phrase, drawn from the text, and the places where it cannot be read.
import { say } from "../host.js";
import { barsOf, isNeverLive, stepsOf } from "../lib/bars.js";
import { make } from "./style.js";

const FULL_HEIGHT = 20;
const LEAST_HEIGHT = 6;
const AROUND = 12; // characters shown beside a malformed bracket
const MOST_ROWS = 400;
const MOST_PROBLEMS = 20;

/** An empty lane; `draw` fills it. */
export function makeLane(side) {
  const element = make("div", "negopt-lane");
  element.dataset.side = side;
  const rows = make("div", "negopt-rows");
  rows.setAttribute("role", "group");
  rows.setAttribute("aria-label", say(`lane-${side}`));
  const problems = make("div");
  element.append(rows, problems);
  return { side, element, rows, problems, bars: [], text: null };
}

/** Draw a lane from its text; bars that are there already are changed in place, so that focus and a drag survive. */
export function drawLane(lane, { text, steps, percents, isLocked, isReadOnly, onProblem }) {
  const read = barsOf(text);
  lane.text = text;
  lane.bars = read.bars.slice(0, MOST_ROWS);
  const tick = `${100 / steps}%`;
  if (lane.rows.style.getPropertyValue("--negopt-tick") !== tick) lane.rows.style.setProperty("--negopt-tick", tick);
  while (lane.rows.children.length > lane.bars.length) lane.rows.lastChild.remove();
  while (lane.rows.children.length < lane.bars.length) lane.rows.append(makeRow());
  lane.bars.forEach((bar, index) => {
    drawBar(lane.rows.children[index].firstChild, bar, { steps, percents, isFixed: isReadOnly || isLocked(bar) });
  });
  const hidden = read.bars.length - lane.bars.length;
  if (!hidden && !read.problems.length && !lane.problems.childElementCount) return;
  lane.problems.replaceChildren(
    ...(hidden > 0 ? [make("div", "negopt-empty", say("more-phrases", { count: hidden }))] : []),
    ...read.problems.slice(0, MOST_PROBLEMS).map((problem) => problemLine(text, problem, onProblem)),
  );
}

function makeRow() {
  const row = make("div", "negopt-row");
  const bar = make("div", "negopt-bar");
  bar.tabIndex = 0;
  bar.setAttribute("role", "slider");
  for (const edge of ["start", "end"]) {
    const handle = make("span", "negopt-edge");
    handle.dataset.edge = edge;
    bar.append(handle);
  }
  row.append(bar, make("span", "negopt-label"));
  return row;
}

/** What each bar shows, so that a drag over fifty of them writes only to the one that changes. */
const drawn = new WeakMap();

function drawBar(element, bar, { steps, percents, isFixed }) {
  const shown = `${bar.label} ${bar.weight} ${bar.start} ${bar.end} ${steps} ${isFixed} ${percents}`;
  if (drawn.get(element) === shown) return;
  drawn.set(element, shown);
  const { first, stop } = stepsOf(bar, steps);
  const isNever = isNeverLive(bar, steps);
  const left = (100 * (isNever ? bar.start * steps : first)) / steps;
  element.style.left = `${left}%`;
  element.style.width = `${(100 * Math.max(stop - first, 0)) / steps}%`;
  element.style.height = `${heightOf(bar.weight)}px`;
  element.dataset.never = String(isNever);
  element.setAttribute("aria-readonly", String(isFixed));
  const weight = bar.weight === 1 ? "" : ` ×${bar.weight}`;
  const label = element.nextSibling;
  label.replaceChildren(...(isFixed ? [make("i", "pi pi-lock")] : []), `${bar.label}${weight}`);
  label.style.left = `calc(${Math.min(left, 70)}% + 8px)`;
  const values = { words: bar.label, first, last: stop - 1, steps, weight: bar.weight };
  const range = percents && !isNever ? say("bar-percent", { from: percents[first], to: percents[stop] }) : "";
  const told = say(isNever ? "bar-never" : "bar-says", values) + range;
  element.title = told;
  element.setAttribute("aria-label", bar.label);
  element.setAttribute("aria-valuetext", told);
  element.setAttribute("aria-valuenow", String(first));
  element.setAttribute("aria-valuemax", String(steps));
}

/** Weight 1 is half of the row, 2 and more all of it. */
function heightOf(weight) {
  return Math.round(LEAST_HEIGHT + (FULL_HEIGHT - LEAST_HEIGHT) * Math.min(1, weight / 2 + (weight > 0 ? 0.15 : 0)));
}

/** The malformed bracket, marked in the text around it; a click selects it where it can be edited. */
function problemLine(text, problem, onProblem) {
  const line = make("button", "negopt-problem");
  line.type = "button";
  const to = Math.min(problem.to, problem.from + 40);
  line.append(
    make("span", "", (problem.from > AROUND ? "…" : "") + text.slice(Math.max(0, problem.from - AROUND), problem.from)),
    make("mark", "", text.slice(problem.from, to)),
    make("span", "", `${text.slice(to, to + AROUND)}  ${say("taken-literally", { place: problem.from, rule: problem.rule })}`),
  );
  line.addEventListener("click", () => onProblem(problem));
  return line;
}
