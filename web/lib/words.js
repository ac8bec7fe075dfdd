// Which nodes hold words, which carry them, and which make others of them. Plain data, no page.
// @ts-check
import { PROMOTED } from "./flat.js";

/** @typedef {import("./flat.js").FlatNode} FlatNode */

/** Widgets that hold a prompt, by name; a node with several (SDXL, Flux) gets the same words in each. */
const TEXT_WIDGETS = ["text", "df_text", "text_g", "text_l", "clip_l", "clip_g", "t5xxl", "prompt", "string", "value"];
export const CARRIERS = new Set(["STRING", "CONDITIONING", "*"]);
/** Nodes that hold a string and give it as it is, whatever widgets they have beside it. */
const STRING_NODES = /^NegOptTimeline$|primitive|string ?(constant|literal)/i;
/** What nodes have that make words rather than carry them: language models first of all. */
const WORD_MAKERS = /^NegOptSuggest$|generate|extract|caption|interrogat|translat|enhance|llm|chat|gpt|gemini|claude|ollama/i;
const MAKER_WIDGETS = /^(model|seed|temperature|max_(new_)?(tokens|length)|system_prompt)$/;
const WORD_TYPES = new Set(["STRING", "*", "INT", "FLOAT", "BOOLEAN", "COMBO", "CONDITIONING"]);
const NO_PROMPT = /^(NegOptSuggest|NegOptOneClick|Save|Load|Note|Markdown)/; // ours write their texts themselves

/**
 * The prompt widgets of a node; none for a node that holds no prompt.
 * @param {FlatNode | undefined} node
 * @returns {string[]}
 */
export function textWidgets(node) {
  if (!node || NO_PROMPT.test(node.type) || !node.outputs.some((output) => CARRIERS.has(output.type))) return [];
  // a promoted widget has the name that the subgraph gives it
  const known = node.type === PROMOTED ? Object.keys(node.widgets) : TEXT_WIDGETS;
  const names = known.filter((name) => typeof node.widgets[name] === "string");
  return encodes(node) || STRING_NODES.test(node.type) || isBareString(node) ? names : [];
}

/** @param {FlatNode} node */
export const encodes = (node) => node.outputs.some((output) => output.type === "CONDITIONING");

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
