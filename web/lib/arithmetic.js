// The arithmetic that workflows do with steps and CFG, as Python reads it. Plain data, no page; nothing is executed.
// @ts-check

const TOKEN = /\s*(?:(\d+\.?\d*|\.\d+)|([A-Za-z_][\w.]*)|(\*\*|\/\/|<=|>=|==|!=|[-+*/%(),<>]))/gy;
const DEEPEST = 40;

/** @type {Record<string, (...given: number[]) => number>} */
const FUNCTIONS = {
  min: Math.min, max: Math.max, abs: Math.abs, floor: Math.floor, ceil: Math.ceil, int: Math.trunc, float: Number, sqrt: Math.sqrt, pow: Math.pow,
  round: (value) => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value)), // halves to even
};

/** @type {Record<string, (one: number, other: number) => number>} */
const OPERATORS = {
  "+": (one, other) => one + other,
  "-": (one, other) => one - other,
  "*": (one, other) => one * other,
  "/": (one, other) => one / other,
  "//": (one, other) => Math.floor(one / other),
  "%": (one, other) => one - other * Math.floor(one / other),
  "<": (one, other) => Number(one < other),
  ">": (one, other) => Number(one > other),
  "<=": (one, other) => Number(one <= other),
  ">=": (one, other) => Number(one >= other),
  "==": (one, other) => Number(one === other),
  "!=": (one, other) => Number(one !== other),
};
const LEVELS = [["<", ">", "<=", ">=", "==", "!="], ["+", "-"], ["*", "/", "//", "%"]];

/**
 * The value of an expression; undefined where it holds anything that is not read here, or has no finite value.
 * @param {string} text @param {(name: string) => number | undefined} valueOf
 * @returns {number | undefined}
 */
export function evaluate(text, valueOf) {
  const tokens = tokensOf(text);
  if (!tokens) return undefined;
  try {
    const reader = { tokens, at: 0, depth: 0, valueOf };
    const value = binary(reader, 0);
    return reader.at === tokens.length && Number.isFinite(value) ? value : undefined;
  } catch (error) {
    if (error instanceof Unread) return undefined;
    throw error;
  }
}

class Unread extends Error {}

/** @param {string} text @returns {string[] | null} */
function tokensOf(text) {
  const tokens = [...text.matchAll(TOKEN)];
  return tokens.map((one) => one[0]).join("").length === text.trimEnd().length ? tokens.map((one) => one[0].trim()) : null;
}

/** @typedef {{ tokens: string[], at: number, depth: number, valueOf: (name: string) => number | undefined }} Reader */

/** @param {Reader} reader @param {number} level @returns {number} */
function binary(reader, level) {
  if (level === LEVELS.length) return unary(reader);
  let value = binary(reader, level + 1);
  while (LEVELS[level].includes(reader.tokens[reader.at])) {
    const operator = reader.tokens[reader.at++];
    value = OPERATORS[operator](value, binary(reader, level + 1));
  }
  return value;
}

/** @param {Reader} reader @returns {number} */
function unary(reader) {
  if ((reader.depth += 1) > DEEPEST) throw new Unread();
  try {
    if (take(reader, "-")) return -unary(reader);
    if (take(reader, "+")) return unary(reader);
    const base = atom(reader);
    return take(reader, "**") ? base ** unary(reader) : base;
  } finally {
    reader.depth -= 1;
  }
}

/** @param {Reader} reader @returns {number} */
function atom(reader) {
  const token = reader.tokens[reader.at++];
  if (token === "(") {
    const value = binary(reader, 0);
    if (!take(reader, ")")) throw new Unread();
    return value;
  }
  if (/^[\d.]/.test(token ?? "")) return Number(token);
  if (!/^[A-Za-z_]/.test(token ?? "")) throw new Unread();
  if (take(reader, "(")) return called(reader, token);
  const value = reader.valueOf(token);
  if (value === undefined) throw new Unread();
  return value;
}

/** @param {Reader} reader @param {string} name */
function called(reader, name) {
  const given = [binary(reader, 0)];
  while (take(reader, ",")) given.push(binary(reader, 0));
  if (!take(reader, ")") || !Object.hasOwn(FUNCTIONS, name)) throw new Unread();
  return FUNCTIONS[name](...given);
}

/** @param {Reader} reader @param {string} token */
function take(reader, token) {
  const isThere = reader.tokens[reader.at] === token;
  if (isThere) reader.at += 1;
  return isThere;
}
