// Taking phrases out of a DF-Prompt and putting others in their place; the rest of the text stays as it is.
// @ts-check
import { barsOf, changeBar, isNeverLive, stepsOf, windowOf } from "./bars.js";
import { parse, writeSpan } from "./df_text.js";

/** @typedef {import("./bars.js").Bar} Bar */

/** @param {string} words how phrases are compared: without case and outer blanks */
const keyOf = (words) => words.trim().toLowerCase();

/**
 * The text without these phrases, each gone with one separator.
 * @param {string} text @param {string[]} phrases
 */
export function withoutPhrases(text, phrases) {
  const gone = new Set(phrases.map(keyOf));
  // from the end, so that places further left stay right
  for (const bar of barsOf(text).bars.reverse()) if (gone.has(keyOf(bar.label))) text = cut(text, bar);
  return text;
}

/** @param {string} text @param {Bar} bar */
function cut(text, bar) {
  const after = /^\s*,\s*/.exec(text.slice(bar.to));
  const ownsComma = /^\s*,|,\s*$/.test(bar.words);
  if (after && !(ownsComma && bar.from > 0)) return text.slice(0, bar.from) + text.slice(bar.to + after[0].length);
  const before = ownsComma ? null : /\s*,\s*$/.exec(text.slice(0, bar.from));
  return text.slice(0, bar.from - (before ? before[0].length : 0)) + text.slice(bar.to);
}

/**
 * The text in which these phrases act for at least one step.
 * @param {string} text @param {string[]} phrases @param {number} steps
 */
export function widened(text, phrases, steps) {
  const wanted = new Set(phrases.map(keyOf));
  for (const bar of barsOf(text).bars.reverse()) {
    if (!wanted.has(keyOf(bar.label)) || !isNeverLive(bar, steps)) continue;
    const { first } = stepsOf(bar, steps);
    const low = Math.min(first, steps - 1);
    text = changeBar(text, bar, windowOf(low, low + 1, steps));
  }
  return text;
}

/**
 * A phrase of `offered` that `text` does not hold yet; null if it has them all.
 * @param {string} text @param {string} offered DF text
 * @returns {Bar | null}
 */
export function freshPhrase(text, offered) {
  const known = new Set(barsOf(text).bars.map((bar) => keyOf(bar.label)));
  return barsOf(offered).bars.find((bar) => !known.has(keyOf(bar.label))) ?? null;
}

/**
 * The text with one phrase replaced by another, which brings its own weight and window.
 * @param {string} text @param {Bar} bar @param {Bar} other
 */
export function replaced(text, bar, other) {
  const words = bar.words.replace(bar.label, () => other.label);
  return text.slice(0, bar.from) + writeSpan({ ...other, words }) + text.slice(bar.to);
}

/** Whether the text is one that a plain encoder reads the same way. @param {string} text */
export const isScheduled = (text) => parse(text).spans.some((span) => span.isBracket);

/**
 * Why a phrase is there; for several in one sentence each with its reason; "" if that is not known.
 * @param {Record<string, string>} reasons phrase -> reason @param {string} words
 */
export function reasonFor(reasons, words) {
  const asked = words.trim().toLowerCase();
  const known = Object.entries(reasons).map(([phrase, reason]) => ({ phrase, reason, key: phrase.toLowerCase() }));
  const same = known.find(({ key }) => key === asked);
  if (same) return same.reason;
  return known.filter(({ key }) => asked.includes(key)).map(({ phrase, reason }) => `${phrase}: ${reason}`).join("\n");
}
