import assert from "node:assert/strict";
import { test } from "node:test";
import { barsOf, changeBar } from "../../../web/lib/bars.js";
import { atCfgOne, isScheduled, planNegative, planWiring } from "../../../web/lib/plan.js";
import { hookOf } from "../../../web/lib/runs.js";
import { codes, graph as flatOf, places } from "./build.mjs";

const BASIC = {
  1: ["LoadModel"],
  2: ["CLIPTextEncode", ["a cat"]],
  3: ["CLIPTextEncode", ["ugly"]],
  4: ["KSampler", [0, "fixed", 20, 1]],
};
const WIRES = ["1.0 > 4.model", "1.1 > 2.clip", "1.1 > 3.clip", "2.0 > 4.positive", "3.0 > 4.negative"];

test("both stock encoders are replaced and the sampler is hooked", () => {
  const wiring = planWiring(flatOf(BASIC, WIRES), "3");
  assert.deepEqual(wiring.replaced, ["2", "3"]);
  assert.deepEqual(wiring.unhooked, [{ key: "4", offset: 0, total: 0 }]);
});

test("what is wired already stays", () => {
  const nodes = { ...BASIC, 2: ["NegOptEncode", ["a cat"]], 5: ["NegOptSamplerHook"] };
  const flat = flatOf(nodes, ["1.0 > 5.model", "5.0 > 4.model", ...WIRES.slice(1)]);
  assert.equal(hookOf(flat, "4"), "5");
  assert.deepEqual(planWiring(flat, "2").replaced, ["3"]);
  assert.deepEqual(planWiring(flat, "2").unhooked, []);
});

test("an encoder that holds more than words is not replaced", () => {
  const nodes = { ...BASIC, 2: ["CLIPTextEncodeFlux", ["a cat", "a cat", 3.5]] };
  assert.equal(planWiring(flatOf(nodes, WIRES), "2").fault, "other-encoder");
});

test("the words of a string node are found behind the encoder that is replaced", () => {
  const nodes = { ...BASIC, 5: ["PrimitiveStringMultiline", ["a cat"]] };
  const wiring = planWiring(flatOf(nodes, [...WIRES, "5.0 > 2.text"]), "5");
  assert.equal(places(wiring.plan.prompt), "5.value");
  assert.deepEqual(wiring.replaced, ["2", "3"]);
});

/** One string node for two samplers; the encoder of the first stands before that of the second. */
const TWO = {
  ...BASIC,
  2: ["CLIPTextEncodeSDXL", ["", "", 1024]],
  5: ["PrimitiveStringMultiline", ["a cat"]],
  6: ["CLIPTextEncode", [""]],
  7: ["CLIPTextEncode", ["bad"]],
  8: ["KSampler", [0, "fixed", 20, 5]],
};
const TWO_WIRES = [...WIRES, "5.0 > 2.text_g", "5.0 > 6.text", "1.0 > 8.model", "6.0 > 8.positive", "7.0 > 8.negative"];

test("every encoder that a text feeds is replaced, or none", () => {
  const nodes = { ...TWO, 2: ["CLIPTextEncode", [""]] };
  const wires = TWO_WIRES.map((wire) => wire.replace("text_g", "text"));
  for (const key of ["5", "6"]) {
    assert.deepEqual(planWiring(flatOf(nodes, wires), key).replaced.toSorted(), key === "5" ? ["2", "3", "6"] : ["2", "6", "7"]);
  }
  const { fault, values } = planWiring(flatOf(TWO, TWO_WIRES), "6");
  assert.deepEqual([fault, values], ["other-encoder", { node: "CLIPTextEncodeSDXL #2" }]);
  const idle = TWO_WIRES.filter((wire) => wire !== "2.0 > 4.positive"); // the other encoder reaches no sampler
  assert.deepEqual(planWiring(flatOf(TWO, idle), "5").replaced, ["6", "7"]);
});

test("a new negative is modelled on an encoder that reaches the sampler it is for", () => {
  const zeroed = { ...TWO, 4: ["BasicGuider"], 7: ["ConditioningZeroOut"] };
  const wires = [
    "5.0 > 2.text_g", "5.0 > 6.text", "1.0 > 4.model", "2.0 > 4.conditioning", "1.0 > 8.model", "6.0 > 8.positive",
    "6.0 > 7.conditioning", "7.0 > 8.negative",
  ];
  assert.equal(planNegative(flatOf(zeroed, wires), "5").encoder, "6");
});

test("a text is scheduled if every encoder that reads it can schedule", () => {
  const mixed = { ...TWO, 2: ["NegOptEncode", [""]] };
  const wires = TWO_WIRES.map((wire) => wire.replace("text_g", "df_text"));
  assert.equal(isScheduled(flatOf(mixed, wires), "5"), false);
  assert.equal(isScheduled(flatOf({ ...mixed, 6: ["NegOptEncode", [""]] }, wires.map((one) => one.replace("6.text", "6.df_text"))), "5"), true);
  assert.equal(isScheduled(flatOf(mixed, wires), "2"), true);
  assert.equal(isScheduled(flatOf({ 2: ["NegOptEncode", ["a cat"]] }, []), "2"), true);
});

test("a part of a chain is hooked with its place in the chain", () => {
  const nodes = { ...BASIC, 4: ["KSamplerAdvanced", ["enable", 0, "fixed", 20, 5, "euler", "simple", 8, 20]] };
  const [part] = planWiring(flatOf(nodes, WIRES), "2").unhooked;
  assert.deepEqual(part, { key: "4", offset: 8, total: 20 });
});

test("a part whose steps come from other nodes is read off them; what only a run knows is said", () => {
  const chain = (end) => ["KSamplerAdvanced", ["enable", 0, "fixed", 20, 5, "euler", "simple", 0, end]];
  const nodes = { ...BASIC, 4: chain(10000), 5: ["PrimitiveInt", [12]], 6: ["PrimitiveInt", [30]], 7: ["MathExpression", ["a/2"]] };
  const planned = (end, wires) => planWiring(flatOf({ ...nodes, 4: chain(end) }, [...WIRES, ...wires]), "2");
  const known = planned(10000, ["5.0 > 4.start_at_step", "6.0 > 4.steps"]);
  assert.deepEqual(known.unhooked, [{ key: "4", offset: 12, total: 30 }]);
  assert.deepEqual(known.plan.notes, []);
  assert.deepEqual(planned(10000, ["5.0 > 4.end_at_step"]).unhooked, [{ key: "4", offset: 0, total: 20 }]);
  const unknown = planned(10000, ["7.0 > 4.start_at_step"]);
  assert.deepEqual(unknown.unhooked, [{ key: "4", offset: 0, total: 0 }]);
  assert.deepEqual(codes(unknown.plan), ["hook-by-hand"]);
  assert.deepEqual(codes(planned(8, ["7.0 > 4.steps"]).plan), ["hook-by-hand"]);
  assert.deepEqual(planned(10000, ["7.0 > 4.steps"]).plan.notes, []); // from the first step to the last, however many
});

test("sigmas that are split before a sampler tell its part; split by noise they do not", () => {
  const nodes = { ...BASIC, 4: ["CFGGuider", [5]], 5: ["BasicScheduler", ["simple", 8, 1]], 6: ["SplitSigmas", [3]], 7: ["SamplerCustomAdvanced"] };
  const planned = (wires, others = {}) => planWiring(flatOf({ ...nodes, ...others }, [...WIRES, "4.0 > 7.guider", ...wires]), "2");
  assert.deepEqual(planned(["5.0 > 7.sigmas"]).unhooked, [{ key: "4", offset: 0, total: 0 }]);
  assert.deepEqual(planned(["5.0 > 6.sigmas", "6.1 > 7.sigmas"]).unhooked, [{ key: "4", offset: 3, total: 8 }]);
  assert.deepEqual(planned(["5.0 > 6.sigmas", "6.0 > 7.sigmas"]).unhooked, [{ key: "4", offset: 0, total: 8 }]);
  const byNoise = planned(["5.0 > 6.sigmas", "6.1 > 7.sigmas"], { 6: ["SplitSigmasDenoise", [0.5]] });
  assert.deepEqual(codes(byNoise.plan), ["hook-by-hand"]);
});

test("samplers at CFG 1 are named until NAG guides them", () => {
  assert.deepEqual(atCfgOne(flatOf(BASIC, WIRES), ["4"]), ["4"]);
  const guided = flatOf({ ...BASIC, 5: ["NAGuidance", [5]] }, ["1.0 > 5.model", "5.0 > 4.model", ...WIRES.slice(1)]);
  assert.deepEqual(atCfgOne(guided, ["4"]), []);
});

test("a change that changes nothing leaves even a broken bracket as it was typed", () => {
  const text = "a cat, [oops:2:1]";
  const bar = barsOf(text).bars[1];
  assert.equal(changeBar(text, bar, { start: 0, end: 1 }), text);
  assert.equal(changeBar(text, bar, { weight: 1 }), text);
  assert.notEqual(changeBar(text, bar, { weight: 1.2 }), text);
});
