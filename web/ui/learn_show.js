// What is seen of an audit or a tune: bars with intervals, the wall of pictures, pairs to click, and what came out.
import { api, nodeAt, notify, oneStep, say, setWidget } from "../host.js";
import { barOf, comparisons, leftOf, reachOf, signed, VERDICTS } from "../lib/learn_show.js";
import { writeWithRoom } from "./encoder.js";
import { nodesOf, readText } from "./fields.js";
import { choosePolicy } from "./settings.js";
import { button, guarded, make } from "./style.js";

const ARMS = { shortened: "learn-arm-shortened", whole: "learn-arm-own", own: "learn-arm-own", none: "learn-arm-none", tuned: "learn-arm-tuned", before: "learn-arm-before" };
const SHOWN_ROWS = 60;

/** The address of the small copy of a picture. */
const addressOf = (run, id) => api.apiURL(`/negopt/v1/learn/picture?run=${encodeURIComponent(run)}&id=${encodeURIComponent(id)}`);

/** A picture of a run. */
function picture(run, id, title = "") {
  const image = make("img", "negopt-shot");
  Object.assign(image, { src: addressOf(run, id), loading: "lazy", alt: title, title });
  return image;
}

/** How far it is, and how long it takes. */
export function progressLine({ state, seconds, isPaused, problem }) {
  const line = make("div", "negopt-learn-progress");
  const bar = make("progress");
  Object.assign(bar, { max: state.most, value: state.result ? state.most : Math.min(state.painted, state.most) });
  const left = leftOf(state, seconds);
  const told = [say("learn-progress", { painted: state.painted, most: state.most })];
  if (state.clicks) told.push(say("learn-clicks", { count: state.clicks }));
  if (!state.result && left.minutes !== null) told.push(say("learn-estimate", left));
  if (!state.result && isPaused) told.push(say("learn-paused"));
  line.append(bar, make("div", "", told.join(" · ")));
  if (problem) line.append(make("div", "negopt-problem", problem));
  return line;
}

/** A bar for each phrase, with pairs of pictures to open. */
export function bars({ run, phrases }) {
  const box = make("div", "negopt-effects");
  const reach = reachOf(phrases);
  for (const row of phrases.slice(0, SHOWN_ROWS)) {
    const whole = make("details", "negopt-effect");
    const head = make("summary");
    whole.dataset.verdict = row.verdict;
    const { value, low, high } = row.effect;
    const track = make("span", "negopt-track");
    const at = barOf(row.effect, reach);
    if (at) {
      const [span, dot] = [make("i"), make("b")];
      Object.assign(span.style, { left: `${at.left}%`, width: `${at.width}%` });
      dot.style.left = `${at.middle}%`;
      track.append(span, dot);
    }
    track.title = `${signed(value)} [${signed(low)}, ${signed(high)}] · ${say("learn-pictures", { count: row.pictures })}`;
    head.append(make("span", "negopt-name", named(row)), track, make("span", "negopt-verdict", say(VERDICTS[row.verdict] ?? "learn-open")));
    whole.append(head, examples(run, row)); // its pictures are fetched when it is opened
    box.append(whole);
  }
  return box;
}

/** A phrase with its weight and the part of the run where they are not plain. */
function named({ text, weight = 1, window: [start, end] = [0, 1] }) {
  const part = start > 0 || end < 1 ? ` ${Math.round(100 * start)}–${Math.round(100 * end)} %` : "";
  return `${text}${weight === 1 ? "" : ` ×${weight}`}${part}`;
}

function examples(run, { text, examples: pairs }) {
  const box = make("div", "negopt-pairs");
  for (const [having, lacking] of pairs) {
    const pair = make("div", "negopt-pair");
    for (const [id, key] of [[having, "learn-with"], [lacking, "learn-without"]]) {
      const figure = make("figure");
      figure.append(picture(run, id, say(key, { words: text })), make("figcaption", "", say(key, { words: text })));
      pair.append(figure);
    }
    box.append(pair);
  }
  return box;
}

/** The newest pictures, the last first. */
export function wall({ run, wall: pictures }) {
  const box = make("div", "negopt-wall");
  for (const { id, score, negative, modifiers } of [...pictures].reverse()) {
    const words = [negative, modifiers].filter(Boolean).join(" | ");
    box.append(picture(run, id, [score === null ? "" : score.toFixed(2), words].filter(Boolean).join(" · ")));
  }
  return box;
}

/** The oldest pair that waits for a click. */
export function clickable(run) {
  const [pair] = run.state.pairs;
  const box = make("div", "negopt-clickable");
  if (!pair) return box;
  const choose = (better) => guarded(() => run.click(pair, better), notify);
  const sides = make("div", "negopt-pair");
  pair.forEach((id, place) => {
    const side = button("", () => choose(place), say("learn-prefer", { letter: "AB"[place] }));
    side.classList.add("negopt-choice");
    side.append(picture(run.state.run, id));
    sides.append(side);
  });
  const line = make("div", "negopt-form");
  line.append(make("span", "", say("learn-which", { count: run.state.open_pairs })), button(say("learn-same"), () => choose(null)));
  box.append(line, sides);
  return box;
}

/** What came out, in sentences, and what can be done with it. */
export function outcome({ state: { result, start }, subject }) {
  const box = make("div", "negopt-outcome");
  const add = (text) => text && box.append(make("div", "", text));
  const arm = (name) => say(ARMS[name] ?? "learn-arm-own");
  if (start.kind === "audit") {
    add(result.drop.length ? say("learn-drop", { words: result.drop.join(", ") }) : say("learn-drop-none"));
    if (result.undecided.length) add(say("learn-undecided", { words: result.undecided.join(", ") }));
  } else add(result.kept ? say("learn-kept", { name: result.policy }) : say("learn-not-kept"));
  for (const { first, second, difference, wins, pairs } of comparisons(result)) {
    const named = { first: arm(first), second: arm(second), wins, pairs };
    add(difference ? say("learn-compared", { ...named, value: signed(difference.value), low: signed(difference.low), high: signed(difference.high) }) : say("learn-preferred", named));
  }
  if (start.kind === "audit" && result.drop.length && subject) {
    add(say("learn-shortened", { words: result.shortened || "—" }));
    box.append(button(say("learn-use"), () => guarded(() => useText(subject.negative, start.negative, result.shortened), notify)));
  }
  if (result.policy) box.append(button(say("tab-use"), () => guarded(() => choosePolicy(result.policy), notify)));
  return box;
}

/** Put a text in place of the negative that was audited; one undo takes it back. */
function useText({ fields, read }, before, text) {
  if (!nodesOf(fields).length || readText(read) !== before) throw new Error(say("learn-not-there"));
  const others = read.filter((one) => !fields.some(({ key, name }) => one.key === key && one.name === name));
  oneStep(() => writeWithRoom(nodesOf(fields), () => {
    for (const { key, name } of others) setWidget(nodeAt(key), name, "");
    for (const { key, name } of fields) setWidget(nodeAt(key), name, text);
  }));
  notify("success", say("learn-used"));
}
