// Under the nodes that write prompts: what was written, phrase by phrase, before anything is sampled; what of it can
// have no effect, and what to do about it; thumbs up and down.
import { ask, grow, keyOf, nodeAt, notify, oneStep, say, setting } from "../host.js";
import { barsOf } from "../lib/bars.js";
import { freshPhrase, replaced, withoutPhrases } from "../lib/phrases.js";
import { inspectBody, isWritten, policyOf, policyOfRun, textsIn } from "../lib/setup.js";
import { negativeSockets } from "../lib/plan.js";
import { runOf } from "../lib/runs.js";
import { flatNow, onGpu } from "./one_click.js";
import { canOpen, isShort, keepLess } from "./less.js";
import { keepText, remedyOf } from "./remedies.js";
import { keepLooking } from "./looking.js";
import { keepOrigin, missingPolicy, originLine } from "./origin.js";
import { hasChoice, offeredPolicies } from "./settings.js";
import { button, guarded, make } from "./style.js";
import { askWhyOnHover, hintOf } from "./why.js";
import { isWriter, showTexts, widgetOf } from "./writers.js";

const told = (work) => guarded(work, notify);
const LOOK_EVERY = 700; // ms
const MOST_FINDINGS = 6;
const MOST_PHRASES = 60;
const TRIES = 6; // seeds asked for another phrase
const [LEAST_HEIGHT, MOST_HEIGHT, MARGIN] = [64, 220, 32]; // the margin holds padding and gaps too
/** Beside bars, so that a node fits on a laptop's screen, with all of its settings on one of 900 px; the Vue renderer's fields are taller. */
const sharedHeight = (node) => (window.LiteGraph.vueNodesMode ? 100 : 160) + (isShort(node) ? 60 : 0);

/** Give a writing node its review. */
export function addReview(node) {
  if (!isWriter(node) || !node.addDOMWidget) return;
  const root = make("div", "negopt-meter");
  const parts = { bar: make("div", "negopt-finding"), findings: make("div"), phrases: make("div", "negopt-phrases") };
  const origin = make("div", "negopt-origin");
  root.append(parts.bar, parts.findings, parts.phrases, origin);
  const state = { node, root, origin, ...parts, asked: "", pending: "", shown: "", chips: [] };
  fillBar(state);
  fillOrigin(state);
  askWhyOnHover(state, (live) => bodyFor(live, 0));
  const widget = node.addDOMWidget("review", "negopt_review", root, {
    serialize: false,
    hideOnZoom: false,
    margin: 8,
    getMinHeight: () => heightOf(state),
  });
  widget.serialize = false;
  keepLooking(state, () => look(state), LOOK_EVERY);
}

/** Room for all there is to see, up to a limit; past it the review scrolls, and a node that is made larger shows more. */
function heightOf({ node, bar, findings, phrases, origin }) {
  const needed = [bar, findings, phrases, origin].reduce((sum, one) => sum + one.offsetHeight, MARGIN);
  const most = widgetOf(node, "timeline")?.element?.hidden === false ? sharedHeight(node) : MOST_HEIGHT - (isShort(node) ? 0 : 50);
  return Math.min(most, Math.max(LEAST_HEIGHT, needed));
}

/** The Vue renderer gives an element the height of what is in it; `contain` takes that away, this is what it needs. */
function fit(state) {
  state.root.style.minHeight = window.LiteGraph.vueNodesMode ? `${heightOf(state)}px` : "";
  grow(state.node);
}

function fillBar(state) {
  const write = button(say("review-write"), () => told(() => writeNow(state)), say("review-write-hint"));
  state.more = button(say("review-more"), () => {
    oneStep(() => state.node.toggleAdvanced());
    keepOpener(state);
  });
  state.more.classList.add("negopt-more");
  state.bar.append(write, state.more);
  state.bar.dataset.severity = "none";
  keepOpener(state);
}

/** On the classic canvas: the way to the settings that are not shown; the Vue renderer has a button of its own. */
function keepOpener({ node, more }) {
  keepLess(node);
  more.hidden = !canOpen(node);
  const label = say(node.showAdvanced ? "review-less" : "review-more");
  if (more.textContent !== label) more.textContent = label;
}

/** Where the texts come from, and whether they are liked; shown once there are texts. */
function fillOrigin(state) {
  state.line = make("span");
  const up = button("", () => told(() => like(state, "up")), say("review-up"));
  const down = button("", () => told(() => like(state, "down")), say("review-down"));
  up.append(make("i", "pi pi-thumbs-up"));
  down.append(make("i", "pi pi-thumbs-down"));
  state.origin.append(state.line, up, down);
  state.origin.hidden = true;
}

/** Ask the policy now, as a run would, and show what it says in the node. */
async function writeNow(state) {
  const { node } = state;
  if (widgetOf(node, "locked")?.value) throw new Error(say("review-locked"));
  const answer = await suggestionFor(node, 0);
  oneStep(() => {
    showTexts(node, { locked_positive: answer.df_positive, locked_negative: answer.df_negative });
    keepOrigin(node, answer);
    drawPhrases(state); // now, so that what the node grows by belongs to the same undo step
    node.setDirtyCanvas?.(true, true);
  });
  if (answer.warnings.length && !setting("negopt.quiet")) notify("info", answer.warnings.join("\n"));
}

/**
 * A run that ComfyUI answered from its cache tells nodes in its middle nothing. The same question has the same answer, so it
 * is asked again for nodes that show no texts; wildcards and linked prompts are known to the run alone.
 */
export async function showCachedTexts() {
  for (const key of flatNow().keys()) {
    const node = nodeAt(key);
    if (!node || !isWriter(node) || widgetOf(node, "locked")?.value || widgetOf(node, "locked_positive")?.value) continue;
    const own = ["prompt", "negative"].map((name) => String(widgetOf(node, name)?.value ?? ""));
    const isLinked = node.inputs?.some((input) => input.link != null && ["prompt", "negative", "seed"].includes(input.name));
    const isOther = (widgetOf(node, "control_after_generate")?.value ?? "fixed") !== "fixed"; // the seed has moved on
    if (!own[0].trim() || isLinked || isOther || own.some((text) => text.includes("{"))) continue;
    await told(async () => {
      const answer = await suggestionFor(node, 0);
      showTexts(node, { locked_positive: answer.df_positive, locked_negative: answer.df_negative });
      keepOrigin(node, answer);
    });
  }
}

const suggestionFor = (node, shift) => ask("/suggest", bodyFor(node, shift));

/** What the policy is asked, as a run asks it; `shift` is added to the seed. */
function bodyFor(node, shift) {
  const flat = flatNow();
  const asRun = policyOfRun(flat, keyOf(node));
  const policy = offeredPolicies().some((one) => one.name === asRun) ? asRun : policyOf(flat, flat.get(keyOf(node)));
  const [prompt, negative, mode] = ["prompt", "negative", "mode"].map((name) => widgetOf(node, name)?.value ?? "");
  const seed = (Number(widgetOf(node, "seed")?.value) || 0) + shift;
  return { prompt, negative, mode, seed: Number.isSafeInteger(seed) ? seed : shift, ...(policy && { policy }), ...onGpu() };
}

async function like(state, verdict) {
  const { node } = state;
  const flat = flatNow();
  const { positive, negative } = textsNow(node);
  if (!positive && !negative) throw new Error(say("review-empty"));
  const prompt = String(widgetOf(node, "prompt")?.value ?? "");
  const seed = Number(widgetOf(node, "seed")?.value) || 0;
  const kept = { verdict, prompt, positive, negative, policy: policyOf(flat, flat.get(keyOf(node))) };
  await ask("/likes", { ...kept, seed: Number.isSafeInteger(seed) ? seed : 0 });
  notify("success", say(`review-kept-${verdict}`));
}

const valuesNow = (node) => Object.fromEntries((node.widgets ?? []).map((one) => [one.name, one.value]));
const textsNow = (node) => textsIn(valuesNow(node));

function look(state) {
  const key = keyOf(state.node);
  if (!key) return;
  const flat = flatNow();
  const { body, sampler } = inspectBody(flat, key);
  const policy = policyOf(flat, flat.get(key));
  const missing = [...lockedLine(state.node), ...missingPolicy(state.node, policy)];
  state.hasChoice = hasChoice(policy);
  const sockets = sampler ? negativeSockets(flat, sampler) : [];
  const asked = JSON.stringify([body, missing]);
  keepOpener(state);
  drawPhrases(state);
  // a text that is being typed is not judged letter by letter
  if (asked !== state.asked && asked === state.pending) {
    judge(state, { body, asked, missing, sampler, sockets, run: sampler && runOf(flat, sampler) });
  }
  state.pending = asked;
}

/** A locked node writes nothing new; the switch that says so is among the settings that are not shown. */
const lockedLine = (node) =>
  widgetOf(node, "locked")?.value ? [{ code: "locked", severity: "info", message: say("review-is-locked"), remedy: "" }] : [];

async function judge(state, { body, asked, missing, sampler, sockets, run }) {
  state.asked = asked;
  let answer;
  try {
    answer = await ask("/inspect", body);
  } catch (error) {
    return drawFindings(state, [{ severity: "warning", message: String(error.message) }], {});
  }
  if (state.asked !== asked) return; // a later question is on its way
  const texts = { positive: body.positive, negative: body.negative };
  const context = { node: state.node, sampler, sockets, texts, steps: run?.steps ?? 20, family: body.model_family };
  drawFindings(state, [...missing, ...answer.findings.map((one) => asWritten(state.node, one))], context);
}

/** An empty negative that the next run will write is no fault. */
function asWritten(node, finding) {
  const values = valuesNow(node);
  if (finding.code !== "negative-empty" || isWritten(values) || values.mode === "modifiers") return finding;
  return { code: "unwritten", severity: "info", message: say("review-unwritten"), remedy: "" };
}

function drawFindings(state, findings, context) {
  const isQuiet = setting("negopt.quiet");
  const shown = findings.filter((one) => one.severity === "warning" || !isQuiet).slice(0, MOST_FINDINGS);
  const lines = shown.map((finding) => {
    const line = make("div", "negopt-finding");
    line.dataset.severity = finding.severity;
    line.append(make("span", "", finding.message));
    line.title = finding.remedy ?? "";
    const remedy = context.node ? remedyOf(finding, context) : null;
    if (remedy) line.append(button(remedy.label, remedy.act, finding.remedy));
    return line;
  });
  if (!lines.length) {
    const good = make("div", "negopt-finding");
    good.dataset.severity = "good";
    good.append(make("span", "", say("checks-good")));
    lines.push(good);
  }
  state.findings.replaceChildren(...lines);
  fit(state);
}

/** A chip for each phrase that was written; the user's own words have none. */
function drawPhrases(state) {
  const { positive, negative } = textsNow(state.node);
  const [prompt, own] = ["prompt", "negative"].map((name) => String(widgetOf(state.node, name)?.value ?? ""));
  const line = originLine(state.node);
  const now = JSON.stringify([positive, negative, prompt, own, line, state.hasChoice]);
  if (now === state.shown) return;
  Object.assign(state, { shown: now, why: null, whyAsked: "" });
  state.line.textContent = line;
  const chips = [...chipsOf(state, "positive", positive, prompt), ...chipsOf(state, "negative", negative, own)];
  state.chips = chips.slice(0, MOST_PHRASES);
  state.phrases.replaceChildren(...state.chips.map(({ chip }) => chip));
  state.origin.hidden = !line && !chips.length;
  fit(state);
}

function chipsOf(state, side, text, own) {
  const known = new Set(barsOf(own).bars.map((bar) => bar.label.toLowerCase()));
  return barsOf(text)
    .bars.filter((bar) => !known.has(bar.label.toLowerCase()))
    .map((bar) => {
      const chip = make("span", "negopt-chip");
      chip.dataset.side = side;
      const again = button("⟳", () => told(() => reroll(state, side, bar)), say("review-reroll", { words: bar.label }));
      const gone = button("×", () => remove(state, side, bar), say("review-remove", { words: bar.label }));
      chip.title = hintOf(state, side, bar);
      chip.append(make("span", "", bar.label), ...(state.hasChoice ? [again] : []), gone);
      return { chip, bar };
    });
}

function remove(state, side, bar) {
  const texts = textsNow(state.node);
  oneStep(() => keepText(state.node, { ...texts, [side]: withoutPhrases(texts[side], [bar.label]) }));
}

/** Put another phrase of the policy in one's place; the node is locked, so that the rest stays as it is. */
async function reroll(state, side, bar) {
  const { node } = state;
  const texts = textsNow(node);
  for (let shift = 1; shift <= TRIES; shift += 1) {
    const answer = await suggestionFor(node, shift);
    const fresh = freshPhrase(texts[side], side === "positive" ? answer.df_positive : answer.df_negative);
    if (!fresh) continue;
    return oneStep(() => keepText(node, { ...texts, [side]: replaced(texts[side], bar, fresh) }));
  }
  notify("info", say("review-no-other"));
}
