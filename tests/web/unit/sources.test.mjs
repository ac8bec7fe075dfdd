// Where words come from, shape by shape: read where they are understood, never replaced where they are not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { textsOf } from "../../../web/lib/climb.js";
import { planNegative, planWiring, takesWindows } from "../../../web/lib/plan.js";
import { samplersFedBy } from "../../../web/lib/trace.js";
import { codes, graph, places } from "./build.mjs";

const BASIC = {
  1: ["LoadModel"],
  2: ["CLIPTextEncode", ["a cat"]],
  3: ["CLIPTextEncode", ["ugly"]],
  4: ["KSampler", [0, "fixed", 20, 7]],
};
const BOTH = ["1.0 > 4.model", "1.1 > 2.clip", "1.1 > 3.clip", "2.0 > 4.positive", "3.0 > 4.negative"];
const POSITIVE = BOTH.filter((wire) => !wire.startsWith("3.") && !wire.includes("> 3."));
/** The basic graph with another negative: nodes 5 and up, and what leads into the sampler. */
const withNegative = (nodes, wires) => graph({ ...BASIC, 3: undefined, ...nodes }, [...POSITIVE, ...wires]);

const NOT_UNDERSTOOD = {
  "a wildcard encoder": [{ 5: ["ImpactWildcardEncode", ["__bad__", "ugly", "populate", 1]] }, ["1.0 > 5.model", "1.1 > 5.clip", "5.2 > 4.negative"], "ImpactWildcardEncode #5"],
  "a pipe": [{ 5: ["FromPipe"] }, ["5.2 > 4.negative"], "FromPipe #5"],
  "an efficient loader": [{ 5: ["Efficient Loader", ["x.safetensors", "a cat", "ugly"]] }, ["5.2 > 4.negative"], "Efficient Loader #5"],
  "a language model": [{ 5: ["CLIPTextEncode", [""]], 6: ["TextGenerate", ["say what is ugly", 99]] }, ["6.0 > 5.text", "5.0 > 4.negative"], "TextGenerate #6"],
  "one field of several that a language model fills": [
    { 5: ["CLIPTextEncodeFlux", ["my words", "", 3]], 6: ["TextGenerate", ["say what is ugly", 99]] }, ["6.0 > 5.t5xxl", "5.0 > 4.negative"], "TextGenerate #6",
  ],
  "a node that sends without a link": [{ 5: ["CLIPTextEncode", ["ugly"]], 6: ["Anything Everywhere"] }, ["5.0 > 6.anything"], "Anything Everywhere #6"],
  "a conditioning node with nothing before it": [{ 5: ["FluxGuidance", [3]] }, ["5.0 > 4.negative"], "FluxGuidance #5"],
};

for (const [what, [nodes, wires, name]] of Object.entries(NOT_UNDERSTOOD)) {
  test(`a negative from ${what} stays, and is named`, () => {
    const flat = withNegative(nodes, wires);
    for (const plan of [planNegative(flat, "2"), planWiring(flat, "2")]) {
      assert.deepEqual([plan.fault, plan.values], ["computed-negative", { node: name }]);
    }
    assert.deepEqual(planNegative(flat, "2").prompts.map(places), ["2.text"]); // for words to be added by hand
  });
}

test("a negative that is understood in one sampler and not in another is written in the one, and that is said", () => {
  const nodes = { ...BASIC, 5: ["FromPipe"], 6: ["KSampler", [0, "fixed", 20, 7]] };
  const plan = planNegative(graph(nodes, [...BOTH, "2.0 > 6.positive", "5.2 > 6.negative"]), "2");
  assert.deepEqual([places(plan.negative), codes(plan), plan.sockets], ["3.text", ["not-all-samplers"], []]);
});

/** Encoders of ComfyUI's own: the fields that are words, by schema. */
const FIELDS = {
  CLIPTextEncodeFlux: [["l", "t", 3], "5.clip_l+5.t5xxl"],
  CLIPTextEncodeSD3: [["l", "g", "t", "none"], "5.clip_l+5.clip_g+5.t5xxl"],
  CLIPTextEncodeSDXL: [["g", "l", 1024], "5.text_g+5.text_l"],
  CLIPTextEncodeHiDream: [["l", "g", "t", "m"], "5.clip_l+5.clip_g+5.t5xxl+5.llama"],
  CLIPTextEncodeKandinsky5: [["l", "q"], "5.clip_l+5.qwen25_7b"],
  CLIPTextEncodeHunyuanDiT: [["b", "m"], "5.bert+5.mt5xl"],
  CLIPTextEncodeLumina2: [["superior", "ugly"], "5.user_prompt"],
};

for (const [type, [values, expected]] of Object.entries(FIELDS)) {
  test(`${type}: every field of words is read and written, on either side`, () => {
    const flat = withNegative({ 5: [type, values] }, ["1.1 > 5.clip", "5.0 > 4.negative"]);
    const plan = planNegative(flat, "2");
    assert.deepEqual([places(plan.negative), plan.doubts], [expected, []]);
    const turned = graph({ ...BASIC, 2: undefined, 5: [type, values] }, ["1.0 > 4.model", "5.0 > 4.positive", "3.0 > 4.negative"]);
    assert.equal(places(planNegative(turned, "3").prompt), expected);
    assert.deepEqual([places(planNegative(turned, "5").prompt), places(planNegative(turned, "5").negative)], [expected, "3.text"]);
  });
}

test("an encoder with both prompts in its fields keeps them apart", () => {
  const nodes = { 1: ["LoadModel"], 4: BASIC[4], 5: ["TextEncodeBooguEdit", ["a cat", "ugly"]] };
  const flat = graph(nodes, ["1.0 > 4.model", "1.1 > 5.clip", "5.0 > 4.positive", "5.1 > 4.negative"]);
  const plan = planNegative(flat, "5");
  assert.deepEqual([places(plan.prompt), places(plan.negative)], ["5.prompt", "5.negative_prompt"]);
  const linked = graph({ ...nodes, 6: ["PrimitiveStringMultiline", ["bad"]] }, ["1.0 > 4.model", "5.0 > 4.positive", "5.1 > 4.negative", "6.0 > 5.negative_prompt"]);
  assert.deepEqual(samplersFedBy(linked, "6"), [{ sampler: "4", side: "negative" }]);
  assert.equal(places(planNegative(linked, "6").prompt), "5.prompt");
});

test("another pack's encoder is read by its schema without its system prompt, and unusual fields are asked about", () => {
  const flat = withNegative({ 5: ["NewbieEncode", ["You are", "ugly", "bad"]] }, ["1.1 > 5.clip", "5.0 > 4.negative"]);
  const plan = planNegative(flat, "2");
  assert.deepEqual([places(plan.negative), plan.doubts], ["5.user_words+5.artist_words", ["NewbieEncode #5: user_words, artist_words"]]);
});

test("both negative sockets of a dual guider are the negative side", () => {
  const nodes = { ...BASIC, 4: ["DualCFGGuider", [5, 2, "regular"]] };
  const wires = ["1.0 > 4.model", "2.0 > 4.cond1", "3.0 > 4.cond2", "3.0 > 4.negative"];
  const flat = graph(nodes, wires);
  assert.deepEqual(samplersFedBy(flat, "3"), [{ sampler: "4", side: "negative" }]);
  assert.equal(places(planNegative(flat, "2").negative), "3.text");
  assert.deepEqual([places(planNegative(flat, "3").prompt), planNegative(flat, "3").prompts.length], ["2.text", 1]);
  assert.equal(places(planWiring(flat, "3").plan.prompt), "2.text");
  const bare = planNegative(graph(nodes, wires.slice(0, 2)), "2");
  assert.deepEqual(bare.sockets, [{ key: "4", input: "cond2" }, { key: "4", input: "negative" }]);
});

test("the empty conditioning of PerpNeg is on no side", () => {
  const nodes = { ...BASIC, 4: ["PerpNegGuider", [7, 1]], 5: ["CLIPTextEncode", [""]] };
  const flat = graph(nodes, ["1.0 > 4.model", "2.0 > 4.positive", "3.0 > 4.negative", "5.0 > 4.empty_conditioning"]);
  assert.deepEqual(samplersFedBy(flat, "5"), []);
  assert.deepEqual(planNegative(flat, "5"), { fault: "no-sampler" });
  assert.deepEqual(planNegative(flat, "2").prompts.map(places), ["2.text"]);
});

test("of strings in a row the last is written, all are read, and a system prompt is neither", () => {
  const system = "You are an assistant that draws. <Prompt Start> ";
  const nodes = (first, second) => ({ ...BASIC, 2: ["CLIPTextEncode", [""]], 5: ["PrimitiveStringMultiline", [first]], 6: ["PrimitiveStringMultiline", [second]], 7: ["StringConcatenate", ["", "", " "]] });
  const wires = [...BOTH, "5.0 > 7.string_a", "6.0 > 7.string_b", "7.0 > 2.text"];
  const plan = (first, second) => planNegative(graph(nodes(first, second), wires), "2").prompt;
  const where = (text) => [places(text), text.read.map(({ key }) => key).join("+")];
  assert.deepEqual(where(plan(system, "a cat")), ["6.value", "6"]);
  assert.deepEqual(where(plan("a cat", "in oil")), ["6.value", "5+6"]);
  assert.deepEqual(where(plan("a cat", "")), ["5.value", "5"]);
  assert.deepEqual(planNegative(graph(nodes(system, "a cat"), wires), "5"), { fault: "system-prompt" });
  const typed = graph({ ...nodes(system, ""), 7: ["StringConcatenate", ["", "a dog", " "]] }, wires.filter((wire) => !wire.startsWith("6.")));
  assert.equal(places(planNegative(typed, "2").prompt), "7.string_b");
});

test("a string that ends in a language model's words is not written into", () => {
  const nodes = { ...BASIC, 5: ["PrimitiveStringMultiline", ["a cat"]], 6: ["TextGenerate", ["x", 9]], 7: ["StringConcatenate", ["", "", " "]] };
  const flat = graph(nodes, [...BOTH, "5.0 > 7.string_a", "6.0 > 7.string_b", "7.0 > 2.text"]);
  assert.deepEqual(planNegative(flat, "2"), { fault: "computed-text", values: { node: "TextGenerate #6" } });
});

test("what is put into a template is the prompt, not the template", () => {
  const nodes = { ...BASIC, 5: ["PrimitiveStringMultiline", ["a picture of {it}, sharp"]], 6: ["PrimitiveStringMultiline", ["a cat"]], 7: ["StringReplace", ["", "{it}", ""]] };
  const flat = graph(nodes, [...BOTH, "5.0 > 7.string", "6.0 > 7.replace", "7.0 > 2.text"]);
  assert.equal(places(planNegative(flat, "2").prompt), "6.value");
});

/** One string for a language model, through another node, and for the encoder, past a switch. */
const ENHANCED = {
  ...BASIC, 2: ["NegOptEncode", [""]], 5: ["PrimitiveStringMultiline", ["a cat"]], 6: ["StringReplace", ["Enhance: {it}", "{it}", ""]],
  7: ["TextGenerate", ["", 99]], 8: ["ComfySwitchNode", [false]],
};
const ENHANCED_WIRES = [...BOTH, "5.0 > 6.replace", "6.0 > 7.prompt", "5.0 > 8.on_false", "7.0 > 8.on_true", "8.0 > 2.df_text"];

test("the branch of a switch that is off is no source; brackets go into no text that a language model reads too", () => {
  const flat = graph(ENHANCED, ENHANCED_WIRES);
  const plan = planNegative(flat, "2");
  assert.equal(places(plan.prompt), "5.value");
  assert.equal(takesWindows(flat, plan.prompt), false);
  assert.deepEqual(planWiring(flat, "2"), { fault: "feeds-maker", values: { node: "TextGenerate #7" } });
  const on = graph({ ...ENHANCED, 8: ["ComfySwitchNode", [true]] }, ENHANCED_WIRES);
  assert.deepEqual(planNegative(on, "2"), { fault: "computed-text", values: { node: "TextGenerate #7" } });
  assert.deepEqual(samplersFedBy(on, "5"), []);
});

test("a switch by number or by the first that is connected is followed", () => {
  const nodes = { ...BASIC, 5: ["CLIPTextEncode", ["a dog"]], 6: ["ImpactSwitch", [2]] };
  const wires = BOTH.filter((wire) => wire !== "2.0 > 4.positive");
  const chosen = graph(nodes, [...wires, "2.0 > 6.input1", "5.0 > 6.input2", "6.0 > 4.positive"]);
  assert.deepEqual([samplersFedBy(chosen, "2").length, samplersFedBy(chosen, "5").length], [0, 1]);
  const first = graph({ ...nodes, 6: ["Any Switch (rgthree)"] }, [...wires, "5.0 > 6.any_02", "6.0 > 4.positive"]);
  assert.equal(places(planNegative(first, "5").negative), "3.text");
});

test("words are found through set and get nodes", () => {
  const nodes = { ...BASIC, 5: ["SetNode", ["words"]], 6: ["GetNode", ["words"]] };
  const flat = graph(nodes, [...BOTH.filter((wire) => wire !== "3.0 > 4.negative"), "3.0 > 5.in", "6.0 > 4.negative"]);
  assert.equal(places(planNegative(flat, "2").negative), "3.text");
  assert.deepEqual(samplersFedBy(flat, "3"), [{ sampler: "4", side: "negative" }]);
});

test("of several positives all are read, a box's words last", () => {
  const nodes = { ...BASIC, 5: ["GLIGENTextBoxApply", ["a red hat", 64]], 6: ["CLIPTextEncode", ["a forest"]], 7: ["ConditioningCombine"] };
  const wires = [...BOTH.filter((wire) => wire !== "2.0 > 4.positive"), "1.1 > 5.clip", "2.0 > 5.conditioning_to", "5.0 > 7.conditioning_1", "6.0 > 7.conditioning_2", "7.0 > 4.positive"];
  const flat = graph(nodes, wires);
  assert.deepEqual(planNegative(flat, "3").prompts.map(places), ["2.text", "6.text", "5.text"]);
  assert.deepEqual(planNegative(flat, "6").prompts.map(places), ["6.text", "2.text", "5.text"]);
  assert.deepEqual(planWiring(flat, "3"), { fault: "many-positives" });
});

test("a box in the negative alone is the user's, and is not replaced", () => {
  const nodes = { 5: ["ConditioningZeroOut"], 6: ["GLIGENTextBoxApply", ["no hat", 64]] };
  const flat = withNegative(nodes, ["2.0 > 5.conditioning", "5.0 > 6.conditioning_to", "1.1 > 6.clip", "6.0 > 4.negative"]);
  assert.equal(places(planNegative(flat, "2").negative), "6.text");
});

test("one negative for several samplers is written once, with their names", () => {
  const nodes = { ...BASIC, 5: ["KSampler", [0, "fixed", 20, 7]] };
  const plan = planNegative(graph(nodes, [...BOTH, "2.0 > 5.positive", "3.0 > 5.negative"]), "2");
  assert.deepEqual(plan.notes, [{ code: "shared", values: { samplers: "KSampler #4, KSampler #5" } }]);
});

test("a sampler of another pack that hands its texts on is a sampler", () => {
  const nodes = { ...BASIC, 4: ["KSampler (Efficient)", [0, 20, 7, "euler"]], 5: ["KSampler", [0, "fixed", 20, 1]] };
  const flat = graph(nodes, [...BOTH, "4.1 > 5.positive", "4.2 > 5.negative"]);
  assert.deepEqual(samplersFedBy(flat, "2"), [{ sampler: "4", side: "positive" }]);
});

test("a string that both sides read is nobody's own negative", () => {
  const nodes = { ...BASIC, 5: ["PrimitiveStringMultiline", ["a cat"]] };
  const plan = planNegative(graph(nodes, [...BOTH, "5.0 > 2.text", "5.0 > 3.text"]), "2");
  assert.deepEqual([plan.negative, plan.kept, plan.encoder], [null, null, "2"]);
});

test("a field that is a socket alone takes what is linked to it; the texts of a guider's parts are told", () => {
  const flat = graph({ ...BASIC, 5: ["PrimitiveStringMultiline", ["a"]], 6: ["CLIPTextEncodeFlux", ["", "typed", 3]] }, [...BOTH.slice(0, 1), "5.0 > 6.clip_l", "6.0 > 4.positive"]);
  assert.deepEqual(textsOf(flat, "4", "positive").texts.map(places), ["5.value+6.t5xxl"]);
});
