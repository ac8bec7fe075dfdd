// Why each phrase was written, told where the pointer or the focus rests on it; asked only then.
import { ask, say } from "../host.js";
import { isPlain } from "../lib/bars.js";
import { writeSpan } from "../lib/df_text.js";
import { reasonFor } from "../lib/phrases.js";

/** Ask once for what stands in the review now, and put the answer into its chips. `body` is that of a suggestion. */
export function askWhyOnHover(state, body) {
  for (const event of ["pointerover", "focusin"]) {
    state.phrases.addEventListener(event, () => tellWhy(state, body(state.node)).catch(() => {})); // a hint more or less
  }
}

async function tellWhy(state, body) {
  const asked = JSON.stringify(body);
  if (state.whyAsked === asked) return;
  state.whyAsked = asked;
  const answer = await ask("/why", body);
  if (state.whyAsked !== asked) return;
  state.why = Object.fromEntries(Object.entries(answer).map(([side, told]) => [side, inWords(told)]));
  for (const { chip, bar } of state.chips) chip.title = hintOf(state, chip.dataset.side, bar);
}

/** Phrase -> its reasons in one line of the user's language. */
const inWords = (told) =>
  Object.fromEntries(Object.entries(told).map(([phrase, reasons]) => [phrase, reasons.map(sentence).join("; ")]));

const sentence = ({ code, values }) => say(`why-${code}`, values);

/** What a chip says when the pointer rests on it: the phrase with its window, and why it is there. */
export function hintOf({ why }, side, bar) {
  const words = isPlain(bar) ? bar.label : writeSpan(bar);
  const reason = reasonFor(why?.[side === "positive" ? "modifiers" : "negative"] ?? {}, bar.label);
  return reason ? `${words}\n${say("review-why", { reason })}` : words;
}
