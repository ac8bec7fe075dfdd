// CFG, steps and parts of a chain through what stands before the widgets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate } from "../../../web/lib/arithmetic.js";
import { planNegative } from "../../../web/lib/plan.js";
import { hookOf, partOf, runOf } from "../../../web/lib/runs.js";
import { inspectBody } from "../../../web/lib/setup.js";
import { codes, definition, flatOf, graph, workflow } from "./build.mjs";

const BASIC = {
  1: ["LoadModel"],
  2: ["CLIPTextEncode", ["a cat"]],
  3: ["CLIPTextEncode", ["ugly"]],
  4: ["KSampler", [0, "fixed", 20, 7]],
  5: ["PrimitiveFloat", [1]],
  6: ["PrimitiveFloat", [3.5]],
};
const BOTH = ["1.0 > 4.model", "1.1 > 2.clip", "1.1 > 3.clip", "2.0 > 4.positive", "3.0 > 4.negative"];
const cfgOf = ({ cfg, otherCfg, cfgBy }) => [cfg, otherCfg, cfgBy];
const LIGHTNING = (isOn) => ({ ...BASIC, 7: ["PrimitiveBoolean", [isOn]], 8: ["ComfySwitchNode", [!isOn]] });
const SWITCHED = [...BOTH, "6.0 > 8.on_false", "5.0 > 8.on_true", "7.0 > 8.switch", "8.0 > 4.cfg"];

test("CFG through a switch is that of the branch that is on; the other is named", () => {
  const on = graph(LIGHTNING(true), SWITCHED);
  assert.deepEqual(cfgOf(runOf(on, "4")), [1, 3.5, undefined]);
  assert.deepEqual(planNegative(on, "2").notes, [{ code: "cfg-one" }, { code: "cfg-switch", values: { cfg: 1, other: 3.5 } }]);
  const off = graph(LIGHTNING(false), SWITCHED);
  assert.deepEqual(cfgOf(runOf(off, "4")), [3.5, 1, undefined]);
  assert.deepEqual(codes(planNegative(off, "2")), ["cfg-switch"]);
});

test("a subgraph's boolean chooses the CFG inside of it", () => {
  const kinds = { sub: [["fast:BOOLEAN:widget"], ["LATENT"]] };
  const inner = definition("sub", { ...LIGHTNING(false), 7: undefined }, [
    ...SWITCHED.filter((wire) => !wire.startsWith("7.")), "-10.0 > 8.switch", "4.0 > -20.0",
  ]);
  for (const [isFast, expected] of [[true, [1, 3.5, undefined]], [false, [3.5, 1, undefined]]]) {
    const outer = workflow({ 9: ["sub", [isFast]] }, [], kinds);
    assert.deepEqual(cfgOf(runOf(flatOf({ ...outer, definitions: { subgraphs: [inner] } }), "9:4")), expected);
  }
});

test("a model behind a switch is that of the branch that is on", () => {
  const nodes = { ...BASIC, 7: ["NegOptSamplerHook", ["sampler steps", 0, 0]], 8: ["ComfySwitchNode", [true]] };
  const wires = ["1.0 > 7.model", "7.0 > 8.on_true", "1.0 > 8.on_false", "8.0 > 4.model", ...BOTH.slice(1)];
  assert.equal(hookOf(graph(nodes, wires), "4"), "7");
  assert.equal(hookOf(graph({ ...nodes, 8: ["ComfySwitchNode", [false]] }, wires), "4"), undefined);
});

test("CFG that a node computes which is not understood is said, with its name", () => {
  const nodes = { ...BASIC, 7: ["GeminiNode", ["how much", "pro", 1]] };
  const flat = graph(nodes, [...BOTH, "7.0 > 4.cfg"]);
  assert.deepEqual(cfgOf(runOf(flat, "4")), [undefined, undefined, "7"]);
  assert.deepEqual(planNegative(flat, "2").notes, [{ code: "cfg-unknown", values: { node: "GeminiNode #7" } }]);
});

test("steps through arithmetic, set and get nodes, also out of a group", () => {
  const chain = ["KSamplerAdvanced", ["enable", 0, "fixed", 20, 5, "euler", "simple", 0, 10000]];
  const nodes = { ...BASIC, 4: chain, 7: ["PrimitiveInt", [30]], 8: ["ComfyMathExpression", ["a // 4"]], 9: ["SetNode", ["total"]], 10: ["GetNode", ["total"]] };
  const flat = graph(nodes, [...BOTH, "7.0 > 9.in", "10.0 > 4.steps", "10.0 > 8.values.a", "8.1 > 4.start_at_step"]);
  assert.deepEqual([runOf(flat, "4").steps, partOf(flat, "4")], [30, { key: "4", first: 7, stop: 30, total: 30 }]);
  const inner = definition("sub", { ...BASIC, 10: ["GetNode", ["total"]] }, [...BOTH, "10.0 > 4.steps", "4.0 > -20.0"]);
  const outer = workflow({ 7: ["PrimitiveInt", [12]], 9: ["SetNode", ["total"]], 11: ["sub"] }, ["7.0 > 9.in"], { sub: [[], ["LATENT"]] });
  assert.equal(runOf(flatOf({ ...outer, definitions: { subgraphs: [inner] } }), "11:4").steps, 12);
});

const EXPRESSIONS = [
  ["a / 2", 15], ["a // 4", 7], ["-a + 1", -29], ["max(a, b) * 2", 60], ["(a - 1) % 4", 1], ["-7 % 4", 1], ["2 ** 3 ** 2", 512], ["-2 ** 2", -4],
  ["round(2.5)", 2], ["a > 2", 1], ["floor(a/32)*32", 0], ["int(-2.7)", -2], [".5 + 1.", 1.5],
  ["c + 1", undefined], ["a +", undefined], ["a b", undefined], ["__import__('os')", undefined], ["a / 0", undefined], ["constructor(1)", undefined],
  ["", undefined], ["(".repeat(500), undefined], ["a & 1", undefined],
];

for (const [text, expected] of EXPRESSIONS) {
  test(`arithmetic: ${text.slice(0, 20)} is ${expected}`, () => {
    assert.equal(evaluate(text, (name) => ({ a: 30, b: 4 })[name]), expected);
  });
}

/** High and low noise, as video models are painted: two samplers in a chain of 20 steps. */
const CHAIN = (high, low) => ({
  ...BASIC, 2: ["NegOptSuggest", ["a cat", "ugly", "negative"]], 3: ["NegOptEncode", [""]],
  4: ["KSamplerAdvanced", ["enable", 0, "fixed", 20, high, "euler", "simple", 0, 10]],
  9: ["KSamplerAdvanced", ["disable", 0, "fixed", 20, low, "euler", "simple", 10, 10000]],
  7: ["NegOptEncode", [""]],
});
const CHAINED = ["1.0 > 4.model", "1.0 > 9.model", "2.0 > 3.df_text", "2.1 > 7.df_text", "3.0 > 4.positive", "3.0 > 9.positive", "7.0 > 4.negative", "7.0 > 9.negative"];

test("two samplers with different CFG are told by their parts of the run", () => {
  const flat = graph(CHAIN(3.5, 1), CHAINED);
  assert.deepEqual(partOf(flat, "9"), { key: "9", first: 10, stop: 20, total: 20 });
  const { body } = inspectBody(flat, "2");
  assert.deepEqual(body.parts, [{ start: 0, end: 0.5, cfg: 3.5 }, { start: 0.5, end: 1, cfg: 1 }]);
  assert.deepEqual([body.cfg, body.steps], [undefined, 20]);
  const typed = graph({ ...CHAIN(3.5, 1), 3: ["NegOptEncode", ["a cat"]], 7: ["NegOptEncode", ["ugly"]] }, CHAINED.filter((wire) => !wire.startsWith("2.")));
  const [note] = planNegative(typed, "3").notes;
  assert.deepEqual(note, { code: "cfg-one-part", values: { samplers: "KSamplerAdvanced #9 (10-19 / 20)" } });
});

test("where all samplers have one CFG it is told as one", () => {
  const { body } = inspectBody(graph(CHAIN(1, 1), CHAINED), "2");
  assert.deepEqual([body.cfg, body.parts], [1, undefined]);
});

test("a dual guider leaves the negative out only where both of its scales are 1", () => {
  const cfg = (one, other) => runOf(graph({ ...BASIC, 4: ["DualCFGGuider", [one, other, "regular"]] }, ["1.0 > 4.model"]), "4").cfg;
  assert.deepEqual([cfg(5, 2), cfg(1, 2), cfg(5, 1), cfg(1, 1)], [5, 2, 5, 1]);
});

test("NAG that does nothing in a family silences nothing there", () => {
  const nodes = { ...BASIC, 4: ["KSampler", [0, "fixed", 8, 1]], 7: ["NAGuidance", [5]], 8: ["UNETLoader", ["z_image_turbo.safetensors", "default"]] };
  const flat = graph(nodes, ["8.0 > 7.model", "7.0 > 4.model", ...BOTH.slice(1)]);
  const never = (family) => (family === "z-image" ? "never" : undefined);
  assert.deepEqual([codes(planNegative(flat, "2", never)), codes(planNegative(flat, "2"))], [["cfg-one"], []]);
  assert.equal(runOf(flat, "4").nag, "core");
});
