// What an audit or a tune is about, and the user's own graph with other texts and another seed. Plain data, no page.
// @ts-check
import { parse } from "./df_text.js";
import { familyOf } from "./family.js";
import { isScheduled, planNegative, takesWindows } from "./plan.js";
import { above, hookOf } from "./runs.js";
import { numberOf } from "./values.js";
import { encodes, textWidgets } from "./words.js";

/** @typedef {import("./flat.js").Flat} Flat */
/** @typedef {import("./climb.js").Text} Text */
/** @typedef {import("./climb.js").Field} Field */
/** @typedef {{ class_type: string, inputs: Record<string, any>, _meta?: any }} ApiNode a node as ComfyUI runs it */
/** @typedef {Record<string, ApiNode>} ApiGraph */

/**
 * @typedef {object} Subject
 * @property {Text} positive
 * @property {Text} negative
 * @property {string} sampler
 * @property {string[]} doubts as of a plan
 * @property {string} family "" if the graph does not tell
 * @property {string} model files that the sampler's model is made of
 * @property {string} sampling steps, CFG and sampler
 * @property {"df" | "comfy"} positiveNotation how its encoder reads it
 * @property {"df" | "comfy"} negativeNotation
 * @property {boolean} windows whether words of both sides can act for a part of the run
 */

const MODEL_FILE = /\.(safetensors|sft|ckpt|gguf|pt|pth|bin)$/i;
/** Nodes that write each picture into the output folder; a preview shows the same. */
const SAVERS = new Set(["SaveImage", "NegOptSaveProvenance"]);
const PREVIEW = "PreviewImage";
const SEEDS = ["seed", "noise_seed"];

/**
 * The prompt and the negative that an audit is about.
 * @param {Flat} flat @param {string | null} key the node that was clicked; null: the first that holds a prompt
 * @returns {Subject | import("./plan.js").Fault}
 */
export function subjectOf(flat, key) {
  const keys = key ? [key] : [...flat.values()].filter((node) => encodes(node) && textWidgets(node).length).map((node) => node.key);
  /** @type {import("./plan.js").Fault} */
  let fault = { fault: "learn-no-graph" };
  for (const one of keys) {
    const plan = planNegative(flat, one);
    if ("fault" in plan) {
      if (key) fault = { ...plan, prompts: undefined };
    } else if (!plan.negative) fault = { fault: "learn-no-negative" };
    else return { ...told(flat, plan.samplers[0], plan.prompt, plan.negative), doubts: plan.doubts };
  }
  return fault;
}

/** @param {Flat} flat @param {string} sampler @param {Text} positive @param {Text} negative */
function told(flat, sampler, positive, negative) {
  const node = flat.get(sampler);
  const models = node ? above(flat, node, "MODEL") : [];
  const files = models.flatMap((one) => Object.values(one.widgets)).filter((one) => MODEL_FILE.test(String(one)));
  const number = (/** @type {string} */ name) => (node ? numberOf(flat, node, name) : undefined);
  const settings = [["steps", number("steps")], ["cfg", number("cfg")], ["", node?.widgets.sampler_name], ["", node?.widgets.scheduler]];
  const notation = (/** @type {Text} */ text) => /** @type {"df" | "comfy"} */ (text.fields.every((one) => isScheduled(flat, one.key)) ? "df" : "comfy");
  return {
    sampler, positive, negative,
    family: familyOf(flat, sampler) ?? "",
    model: files.length ? files.join(" + ") : (models.at(-1)?.type ?? ""),
    sampling: settings.filter(([, value]) => value !== undefined).map((one) => one.join(" ").trim()).join(", "),
    positiveNotation: notation(positive),
    negativeNotation: notation(negative),
    windows: Boolean(hookOf(flat, sampler)) && takesWindows(flat, positive) && takesWindows(flat, negative),
  };
}

/**
 * Where a widget's value stands in the graph as ComfyUI runs it: with the node, or, if that is of the page only or a subgraph's,
 * with those that it feeds.
 * @param {Flat} flat @param {ApiGraph} graph @param {Field} field @returns {Field[]}
 */
export function placesOf(flat, graph, { key, name }) {
  const found = graph[key]?.inputs;
  if (found && typeof found[name] === "string") return [{ key, name }];
  const fed = [...flat.values()].flatMap((node) => node.inputs.filter((one) => one.origin?.key === key).map((one) => ({ key: node.key, name: one.name })));
  return fed.filter((one) => typeof graph[one.key]?.inputs[one.name] === "string");
}

/**
 * The user's graph with other texts and a seed, one picture at a time, previewed instead of saved.
 * @param {Flat} flat @param {ApiGraph} graph @param {Pick<Subject, "positive" | "negative">} subject
 * @param {{ positive: string, negative: string, seed: number }} ask
 * @returns {ApiGraph}
 */
export function graphFor(flat, graph, subject, ask) {
  /** @type {ApiGraph} */
  const made = JSON.parse(JSON.stringify(graph));
  for (const side of /** @type {const} */ (["positive", "negative"])) write(flat, made, subject[side], ask[side]);
  for (const [key, node] of Object.entries(made)) {
    for (const name of SEEDS) setNumber(made, node, name, ask.seed);
    if (node.inputs.batch_size > 1) node.inputs.batch_size = 1;
    if (SAVERS.has(node.class_type) && Array.isArray(node.inputs.images)) {
      made[key] = { class_type: PREVIEW, inputs: { images: node.inputs.images }, _meta: node._meta };
    }
  }
  return made;
}

/** The whole text into each field that is written, nothing into others that are read with it. @param {Flat} flat @param {ApiGraph} graph @param {Text} text @param {string} words */
function write(flat, graph, text, words) {
  const at = (/** @type {Field[]} */ fields) => fields.flatMap((one) => placesOf(flat, graph, one));
  for (const { key, name } of at(text.read)) graph[key].inputs[name] = "";
  for (const { key, name } of at(text.fields)) graph[key].inputs[name] = words;
}

/** A number of a node, or of the node that gives it. @param {ApiGraph} graph @param {ApiNode} node @param {string} name @param {number} value */
function setNumber(graph, node, name, value) {
  const now = node.inputs[name];
  if (typeof now === "number") node.inputs[name] = value;
  else if (Array.isArray(now)) {
    const inputs = graph[now[0]]?.inputs ?? {};
    for (const one of ["value", ...SEEDS]) if (typeof inputs[one] === "number") inputs[one] = value;
  }
}

/**
 * The picture of a finished run among the outputs of its nodes: what was to be saved first, then previews.
 * @param {ApiGraph} graph the user's own @param {Record<string, { filename: string, subfolder: string, type: string }[]>} outputs by node
 */
export function pictureOf(graph, outputs) {
  const rank = (/** @type {string} */ key) => (SAVERS.has(graph[key]?.class_type) ? 0 : 1);
  const keys = Object.keys(outputs).filter((key) => outputs[key]?.length);
  const [first] = keys.sort((one, other) => rank(one) - rank(other));
  return first === undefined ? null : outputs[first][0];
}

/** The phrases of a text, as they are shown: the words of each; in ComfyUI's notation with its brackets. @param {string} text @param {"df" | "comfy"} notation */
export function shownPhrases(text, notation) {
  const parts = notation === "df" ? parse(text).spans.flatMap((span) => span.words.split(/[,\n]/)) : outsideOfBrackets(text);
  return parts.map((one) => one.trim()).filter(Boolean);
}

/** @param {string} text */
function outsideOfBrackets(text) {
  let depth = 0;
  const parts = [""];
  for (const letter of text) {
    depth = Math.max(0, depth + Number(letter === "(") - Number(letter === ")"));
    if (/[,\n]/.test(letter) && !depth) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return parts;
}
