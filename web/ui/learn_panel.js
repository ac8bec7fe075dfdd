// The panel of "audit this negative" and "tune on this checkpoint": what is asked before a run, and the run itself.
import { ask, keyOf, nodeAt, notify, say } from "../host.js";
import { linesOf } from "../lib/learn_show.js";
import { shownPhrases, subjectOf } from "../lib/learn.js";
import { confirm } from "./dialog.js";
import { readText } from "./fields.js";
import { LearnRun } from "./learn_run.js";
import { bars, clickable, outcome, progressLine, wall } from "./learn_show.js";
import { flatNow, isSure } from "./one_click.js";
import { button, guarded, make } from "./style.js";

const BUDGETS = { audit: { value: 128, min: 32 }, tune: { value: 256, min: 64 } };
const FEW = 20; // prompts, below which the result is of these prompts
const CLICKS = "clicks"; // nodes/learn_read.py
const MODES = [["negative", "writes-negative"], ["modifiers", "writes-modifiers"], ["negative,modifiers", "writes-both"]];
const TITLES = { audit: "learn-title-audit", tune: "learn-title-tune" };

let panel = null; // the open panel, its run with it
let form = null; // what the setup shows: fields by name

/** Open the panel for a node that holds a prompt, or for the first prompt of the graph. */
export const openAudit = (node) => guarded(() => open("audit", node), notify);
export const openTune = (node) => guarded(() => open("tune", node), notify);

async function open(kind, node) {
  if (panel?.run && !panel.run.isPaused) {
    show(); // a run is going on: that one first
    return notify("info", say("learn-one-at-a-time"));
  }
  const { flat, subject } = readSubject(node?.widgets ? keyOf(node) : null);
  if (!(await isSure(subject.doubts))) return;
  panel?.root.remove();
  const root = make("div", "negopt-panel negopt-learn");
  root.addEventListener("keydown", (event) => event.stopPropagation()); // keys of its fields are not the canvas's
  panel = { root, kind, flat, subject, run: null, body: make("div", "negopt-learn-body") };
  const head = make("div", "negopt-head");
  head.append(make("h3", "", say(TITLES[kind])), button("×", close, say("learn-close")));
  root.append(head, panel.body);
  document.body.append(root);
  const [{ judges }, { runs }] = await Promise.all([
    ask(`/learn/judges?family=${encodeURIComponent(subject.family)}`),
    ask("/learn/runs"),
  ]);
  setup(judges, runs);
}

function readSubject(key) {
  const flat = flatNow();
  const subject = subjectOf(flat, key);
  if (subject.fault) throw new Error(say(subject.fault, subject.values));
  if (!readText(subject.negative.read).trim()) throw new Error(say("learn-no-negative"));
  return { flat, subject };
}

/** Hide the panel; a run goes on, and its panel comes back with the menu entry. */
function close() {
  if (panel.run && !panel.run.isPaused) panel.root.hidden = true;
  else {
    panel.root.remove();
    panel = null;
  }
}

function show() {
  panel.root.hidden = false;
}

const labelled = (key, field, values) => {
  const label = make("label", "negopt-learn-row");
  label.append(make("span", "", say(key, values)), field);
  return label;
};

/** What is asked before a run. */
function setup(judges, runs) {
  const { kind, subject } = panel;
  const phrases = make("div", "negopt-phrases");
  for (const words of shownPhrases(readText(subject.negative.read), subject.negativeNotation)) {
    const chip = make("span", "negopt-chip");
    chip.dataset.side = "negative";
    chip.append(make("span", "", words));
    phrases.append(chip);
  }
  const prompts = make("textarea", "negopt-field");
  Object.assign(prompts, { rows: 5, value: readText(subject.positive.read).replace(/\s+/g, " ").trim() });
  const pictures = make("input", "negopt-field");
  Object.assign(pictures, { type: "number", step: 16, max: 20000, ...BUDGETS[kind] });
  const judge = menu(judges.map((name) => [name, name === CLICKS ? say("learn-judge-clicks") : name]));
  const mode = menu(MODES.map(([value, key]) => [value, say(key)]));
  form = { prompts, pictures, judge, mode };
  const few = make("div", "negopt-about");
  const count = () => {
    const now = linesOf(prompts.value).length;
    few.textContent = now < FEW ? say("learn-few", { count: now }) : "";
  };
  prompts.addEventListener("input", count);
  count();
  const more = button(say("learn-from-pictures"), () => guarded(async () => count(await addPrompts()), notify));
  panel.body.replaceChildren(
    labelled("learn-phrases", phrases), labelled("learn-prompts", prompts), few, more,
    labelled("learn-budget", pictures), labelled("learn-judge", judge),
    ...(kind === "tune" ? [labelled("learn-writes", mode)] : []),
    ...(kind === "tune" && !subject.windows ? [make("div", "negopt-about", say("learn-no-windows"))] : []),
    button(say("learn-start"), () => guarded(begin, notify)),
    ...earlier(runs.filter((one) => one.kind === kind)),
  );
}

function menu(choices) {
  const select = make("select", "negopt-field");
  for (const [value, text] of choices) select.append(Object.assign(make("option", "", text), { value }));
  return select;
}

/** The positive prompts of the newest pictures in the output folder, behind those that are there. */
async function addPrompts() {
  const { prompts } = await ask(`/learn/prompts?notation=${panel.subject.positiveNotation}`);
  const before = linesOf(form.prompts.value);
  const all = [...new Set([...before, ...prompts])];
  form.prompts.value = all.join("\n");
  notify("info", prompts.length ? say("learn-from-told", { count: all.length - before.length }) : say("learn-from-none"));
}

/** Runs of other days: those that are not done can go on. */
function earlier(runs) {
  if (!runs.length) return [];
  const box = make("details", "negopt-learn-earlier");
  box.open = runs.some((one) => !one.is_done);
  box.append(make("summary", "", say("learn-earlier")));
  for (const { run, model, judge, is_done: isDone } of runs.slice(0, 12)) {
    const line = make("div", "negopt-head");
    line.append(make("span", "", `${run} · ${model} · ${judge}`), button(say(isDone ? "learn-show" : "learn-go-on"), () => guarded(() => reopen(run), notify)));
    box.append(line);
  }
  return [box];
}

async function begin() {
  const { kind, subject } = panel;
  const { family, model, sampling, windows } = subject;
  const state = await ask("/learn/start", {
    kind, family, model, sampling, windows,
    prompts: linesOf(form.prompts.value),
    negative: readText(subject.negative.read),
    positive_notation: subject.positiveNotation,
    negative_notation: subject.negativeNotation,
    mode: form.mode.value,
    judge: form.judge.value,
    pictures: Number(form.pictures.value),
    seed: 1 + Math.floor(Math.random() * (2 ** 31 - 1)),
  });
  await attach(state, true);
}

async function reopen(name) {
  const state = await ask(`/learn/state?run=${encodeURIComponent(name)}`);
  await attach(state, !state.result);
}

/** Go on with the graph as it is now, if it is what the run was begun with: effects of another model are not those of this one. */
async function goOn(run) {
  const { flat, subject } = readSubject(run.subject.positive.encoder);
  const { start } = run.state;
  const names = { model: "model", sampling: "sampling", positive_notation: "positiveNotation", negative_notation: "negativeNotation" };
  for (const [old, now] of Object.entries(names)) {
    if (start[old] !== subject[now]) throw new Error(say("learn-other", { before: start[old] || "?", now: subject[now] || "?" }));
  }
  panel.subject = subject;
  await run.resume(flat, subject);
}

async function attach(state, isGoing) {
  const { flat, subject } = panel;
  panel.run = new LearnRun({ state, flat, subject, show: () => draw() });
  draw();
  if (isGoing) await goOn(panel.run);
}

/** Draw the run; at most once in a frame. */
function draw() {
  const here = panel;
  if (!here?.run || here.isDrawn) return;
  here.isDrawn = true;
  requestAnimationFrame(() => {
    here.isDrawn = false;
    render(here);
  });
}

function render({ run, body }) {
  const { state } = run;
  const opened = new Set([...body.querySelectorAll(".negopt-effect[open] .negopt-name")].map((one) => one.textContent));
  const at = body.scrollTop;
  const shown = bars(state);
  for (const one of shown.children) one.open = opened.has(one.querySelector(".negopt-name").textContent);
  renew(body, [
    progressLine(run), controls(run),
    ...(state.result ? [outcome(run)] : []),
    clickable(run),
    ...(state.phrases.length ? [make("div", "negopt-about", say("learn-effects")), shown] : []),
    wall(state),
  ]);
  body.scrollTop = at;
}

/** Show `parts` in a box. What is there already and looks the same stays: a button that is taken away while it is pressed
 * hears no click. */
function renew(box, parts) {
  const shown = parts.map((part) => [...box.children].find((old) => old.isEqualNode(part)) ?? part);
  for (const old of [...box.children]) if (!shown.includes(old)) old.remove();
  shown.forEach((part, at) => part === box.children[at] || box.insertBefore(part, box.children[at] ?? null));
}

function controls(run) {
  const line = make("div", "negopt-form");
  if (run.state.result) line.append(button(say("learn-new"), again));
  else {
    line.append(
      run.isPaused
        ? button(say("learn-go-on"), () => guarded(() => goOn(run), notify))
        : button(say("learn-pause"), () => guarded(() => run.pause(), notify)),
      button(say("learn-stop"), () => guarded(() => stop(run), notify)),
    );
  }
  return line;
}

/** End the run here; it can go on later. */
async function stop(run) {
  if (!(await confirm(say("learn-stop"), say("learn-stop-ask"), say("learn-stop")))) return;
  await run.pause(true);
  await again();
}

async function again() {
  const node = nodeAt(panel.subject.positive.encoder);
  panel.root.remove();
  const { kind } = panel;
  panel = null;
  await guarded(() => open(kind, node), notify);
}
