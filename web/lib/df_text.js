// DF-Prompt text in the page: the same reading and writing as negopt_core/text/df_text.py, which is the reference.
// tests/web/df_vectors.json holds both to the same answers.
// @ts-check

export const MAX_WEIGHT = 10;
const DECIMALS = 9; // windows live on this grid, as in negopt_core/text/prompt.py

const SPACE = "[ \\t\\n\\r\\f\\v]*"; // Python's \s in ASCII; JavaScript's own knows more
const NUMBER = `${SPACE}(\\d{1,4}(?:\\.\\d{0,30})?|\\.\\d{1,30})${SPACE}`;
const RANGE = new RegExp(`^${NUMBER}(?:-|\\u2013|->|\\|->|→|↦|⟶|⟼)${NUMBER}$`);
const WEIGHT = new RegExp(`^${SPACE}(?:\\d{1,6}(?:\\.\\d{0,40})?|\\.\\d{1,40})(?:[eE][+-]?\\d{1,3})?${SPACE}$`);
const UNCLOSED = "it is never closed; write \\[ for a bracket";
const UNOPENED = "it was never opened; write \\] for a bracket";

/**
 * @typedef {object} Span one piece of the text, in order; together they cover all of it
 * @property {string} words what is encoded, without escapes
 * @property {number} weight
 * @property {number} start progress at which it begins to act; 0 is before the first step
 * @property {number} end progress at which it stops; 1 is after the last step
 * @property {number} from where it stands in the text, in UTF-16 units
 * @property {number} to
 * @property {boolean} isBracket
 * @typedef {{ from: number, to: number, rule: string }} Problem a bracket that is taken literally, and why
 */

/**
 * Read DF-Prompt text. Never fails: a malformed bracket is ordinary text, and reported.
 * @param {string} text
 * @returns {{ spans: Span[], problems: Problem[] }}
 */
export function parse(text) {
  /** @type {Span[]} */
  const spans = [];
  /** @type {Problem[]} */
  const problems = [];
  let done = 0;
  for (const [opened, closed] of brackets(text, problems)) {
    const read = readSpan(text.slice(opened + 1, closed));
    if ("rule" in read) {
      problems.push({ from: opened, to: closed + 1, rule: read.rule });
      continue;
    }
    if (opened > done) spans.push(literal(text, done, opened));
    spans.push({ ...read, from: opened, to: closed + 1, isBracket: true });
    done = closed + 1;
  }
  if (text.length > done) spans.push(literal(text, done, text.length));
  return { spans, problems: problems.sort((one, other) => one.from - other.from) };
}

/**
 * The canonical writing of a whole text, as `format_prompt(parse_prompt(text))` gives it.
 * @param {string} text
 */
export const format = (text) => joined(parse(text).spans).map((span) => writeSpan(span)).join("");

/** The words of a text without windows and weights. @param {string} text */
export const plainText = (text) => parse(text).spans.map((span) => span.words).join("");

/**
 * Neighbouring plain spans as one, as every prompt of negopt has them.
 * @param {Span[]} spans
 */
export function joined(spans) {
  /** @type {Span[]} */
  const result = [];
  for (const span of spans) {
    const last = result[result.length - 1];
    if (last && isPlain(last) && isPlain(span)) {
      result[result.length - 1] = { ...last, words: last.words + span.words, to: span.to };
    } else {
      result.push({ ...span });
    }
  }
  return result;
}

/** @param {{ weight: number, start: number, end: number }} span ordinary text: weight 1, the whole run */
export const isPlain = (span) => span.weight === 1 && span.start === 0 && span.end === 1;

/** @param {{ words: string, weight: number, start: number, end: number }} span */
export function writeSpan(span) {
  const words = escapeWords(span.words);
  if (isPlain(span)) return words;
  const low = round9(1 - span.end);
  const high = round9(1 - span.start);
  return `[${words.replaceAll(":", "\\:")}:${decimal(low)}-${decimal(high)}:${shortest(span.weight)}]`;
}

/** @param {string} words ordinary words so that they are read as themselves */
export const escapeWords = (words) => words.replace(/\\(?=[[\]:\\]|$)|[[\]]/g, "\\$&");

/** @param {string} text */
const unescape = (text) => text.replace(/\\([[\]:\\])/g, "$1");

/** @param {string} text @param {number} from @param {number} to @returns {Span} */
function literal(text, from, to) {
  return { words: unescape(text.slice(from, to)), weight: 1, start: 0, end: 1, from, to, isBracket: false };
}

/** @param {string} text @param {Problem[]} problems @returns {[number, number][]} */
function brackets(text, problems) {
  /** @type {[number, number][]} */
  const pairs = [];
  let opened = -1;
  for (const { 0: token, index } of text.matchAll(/\\[[\]:\\]|[[\]]/g)) {
    if (token === "[") {
      if (opened >= 0) problems.push({ from: opened, to: index, rule: UNCLOSED });
      opened = index;
    } else if (token === "]") {
      if (opened < 0) problems.push({ from: index, to: index + 1, rule: UNOPENED });
      else pairs.push([opened, index]);
      opened = -1;
    }
  }
  if (opened >= 0) problems.push({ from: opened, to: text.length, rule: UNCLOSED });
  return pairs;
}

/**
 * `words:range:weight`, split at the last two bare colons.
 * @param {string} body
 * @returns {{ words: string, weight: number, start: number, end: number } | { rule: string }}
 */
function readSpan(body) {
  const colons = [...body.matchAll(/\\[[\]:\\]|:/g)].filter((match) => match[0] === ":").map((match) => match.index);
  if (colons.length < 2) return { rule: "a phrase is written [words:low-high:weight]" };
  const [first, second] = colons.slice(-2);
  const range = readRange(body.slice(first + 1, second));
  if ("rule" in range) return range;
  const weightText = body.slice(second + 1);
  const weight = Number(weightText);
  if (!WEIGHT.test(weightText) || weight > MAX_WEIGHT) {
    return { rule: `a weight needs 0 <= weight <= ${MAX_WEIGHT}, got ${quoted(weightText)}` };
  }
  const words = unescape(body.slice(0, first));
  return words ? { words, weight, ...range } : { rule: "a phrase needs words before its range" };
}

/** @param {string} text @returns {{ start: number, end: number } | { rule: string }} */
function readRange(text) {
  const match = RANGE.exec(text);
  if (!match) return { rule: `a range is written low-high with numbers from 0 to 1, got ${quoted(text)}` };
  const [low, high] = [Number(match[1]), Number(match[2])].sort((one, other) => one - other);
  const [start, end] = [round9(1 - high), round9(1 - low)];
  if (high > 1 || round9(low) >= round9(high) || start >= end) {
    return { rule: `a range needs 0 <= low < high <= 1, got ${quoted(text)}` };
  }
  return { start, end };
}

/** @param {string} text */
const quoted = (text) => `'${[...text].slice(0, 40).join("")}'`;

/** Round to nine decimals as Python does: to the nearest, a tie to the even digit. @param {number} value */
export function round9(value) {
  const exact = value.toFixed(70);
  const rest = exact.slice(exact.indexOf(".") + 1 + DECIMALS);
  const below = exact.slice(0, exact.length - rest.length);
  if (/^50*$/.test(rest) && Number(below.slice(-1)) % 2 === 0) return Number(below) + 0;
  return Number(value.toFixed(DECIMALS)) + 0;
}

/** @param {number} value */
const decimal = (value) => value.toFixed(DECIMALS).replace(/\.?0+$/, "");

/** A weight as Python writes it: `1`, `0.75`, `1e-05`. @param {number} value */
function shortest(value) {
  if (value === 0 || value >= 1e-4) return String(value);
  return value.toExponential().replace(/e-(\d)$/, "e-0$1");
}
