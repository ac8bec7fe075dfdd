// Which nodes hold words, which carry them, and which make others of them. Plain data, no page.
// @ts-check
import { PROMOTED } from "./flat.js";
import { outputSide, sideOf } from "./sides.js";

/** @typedef {import("./flat.js").FlatNode} FlatNode */

/** Types of what words travel in; the last is that of ComfyUI's own switch before it is connected. */
export const CARRIERS = new Set(["STRING", "CONDITIONING", "*", "COMFY_MATCHTYPE_V3"]);
/** Widgets of string nodes that hold the string. */
const STRING_WIDGETS = ["text", "df_text", "df_negative", "prompt", "string", "value"];
/** Nodes that hold a string and give it as it is, whatever widgets they have beside it. */
const STRING_NODES = /^NegOptTimeline$|primitive|string ?(constant|literal)/i;
/** Nodes that put several strings in a row. */
const JOINERS = /(text|string|prompt).*(concat|join|append)|(concat|join|append).*(text|string|prompt)/i;
/** What nodes have that make words rather than carry them: language models and wildcards. */
const WORD_MAKERS =
  /^NegOpt(Suggest|OneClick)$|generate|extract|caption|interrogat|translat|enhance|wildcard|random|llm|chat|gpt|gemini|claude|ollama/i;
const MAKER_WIDGETS = /^(model|seed|temperature|max_(new_)?(tokens|length)|system_prompt|populated_text)$/;
const WORD_TYPES = new Set(["STRING", "*", "INT", "FLOAT", "BOOLEAN", "COMBO", "CONDITIONING", "COMFY_MATCHTYPE_V3"]);
/** What an encoder may give beside conditioning; one that gives a model as well loads or patches something. */
const ENCODER_GIVES = new Set(["CONDITIONING", "LATENT", "STRING", "FLOAT", "INT", "IMAGE"]);
const NO_PROMPT = /^(NegOptSuggest|NegOptOneClick|Save|Load|Note|Markdown)/; // ours write their texts themselves
/** Inputs that take several lines of text which are no prompt: what a model is told before it reads one. */
const NO_WORDS = /system|instruct|template|lyrics/i;
/** Names under which a prompt is expected. */
const WELL_KNOWN = /^(df_)?text|^caption$|prompt|^(positive|negative)$/i;
/** A string that tells a model how to read what comes after it; the mark that some end with. */
const SYSTEM = /^\s*(you are |<\|?im_start|<s>\[|\[INST)/i;
const SYSTEM_END = /<prompt start>/i;

/**
 * The prompt widgets of a node; none for a node that holds no prompt.
 * @param {FlatNode | undefined} node
 * @returns {string[]}
 */
export function textWidgets(node) {
  if (!node || NO_PROMPT.test(node.type) || !node.outputs.some((output) => CARRIERS.has(output.type))) return [];
  if (encodes(node)) return isEncoder(node) ? fieldsOf(node) : [];
  // a promoted widget has the name that the subgraph gives it
  const known = node.type === PROMOTED ? Object.keys(node.widgets) : STRING_WIDGETS;
  const names = known.filter((name) => typeof node.widgets[name] === "string");
  return STRING_NODES.test(node.type) || node.type === PROMOTED || isBareString(node) ? names : [];
}

/** @param {FlatNode} node */
export const encodes = (node) => node.outputs.some((output) => output.type === "CONDITIONING");

/** Whether a node makes conditioning of nothing but the words that stand in it or come into it. @param {FlatNode} node */
export const isEncoder = (node) =>
  encodes(node) &&
  !NO_PROMPT.test(node.type) &&
  !WORD_MAKERS.test(node.type) &&
  !("populated_text" in node.widgets) &&
  node.inputs.some((input) => input.type === "CLIP") &&
  node.outputs.every((output) => ENCODER_GIVES.has(output.type)) &&
  fieldsOf(node).length > 0;

/** The inputs of an encoder that take words. @param {FlatNode} node */
const fieldsOf = (node) =>
  node.long.filter(
    (name) => !NO_WORDS.test(name) && (typeof node.widgets[name] === "string" || node.inputs.some((one) => one.name === name)),
  );

/**
 * The fields of an encoder whose words leave it at one of its outputs: all, or those of that output's side.
 * @param {FlatNode} node @param {number} slot
 */
export function fieldsAt(node, slot) {
  const side = outputSide(node, slot);
  return textWidgets(node).filter((name) => !side || sideOf(node, name) === side);
}

/** Whether it is a guess which fields of an encoder hold the prompt: another pack's, with unusual names. @param {FlatNode} node */
export const isDoubtful = (node) => encodes(node) && !node.isCore && !fieldsOf(node).every((name) => WELL_KNOWN.test(name));

/** The inputs that a node puts in a row, in order; none for any other node. @param {FlatNode} node @returns {string[]} */
export function joinedInputs(node) {
  if (!JOINERS.test(node.type) || encodes(node)) return [];
  const named = node.inputs.filter((input) => input.type === "STRING").map((input) => input.name);
  return [...new Set([...node.long, ...named])].filter((name) => !/delim|separator/i.test(name));
}

/** @param {string} text */
export const isSystemPrompt = (text) => (SYSTEM_END.test(text) ? !text.split(SYSTEM_END).pop()?.trim() : SYSTEM.test(text));

/** Whether a node has nothing but one widget. @param {FlatNode} node */
function isBareString(node) {
  if (WORD_MAKERS.test(node.type)) return false;
  return Object.keys(node.widgets).length === 1 && node.inputs.every((input) => input.name in node.widgets);
}

/**
 * Whether the words that a node gives are not those that it takes, as those of a language model.
 * @param {FlatNode} node
 */
export function makesWords(node) {
  if (encodes(node) || textWidgets(node).length || !node.outputs.some((output) => CARRIERS.has(output.type))) return false;
  const takesMore = node.inputs.some((input) => !(input.name in node.widgets) && !WORD_TYPES.has(input.type));
  return takesMore || WORD_MAKERS.test(node.type) || Object.keys(node.widgets).some((name) => MAKER_WIDGETS.test(name));
}

/**
 * Whether what enters by an input leaves at output `slot`: by its side where the node keeps sides apart, else by type.
 * @param {FlatNode} node @param {import("./flat.js").FlatInput} input @param {number} slot
 */
export function passes(node, input, slot) {
  if (!CARRIERS.has(node.outputs[slot]?.type ?? "") || !CARRIERS.has(input.type)) return false;
  const side = outputSide(node, slot);
  return !side || sideOf(node, input.name) === side;
}
