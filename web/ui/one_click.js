// One click: write the negative of a prompt, or add modifiers to it, wherever in the graph its text stands.
import {
  app, ask, keyOf, nodeAt, notify, oneStep, oneStepOnPage, rootGraph, say, setWidget, setting,
} from "../host.js";
import { escapeWords, format, plainText } from "../lib/df_text.js";
import { familyOf } from "../lib/family.js";
import { flatten } from "../lib/flat.js";
import { levelOfGraph } from "../lib/levels.js";
import { atCfgOne, clicked, isScheduled as readsWindows, nameOf, planNegative, takesWindows } from "../lib/plan.js";
import { makerBelow } from "../lib/trace.js";
import { textWidgets } from "../lib/words.js";
import { choose, confirm } from "./dialog.js";
import { makeEncoder, makeRoom, placesFor, writeWithRoom } from "./encoder.js";
import { addWords, nodesOf, readText, valuesOf } from "./fields.js";
import { nagOf } from "./guidance.js";
import { hasNode, insertBefore, NAG } from "./insert.js";
import { chosenPolicy } from "./settings.js";
import { guarded } from "./style.js";

const SHOWN = 160;

/** The graph as it is now. */
export const flatNow = () => flatten(levelOfGraph(rootGraph()));

/** The live nodes of the graph, also those in subgraphs, each once. */
export const nodesNow = () => [...new Set([...flatNow().keys()].map(nodeAt))].filter(Boolean);

/** Whether a live node holds a prompt that the menu can act on. */
export function hasPrompt(node) {
  if (node.isSubgraphNode?.()) return false; // its texts belong to the nodes in it
  const level = { nodes: levelOfGraph({ nodes: [node], links: [] }).nodes, links: new Map() };
  return textWidgets(flatten(level).values().next().value).length > 0;
}

/** Write the negative for the prompt that `node` holds, or into `node` if it holds the negative. */
export async function writeNegative(node) {
  await guarded(async () => {
    const flat = flatNow();
    const plan = planNegative(flat, keyOf(node), nagOf);
    if (plan.fault && plan.prompts) return offerByHand(flat, plan);
    if (plan.fault) throw new Error(say(plan.fault, plan.values));
    const places = plan.negative ? null : placesFor(plan);
    if (!plan.negative && !places) throw new Error(say("no-encoder"));
    if (!(await isSure(plan.doubts))) return;
    const own = ownOf(flat, plan);
    const family = familyOf(flat, plan.samplers[0]);
    const answer = await suggestion({ prompt: promptOf(plan), negative: own.df, mode: "negative", family });
    const words = added(own, answer.df_negative, answer.negative);
    const guided = await samplersToGuide(flat, plan.samplers);
    if (!guided) return; // cancelled
    if (!words && !guided.length) return tellNothing(answer);
    if (isChanged(own)) throw new Error(say("was-changed"));
    const names = textWidgets(flat.get(plan.encoder));
    await fillNegative({ plan, places, names, own, words }, () => guided.forEach((sampler) => insertBefore(sampler, NAG)));
    const notes = plan.notes.filter((note) => note.code !== "cfg-one" || !guided.length);
    tell("wrote-negative", words, notes, family);
  }, notify);
}

/** The negative is made by a node that is not understood: it stays, and what could be added there is said. */
async function offerByHand(flat, { fault, values, prompts, samplers }) {
  const prompt = prompts.map((text) => readText(text.read)).join(", ");
  const answer = await suggestion({ prompt, negative: "", mode: "negative", family: familyOf(flat, samplers[0]) });
  notify("warn", say(fault, { ...values, words: answer.negative }));
}

/** What the user's own negative is: its fields and values, its text, and the same as DF text. */
export function ownOf(flat, { negative, kept, encoder }) {
  const fields = (negative ?? kept)?.fields ?? [];
  const wasDf = fields.length > 0 && fields.every(({ key }) => readsWindows(flat, key));
  const isDf = negative ? wasDf : readsWindows(flat, encoder);
  const hasWindows = negative ? takesWindows(flat, negative) : isDf;
  const before = fields.length ? asRead(readText(fields), wasDf, isDf) : "";
  return { fields, values: valuesOf(fields), before, isDf, hasWindows, df: isDf ? before : escapeWords(before) };
}

/** A text in the notation of the encoder that is going to read it. */
function asRead(text, wasDf, isDf) {
  if (wasDf === isDf) return text;
  return isDf ? escapeWords(text) : plainText(text);
}

/** Every positive that the samplers read. */
export const promptOf = ({ prompts }) => prompts.map((text) => readText(text.read)).filter((text) => text.trim()).join(", ");

/** Whether fields hold something else than when they were read, or are gone. */
export const isChanged = ({ fields, values }) => JSON.stringify(valuesOf(fields)) !== JSON.stringify(values);

/** Ask before something is written where it is a guess that the prompt stands. */
export async function isSure(doubts) {
  return !doubts.length || confirm(say("doubt-title"), say("doubt-why", { fields: doubts.join("; ") }), say("doubt-write"));
}

/** Write into the encoder that is there, or make one and give it room once the page has given it its height. */
async function fillNegative({ plan, places, names, own, words }, andThen) {
  if (plan.negative) {
    return oneStep(() => {
      writeWithRoom(nodesOf(own.fields), () => addWords(own.fields, words));
      andThen();
    });
  }
  let made;
  return oneStepOnPage(
    () => {
      made = makeEncoder(places, names);
      for (const name of names) setWidget(made, name, own.before + words);
      andThen();
    },
    () => makeRoom([made]),
  );
}

/** At CFG 1 offer ComfyUI's own NAG where it acts, and say why; the samplers that the user wants it for, null for none of it. */
export async function samplersToGuide(flat, samplers) {
  const unguided = atCfgOne(flat, samplers).filter((one) => nagOf(familyOf(flat, one)) === "acts");
  if (!unguided.length || !hasNode(NAG)) return [];
  const chosen = await choose(say("nag-title"), say("nag-why"), [say("nag-without"), say("nag-with")]);
  return chosen < 0 ? null : chosen ? unguided : [];
}

/** Add modifiers behind the prompt that `node` holds. */
export async function addModifiers(node) {
  await guarded(async () => {
    const flat = flatNow();
    const asked = clicked(flat, keyOf(node));
    if (asked.fault) throw new Error(say(asked.fault, asked.values));
    const { text, fed, doubts } = asked;
    const maker = makerBelow(flat, text.encoder);
    if (!fed.length && maker) throw new Error(say("computed-text", { node: nameOf(flat, maker) }));
    if (fed.length && fed.every(({ side }) => side === "negative")) throw new Error(say("is-negative"));
    if (!(await isSure(doubts))) return;
    const { fields, read } = text;
    const isDf = fields.every(({ key }) => readsWindows(flat, key));
    const before = readText(read);
    const own = { fields, values: valuesOf(fields), before, isDf, hasWindows: takesWindows(flat, text) };
    const family = fed.length ? familyOf(flat, fed[0].sampler) : undefined;
    const answer = await suggestion({ prompt: isDf ? before : escapeWords(before), negative: "", mode: "modifiers", family });
    const words = added(own, answer.df_positive, answer.positive);
    if (!words) return tellNothing(answer);
    if (isChanged(own)) throw new Error(say("was-changed"));
    oneStep(() => writeWithRoom(nodesOf(fields), () => addWords(fields, words)));
    tell("wrote-modifiers", words, maker ? [{ code: "feeds-maker", values: { node: nameOf(flat, maker) } }] : [], family);
  }, notify);
}

/** The selected node that holds a prompt, if one does. */
export const selectedPrompt = () => Object.values(app.canvas?.selected_nodes ?? {}).find(hasPrompt);

/** Run a command on the one selected node that holds a prompt. */
export function onSelected(action) {
  return () => {
    const node = selectedPrompt();
    if (node) return action(node);
    notify("warn", say("no-node"));
  };
}

/** Ask for a suggestion with the user's settings. */
export async function suggestion({ prompt, negative, mode, family, scheduled = false }) {
  if (!prompt.trim()) throw new Error(say("prompt-empty"));
  const policy = chosenPolicy(); // "": the server's default for the family
  const budget = Number(setting("negopt.budget")) || 0;
  const asked = { prompt, negative, mode, ...(policy && { policy }), ...(family && { model_family: family }), ...(scheduled && { scheduled }) };
  return ask("/suggest", { ...asked, ...(budget > 0 && { max_tokens: budget }), ...onGpu() });
}

/** Where the user lets policies with weights run. */
export const onGpu = () => (setting("negopt.device") === "gpu" ? { on_gpu: true } : {});

/** What is added behind the user's own text, which itself is never rewritten; plain words where windows may not go. */
export function added({ before, isDf, hasWindows }, dfText, plain) {
  if (hasWindows) return dfText.slice(format(before).length);
  return isDf ? escapeWords(plain.slice(plainText(before).length)) : plain.slice(before.length);
}

/** Say that nothing was added, and why, as far as the policy tells. */
export const tellNothing = ({ warnings = [] }, key = "nothing-added") => notify("info", [say(key), ...warnings.slice(0, 1)].join(" "));

const forFamily = (family) => (family === "world" ? say("for-world") : say(family ? "for-family" : "for-no-family", { family }));

/** Say in one notice what was written, for which family of models, and what the user should know of it. */
export function tell(key, added, notes, family) {
  const words = added.replace(/^[\s,]+/, "");
  const shown = words.length > SHOWN ? `${words.slice(0, SHOWN)}…` : words;
  const told = notes.filter(({ code }) => code.startsWith("cfg-one") || !setting("negopt.quiet"));
  const lines = [`${say(key, { words: shown })}${/[.…]$/.test(shown) ? "" : "."}`, forFamily(family)];
  notify(told.length ? "warn" : "success", [...lines, ...told.map((note) => say(`note-${note.code}`, note.values))].join(" "));
}
