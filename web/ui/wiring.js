// The whole scheduled wiring on request: encoders that can schedule, the sampler hook, and both texts; one undo step.
import { keyOf, nodeAt, notify, oneStepOnPage, say, setWidget } from "../host.js";
import { escapeWords, format } from "../lib/df_text.js";
import { planWiring } from "../lib/plan.js";
import { encodersOf, familyOf } from "../lib/trace.js";
import { makeEncoder, makeRoom, placesFor, replaceEncoder } from "./encoder.js";
import { HOOK, insertBefore, NAG } from "./insert.js";
import { flatNow, samplersToGuide, suggestion, tell, textOf } from "./one_click.js";
import { guarded } from "./style.js";

const ENCODER = "NegOptEncode";
const TEXT = "df_text";

/** Write both prompts with windows, and wire the graph so that every window is kept exactly. */
export async function writeScheduled(node) {
  await guarded(async () => {
    const flat = flatNow();
    const wiring = planWiring(flat, keyOf(node));
    if (wiring.fault) throw new Error(say(wiring.fault));
    const sides = sidesOf(flat, wiring);
    const { positive, negative } = sides;
    const places = negative.node ? null : placesFor(wiring.plan);
    if (!negative.node && !places) throw new Error(say("no-encoder"));
    const family = familyOf(flat, wiring.plan.samplers[0]);
    const asked = { prompt: positive.df, negative: negative.df, mode: "negative and modifiers", family };
    const answer = await suggestion({ ...asked, scheduled: true });
    const guided = await samplersToGuide(flat, wiring.plan.samplers);
    if ([positive, negative].some((side) => side.node && textOf(side.node, side.names) !== side.before)) {
      throw new Error(say("was-changed"));
    }
    const texts = { positive: grown(positive, answer.df_positive), negative: grown(negative, answer.df_negative) };
    let made = [];
    await oneStepOnPage(
      () => (made = change(wiring, { sides, texts, places, guided })),
      () => makeRoom(made),
    );
    const words = [texts.positive.slice(positive.df.length), texts.negative.slice(negative.df.length)];
    const notes = wiring.plan.notes.filter((note) => note !== "cfg-one" || !guided.length);
    tell("wrote-scheduled", words.map((one) => one.replace(/^[\s,]+/, "")).filter(Boolean).join(" | "), notes);
  }, notify);
}

/** Both texts as they stand, and as DF text: where no encoder of ours reads it, a bracket is an ordinary letter. */
function sidesOf(flat, { plan, replaced }) {
  const side = (text) => {
    const node = text ? nodeAt(text.key) : null;
    const before = text ? textOf(node, text.widgets) : "";
    const isPlain = text && encodersOf(flat, text.key).every((key) => replaced.includes(key));
    return { node, names: text?.widgets ?? [], before, df: isPlain ? escapeWords(before) : before };
  };
  return { positive: side(plan.prompt), negative: side(plan.negative) };
}

/** The user's own words as they are, and what the policy added. */
const grown = ({ df }, answer) => df + answer.slice(format(df).length);

/** Returns the encoders it made. */
function change({ replaced, unhooked }, { sides, texts, places, guided }) {
  const old = new Set(replaced.map(nodeAt)); // two instances of a subgraph have the same nodes
  const made = new Map([...old].map((node) => [node, replaceEncoder(node, ENCODER, { text: TEXT })]));
  const write = (side, text) => {
    const target = made.get(side.node);
    if (target) return setWidget(target, TEXT, text);
    for (const name of side.names) setWidget(side.node, name, text);
  };
  write(sides.positive, texts.positive);
  if (sides.negative.node) write(sides.negative, texts.negative);
  else if (places) {
    const encoder = makeEncoder({ ...places, model: made.get(places.model) ?? places.model }, [TEXT]);
    made.set(encoder, encoder);
    setWidget(encoder, TEXT, texts.negative);
  }
  const parts = new Map(unhooked.map((part) => [nodeAt(part.key), part])).values();
  for (const { key, offset, total } of parts) insertBefore(key, HOOK, { step_offset: offset, total_steps: total });
  for (const sampler of guided) insertBefore(sampler, NAG);
  return [...made.values()];
}
