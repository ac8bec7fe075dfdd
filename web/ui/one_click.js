// One click: write the negative of a prompt, or add modifiers to it, wherever in the graph its text stands.
import {
  app, ask, confirm, keyOf, nodeAt, notify, oneStep, oneStepOnPage, rootGraph, say, setWidget, setting,
} from "../host.js";
import { escapeWords, format } from "../lib/df_text.js";
import { flatten } from "../lib/flat.js";
import { levelOfGraph } from "../lib/levels.js";
import { atCfgOne, isScheduled as readsWindows, planNegative } from "../lib/plan.js";
import { familyOf, isInstruction, samplersFedBy, textWidgets, wordsOf } from "../lib/trace.js";
import { makeEncoder, makeRoom, placesFor, writeWithRoom } from "./encoder.js";
import { hasNode, insertBefore, NAG } from "./insert.js";
import { guarded } from "./style.js";

const SHOWN = 160;

/** The graph as it is now. */
export const flatNow = () => flatten(levelOfGraph(rootGraph()));

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
    const plan = planNegative(flat, keyOf(node));
    if (plan.fault) throw new Error(say(plan.fault));
    const target = plan.negative ? nodeAt(plan.negative.key) : null;
    const places = target ? null : placesFor(plan);
    if (!target && !places) throw new Error(say("no-encoder"));
    const isScheduled = readsWindows(flat, plan.negative?.key ?? plan.encoder);
    const before = target ? textOf(target, plan.negative.widgets) : "";
    const asked = { prompt: textOf(nodeAt(plan.prompt.key), plan.prompt.widgets), family: familyOf(flat, plan.samplers[0]) };
    const answer = await suggestion({ ...asked, negative: isScheduled ? before : escapeWords(before), mode: "negative" });
    const text = before + added(before, isScheduled, answer.df_negative, answer.negative);
    const guided = await samplersToGuide(flat, plan.samplers);
    if (text === before && !guided.length) return notify("info", say("nothing-added"));
    if (target && (textOf(target, plan.negative.widgets) !== before || !target.graph)) throw new Error(say("was-changed"));
    const names = plan.negative?.widgets ?? textWidgets(flat.get(plan.encoder));
    await fillNegative({ target, places, names, text }, () => guided.forEach((sampler) => insertBefore(sampler, NAG)));
    const notes = plan.notes.filter((note) => note !== "cfg-one" || !guided.length);
    tell("wrote-negative", text.slice(before.length), [...notes, ...(isScheduled ? [] : plainNote(answer))]);
  }, notify);
}

/** Write into the encoder that is there, or make one and give it room once the page has given it its height. */
async function fillNegative({ target, places, names, text }, andThen) {
  const fill = (node) => names.forEach((name) => setWidget(node, name, text));
  if (target) {
    return oneStep(() => {
      writeWithRoom([target], () => fill(target));
      andThen();
    });
  }
  let made;
  return oneStepOnPage(
    () => {
      made = makeEncoder(places, names);
      fill(made);
      andThen();
    },
    () => makeRoom([made]),
  );
}

/** At CFG 1 offer ComfyUI's own NAG, and say why; the samplers that the user wants it for. */
export async function samplersToGuide(flat, samplers) {
  const unguided = atCfgOne(flat, samplers);
  if (!unguided.length || !hasNode(NAG)) return [];
  return (await confirm(say("nag-title"), say("nag-why"))) ? unguided : [];
}

/** Add modifiers behind the prompt that `node` holds. */
export async function addModifiers(node) {
  await guarded(async () => {
    const flat = flatNow();
    const key = keyOf(node);
    const words = textWidgets(flat.get(key)).length ? wordsOf(flat, key) : null;
    const fed = samplersFedBy(flat, key);
    const target = words && (fed.length || !isInstruction(flat, key)) && nodeAt(words.key);
    if (!target) throw new Error(say(textWidgets(flat.get(key)).length ? "computed-text" : "no-text"));
    const isScheduled = readsWindows(flat, words.key);
    const before = textOf(target, words.widgets);
    const sampler = fed[0]?.sampler;
    const prompt = isScheduled ? before : escapeWords(before);
    const answer = await suggestion({ prompt, negative: "", mode: "modifiers", family: sampler && familyOf(flat, sampler) });
    const text = before + added(before, isScheduled, answer.df_positive, answer.positive);
    if (text === before) return notify("info", say("nothing-added"));
    if (textOf(target, words.widgets) !== before || !target.graph) throw new Error(say("was-changed"));
    oneStep(() => writeWithRoom([target], () => words.widgets.forEach((name) => setWidget(target, name, text))));
    tell("wrote-modifiers", text.slice(before.length), isScheduled ? [] : plainNote(answer));
  }, notify);
}

/** Run a command on the one selected node that holds a prompt. */
export function onSelected(action) {
  return () => {
    const node = Object.values(app.canvas?.selected_nodes ?? {}).find(hasPrompt);
    if (node) return action(node);
    notify("warn", say("no-node"));
  };
}

/** Ask for a suggestion with the user's settings. */
export async function suggestion({ prompt, negative, mode, family, scheduled = false }) {
  if (!prompt.trim()) throw new Error(say("prompt-empty"));
  const policy = setting("negopt.policy") || ""; // empty: the server's default for the family
  const budget = Number(setting("negopt.budget")) || 0;
  const asked = { prompt, negative, mode, ...(policy && { policy }), ...(family && { model_family: family }), ...(scheduled && { scheduled }) };
  return ask("/suggest", { ...asked, ...(budget > 0 && { max_tokens: budget }), ...onGpu() });
}

/** Where the user lets policies with weights run. */
export const onGpu = () => (setting("negopt.device") === "gpu" ? { on_gpu: true } : {});

/** What was written behind the user's own text, which itself is never rewritten. */
function added(before, isScheduled, dfText, plainText) {
  return isScheduled ? dfText.slice(format(before).length) : plainText.slice(before.length);
}

/** The words of a live node. */
export const textOf = (node, names) => String(node?.widgets?.find((one) => one.name === names[0])?.value ?? "");

const plainNote = (answer) => (/\[.*:.*:.*\]/.test(answer.df_negative + answer.df_positive) ? ["plain-encoder"] : []);

/** Say what was written, and what the user should know of it. */
export function tell(key, added, notes) {
  const words = added.replace(/^[\s,]+/, "");
  const quiet = setting("negopt.quiet");
  notify("success", say(key, { words: words.length > SHOWN ? `${words.slice(0, SHOWN)}…` : words }));
  for (const note of notes) if (note === "cfg-one" || !quiet) notify("warn", say(`note-${note}`));
}
