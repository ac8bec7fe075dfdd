// Every sentence of ours that the page shows, in English. locales/<language>/main.json has the others under "negopt".
// @ts-check

/** @type {Record<string, string>} */
export const ENGLISH = {
  "menu-negative": "negopt: write the negative",
  "menu-modifiers": "negopt: add modifiers",
  "no-node": "Select a node that holds a prompt first.",
  "no-text": "This node holds no prompt text.",
  "computed-text": "The prompt is computed by another node, so it is known only when the graph runs. Use 'negopt: write prompts'.",
  "no-sampler": "This text reaches no sampler yet. Connect it first.",
  "no-positive": "The sampler's positive prompt cannot be found, so there is nothing to write a negative for.",
  "no-negative-input": "This guider takes no negative prompt. Use CFGGuider, or a sampler with a negative input.",
  "no-encoder": "There is no negative encoder, and none can be made here: the text and its sampler are in different subgraphs.",
  "prompt-empty": "The prompt is empty. Write what the picture shows first.",
  "nothing-added": "The policy has nothing to add to this text.",
  "was-changed": "The graph changed while negopt was writing. Nothing was filled in.",
  "wrote-negative": "Negative written: {words}",
  "wrote-modifiers": "Modifiers added: {words}",
  "note-cfg-one": "The sampler runs at CFG 1: ComfyUI does not compute the negative there. Raise CFG, or put NAGuidance before the sampler.",
  "note-was-zeroed": "The negative was replaced by zeros; it now has an encoder of its own.",
  "note-many-negatives": "The samplers have several negative texts; only the first was filled.",
  "note-not-all-samplers": "One of the samplers takes its negative from elsewhere and was left alone.",
  "note-plain-encoder": "This encoder cannot schedule words, so they act in the whole run.",
  "server-gone": "ComfyUI's server does not answer.",
  "answer-unreadable": "ComfyUI's server gave an answer that cannot be read; its log may say why.",
};
