// How effects and comparisons of an audit or a tune are shown: places on a bar, words for figures. Plain data, no page.
// @ts-check

/** @typedef {{ value: number | null, low: number | null, high: number | null }} Interval */
/** @typedef {{ text: string, side: string, verdict: string, effect: Interval, pictures: number, examples: string[][], weight?: number, window?: number[] }} Row */

/** Keys of the words for what may be said of a phrase (negopt_core/tune/audit.py). @type {Record<string, string>} */
export const VERDICTS = { helps: "learn-helps", hurts: "learn-hurts", "no effect seen": "learn-nothing", "not decided yet": "learn-open" };

/** How far the bars reach on either side of 0. @param {Row[]} rows */
export function reachOf(rows) {
  const ends = rows.flatMap(({ effect }) => [effect.low, effect.high, effect.value]).map((one) => Math.abs(one ?? 0));
  return Math.max(...ends, 1e-6);
}

/**
 * Where an interval and its middle stand, in percent of a bar from -reach to reach; null where nothing is known.
 * @param {Interval} effect @param {number} reach
 */
export function barOf({ value, low, high }, reach) {
  if (value === null || low === null || high === null) return null;
  const at = (/** @type {number} */ one) => Math.round(500 * (1 + Math.max(-1, Math.min(1, one / reach)))) / 10;
  return { left: at(low), width: Math.round(10 * (at(high) - at(low))) / 10, middle: at(value) };
}

/** @param {number | null | undefined} value */
export const signed = (value) => (value === null || value === undefined ? "?" : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`);

/**
 * Lines on the last check: two names, a difference with its interval if there is one, and how often the first was better.
 * @param {{ differences?: Record<string, any>, clicked?: Record<string, any> }} result
 */
export function comparisons({ differences = {}, clicked = {} }) {
  const line = (/** @type {[string, any]} */ [names, { difference, win_rate: wins, pairs }]) => {
    const [first, second] = names.split(" - ");
    return { first, second, difference: difference ?? null, wins: Math.round(100 * (wins.value ?? 0)), pairs };
  };
  return [...Object.entries(differences), ...Object.entries(clicked)].map(line);
}

/**
 * What is left to paint: pictures, seconds of one, minutes.
 * @param {{ painted: number, most: number }} state @param {number | null} seconds of one picture
 */
export function leftOf({ painted, most }, seconds) {
  const pictures = Math.max(0, most - painted);
  return { pictures, seconds: seconds === null ? null : Math.round(seconds * 10) / 10, minutes: seconds === null ? null : Math.ceil((pictures * seconds) / 60) };
}

/** Asks that may be queued now. @template {{ id: string }} T @param {T[]} asks @param {Set<string>} taken @param {number} room @returns {T[]} */
export const nextAsks = (asks, taken, room) => asks.filter((one) => !taken.has(one.id)).slice(0, Math.max(0, room));

/** Texts of a field with one prompt in each line, each once. @param {string} text */
export const linesOf = (text) => [...new Set(text.split("\n").map((one) => one.trim()).filter(Boolean))];
