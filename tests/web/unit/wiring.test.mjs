import assert from "node:assert/strict";
import { test } from "node:test";
import { barsOf, changeBar } from "../../../web/lib/bars.js";
import { flatten } from "../../../web/lib/flat.js";
import { levelOfWorkflow } from "../../../web/lib/levels.js";
import { atCfgOne, planWiring } from "../../../web/lib/plan.js";
import { hookOf } from "../../../web/lib/trace.js";
import { namesOf, workflow } from "./build.mjs";

const flatOf = (nodes, wires) => flatten(levelOfWorkflow(workflow(nodes, wires), namesOf));
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
  assert.deepEqual(planWiring(flatOf(nodes, WIRES), "2"), { fault: "other-encoder" });
});

test("the words of a string node are found behind the encoder that is replaced", () => {
  const nodes = { ...BASIC, 5: ["PrimitiveStringMultiline", ["a cat"]] };
  const wiring = planWiring(flatOf(nodes, [...WIRES, "5.0 > 2.text"]), "5");
  assert.equal(wiring.plan.prompt.key, "5");
  assert.deepEqual(wiring.replaced, ["2", "3"]);
});

test("a part of a chain is hooked with its place in the chain", () => {
  const nodes = { ...BASIC, 4: ["KSamplerAdvanced", ["enable", 0, "fixed", 20, 5, "euler", "simple", 8, 20]] };
  const [part] = planWiring(flatOf(nodes, WIRES), "2").unhooked;
  assert.deepEqual(part, { key: "4", offset: 8, total: 20 });
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
