// The whole scheduled wiring on request: encoders that can schedule, the sampler hook, and both texts; one undo step.
import { keyOf, nodeAt, notify, oneStepOnPage, say, setWidget } from "../host.js";
import { escapeWords, format } from "../lib/df_text.js";
import { familyOf } from "../lib/family.js";
import { appended } from "../lib/fields.js";
import { isScheduled, planWiring } from "../lib/plan.js";
import { makeEncoder, makeRoom, placesFor, replaceEncoder } from "./encoder.js";
import { readText, valuesOf } from "./fields.js";
import { nagOf } from "./guidance.js";
import { HOOK, insertBefore, NAG } from "./insert.js";
import { flatNow, isChanged, isSure, samplersToGuide, suggestion, tell, tellNothing } from "./one_click.js";
import { guarded } from "./style.js";

const ENCODER = "NegOptEncode";
const TEXT = "df_text";

/** Write both prompts with windows, and wire the graph so that every window is kept exactly. */
export async function writeScheduled(node) {
  await guarded(async () => {
    const flat = flatNow();
    const wiring = planWiring(flat, keyOf(node), nagOf);
    if (wiring.fault) throw new Error(say(wiring.fault, wiring.values));
    const { plan } = wiring;
    const positive = sideOf(flat, plan.prompt, plan.prompts.flatMap((text) => text.read));
    const negative = sideOf(flat, plan.negative ?? plan.kept);
    const places = plan.negative ? null : placesFor(plan);
    if (!plan.negative && !places) throw new Error(say("no-encoder"));
    if (!(await isSure(plan.doubts))) return;
    const family = familyOf(flat, plan.samplers[0]);
    const asked = { prompt: positive.asked, negative: negative.asked, mode: "negative and modifiers", family };
    const answer = await suggestion({ ...asked, scheduled: true });
    positive.words = answer.df_positive.slice(format(positive.asked).length);
    negative.words = answer.df_negative.slice(format(negative.asked).length);
    // nothing to schedule, so nothing is rewired
    const nothing = negative.asked.trim() && !answer.warnings.length ? "nothing-to-schedule" : "nothing-added";
    if (!positive.words && !negative.words) return tellNothing(answer, nothing);
    const guided = await samplersToGuide(flat, plan.samplers);
    if (!guided) return; // cancelled
    if ([positive, negative].some(isChanged)) throw new Error(say("was-changed"));
    let made = [];
    await oneStepOnPage(
      () => (made = change(wiring, { positive, negative, places, guided })),
      () => makeRoom(made),
    );
    const notes = plan.notes.filter((note) => note.code !== "cfg-one" || !guided.length);
    const words = [positive.words, negative.words].map((one) => one.replace(/^[\s,]+/, ""));
    tell("wrote-scheduled", words.filter(Boolean).join(" | "), notes, family);
  }, notify);
}

/** A text as it stands, and as DF text: where no encoder of ours reads it yet, a bracket is an ordinary letter. */
function sideOf(flat, text, read = text?.fields ?? []) {
  const fields = text?.fields ?? [];
  const asDf = fields.length && fields.every(({ key }) => isScheduled(flat, key)) ? (value) => value : escapeWords;
  const values = valuesOf(fields);
  return { fields, values, own: values.map((value) => asDf(value ?? "")), asked: asDf(readText(read)), words: "" };
}

/** Returns the encoders it made. */
function change({ plan, replaced, unhooked }, { positive, negative, places, guided }) {
  const old = new Set(replaced.map(nodeAt)); // two instances of a subgraph have the same nodes
  const holders = new Map([...positive.fields, ...negative.fields].map(({ key }) => [key, nodeAt(key)]));
  const made = new Map([...old].map((node) => [node, replaceEncoder(node, ENCODER, { text: TEXT })]));
  const write = ({ fields, own, words }) => {
    const texts = appended(own, words);
    fields.forEach(({ key, name }, index) => {
      const target = made.get(holders.get(key));
      setWidget(target ?? holders.get(key), target ? TEXT : name, texts[index]);
    });
  };
  write(positive);
  if (plan.negative) write(negative);
  else {
    const encoder = makeEncoder({ ...places, model: made.get(places.model) ?? places.model }, [TEXT]);
    made.set(encoder, encoder);
    setWidget(encoder, TEXT, appended(negative.own.length ? negative.own : [""], negative.words)[0]);
  }
  const parts = new Map(unhooked.map((part) => [nodeAt(part.key), part])).values();
  for (const { key, offset, total } of parts) insertBefore(key, HOOK, { step_offset: offset, total_steps: total });
  for (const sampler of guided) insertBefore(sampler, NAG);
  return [...made.values()];
}
