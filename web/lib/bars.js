// The phrases of a DF-Prompt as bars over steps. Every change is made in the text, and only where it belongs.
// @ts-check
import { MAX_WEIGHT, isPlain, parse, round9, writeSpan } from "./df_text.js";

const SEPARATOR = /^[\s,]+|[\s,]+$/g;
const FEWEST_DECIMALS = 2;

/**
 * @typedef {object} Bar one phrase
 * @property {string} words what is encoded
 * @property {string} label the words without the separators around them
 * @property {number} weight
 * @property {number} start progress
 * @property {number} end
 * @property {number} from where it stands in the text
 * @property {number} to
 */

/**
 * One bar for each phrase: a bracket is one, ordinary text has one between any two commas or line ends.
 * @param {string} text
 * @returns {{ bars: Bar[], problems: import("./df_text.js").Problem[] }}
 */
export function barsOf(text) {
  const { spans, problems } = parse(text);
  const bars = spans.flatMap((span) => (span.isBracket ? [barOf(span)] : phrasesOf(text, span)));
  return { bars, problems };
}

/** @param {import("./df_text.js").Span} span @returns {Bar} */
function barOf({ words, weight, start, end, from, to }) {
  return { words, weight, start, end, from, to, label: words.replace(SEPARATOR, "") || words };
}

/** @param {string} text @param {import("./df_text.js").Span} span @returns {Bar[]} */
function phrasesOf(text, span) {
  /** @type {Bar[]} */
  const bars = [];
  let from = span.from;
  for (const piece of text.slice(span.from, span.to).split(/[,\n]/)) {
    const words = piece.trim();
    const place = from + piece.indexOf(words);
    const read = words.replace(/\\([[\]:\\])/g, "$1");
    if (words) bars.push({ words: read, label: read, weight: 1, start: 0, end: 1, from: place, to: place + words.length });
    from += piece.length + 1;
  }
  return bars;
}

/**
 * The text with one bar changed, and every other character as it was.
 * @param {string} text @param {Bar} bar @param {{ start?: number, end?: number, weight?: number }} change
 */
export function changeBar(text, bar, change) {
  const next = { ...bar, ...change, weight: clampWeight(change.weight ?? bar.weight) };
  // a bracket that cannot be read stands in ordinary words: untouched, it stays as it was typed
  if (next.start === bar.start && next.end === bar.end && next.weight === bar.weight) return text;
  return text.slice(0, bar.from) + writeSpan(next) + text.slice(bar.to);
}

/** Weights are kept between 0 and the largest that is allowed, on a grid of a hundredth. @param {number} weight */
export const clampWeight = (weight) => Math.round(Math.min(MAX_WEIGHT, Math.max(0, weight)) * 100) / 100;

/** The first step at or after a progress; as negopt_core/text/prompt.py. @param {number} progress @param {number} steps */
export const stepAt = (progress, steps) => Math.ceil(Number((progress * steps).toFixed(6)));

/** The steps in which a bar acts: first, and the one after the last. @param {Bar} bar @param {number} steps */
export const stepsOf = (bar, steps) => ({ first: stepAt(bar.start, steps), stop: stepAt(bar.end, steps) });

/**
 * A window over whole steps, written with as few decimals as say the same.
 * @param {number} first @param {number} stop @param {number} steps
 */
export function windowOf(first, stop, steps) {
  const low = Math.min(Math.max(0, Math.round(first)), steps - 1);
  const high = Math.max(Math.min(steps, Math.round(stop)), low + 1);
  return { start: progressAt(low, steps), end: progressAt(high, steps) };
}

/** @param {number} step @param {number} steps */
function progressAt(step, steps) {
  const exact = step / steps;
  for (let decimals = FEWEST_DECIMALS; decimals < 9; decimals += 1) {
    const scale = 10 ** decimals;
    const short = round9(Math.floor(round9(exact * scale)) / scale);
    if (stepAt(short, steps) === step) return short;
  }
  return round9(exact);
}

/**
 * The bar moved as a whole by some steps; it stops at either end of the run.
 * @param {Bar} bar @param {number} by @param {number} steps
 */
export function moved(bar, by, steps) {
  const { first, stop } = stepsOf(bar, steps);
  const shift = Math.max(-first, Math.min(steps - stop, Math.round(by)));
  return shift ? windowOf(first + shift, stop + shift, steps) : { start: bar.start, end: bar.end };
}

/**
 * The bar with one edge moved by some steps; at least one step stays.
 * @param {Bar} bar @param {"start" | "end"} edge @param {number} by @param {number} steps
 */
export function stretched(bar, edge, by, steps) {
  const { first, stop } = stepsOf(bar, steps);
  if (!Math.round(by)) return { start: bar.start, end: bar.end };
  if (edge === "start") {
    const low = Math.min(first + Math.round(by), stop - 1);
    return { start: windowOf(low, stop, steps).start, end: bar.end };
  }
  return { start: bar.start, end: windowOf(first, Math.max(stop + Math.round(by), first + 1), steps).end };
}

/** @param {Bar} bar @param {number} steps a window that holds none of the steps never acts */
export const isNeverLive = (bar, steps) => {
  const { first, stop } = stepsOf(bar, steps);
  return first >= stop;
};

export { isPlain };
