import assert from "node:assert/strict";
import { test } from "node:test";
import { inspectBody, policyOf, policyOfRun, textsIn } from "../../../web/lib/setup.js";
import { keepTexts } from "../../../web/ui/writers.js";
import { flatOf, workflow } from "./build.mjs";

const NODES = {
  1: ["LoadModel"],
  2: ["NegOptSuggest", ["a cat", "ugly", "negative"]],
  3: ["NegOptEncode", [""]],
  4: ["NegOptEncode", [""]],
  5: ["KSampler", [0, "fixed", 12, 1]],
  6: ["NAGuidance", [5]],
};
const WIRES = ["2.0 > 3.df_text", "2.1 > 4.df_text", "3.0 > 5.positive", "4.0 > 5.negative"];

test("the checks are told texts, steps and CFG of the sampler below", () => {
  const { body, sampler } = inspectBody(flatOf(workflow(NODES, [...WIRES, "1.0 > 5.model"])), "2");
  assert.deepEqual(body, { positive: "a cat", negative: "ugly", steps: 12, cfg: 1 });
  assert.equal(sampler, "5");
});

test("ComfyUI's own NAG is told beside the CFG; with a pack's the CFG says nothing", () => {
  const wires = [...WIRES, "1.0 > 6.model", "6.0 > 5.model"];
  const { cfg, nag } = inspectBody(flatOf(workflow(NODES, wires)), "2").body;
  assert.deepEqual({ cfg, nag }, { cfg: 1, nag: true });
  const other = inspectBody(flatOf(workflow({ ...NODES, 6: ["WanVideoNAG", [5, 1, 1]] }, wires)), "2").body;
  assert.deepEqual([other.cfg, other.nag], [undefined, undefined]);
});

test("without a sampler only the texts are told", () => {
  assert.deepEqual(inspectBody(flatOf(workflow(NODES, [])), "2").body, { positive: "a cat", negative: "ugly" });
});

test("locked texts count before written ones, and those before the user's", () => {
  const user = { prompt: "p", negative: "n" };
  assert.deepEqual(textsIn(user), { positive: "p", negative: "n" });
  const written = { ...user, locked: false, locked_positive: "p, P", locked_negative: "" };
  assert.deepEqual(textsIn(written), { positive: "p, P", negative: "" });
  assert.deepEqual(textsIn({ ...written, prompt: "another" }), { positive: "another", negative: "n" });
  assert.deepEqual(textsIn({ ...user, locked: true, locked_positive: "", locked_negative: "" }), { positive: "", negative: "" });
});

test("a node sends its written texts when it is locked, or when something else says whether it is", () => {
  const node = {
    comfyClass: "NegOptSuggest",
    inputs: [{ name: "locked", link: null }],
    widgets: [{ name: "locked", value: false }, { name: "locked_positive", value: "a cat" }, { name: "locked_negative", value: "ugly" }],
  };
  keepTexts(node, () => {});
  const sent = () => node.widgets.slice(1).map((widget) => widget.serializeValue());
  assert.deepEqual(sent(), ["", ""]);
  node.inputs[0].link = 7;
  assert.deepEqual(sent(), ["a cat", "ugly"]);
  Object.assign(node, { inputs: [], widgets: [{ ...node.widgets[0], value: true }, ...node.widgets.slice(1)] });
  assert.deepEqual(sent(), ["a cat", "ugly"]);
});

test("the policy that is asked has the family that its loader was told", () => {
  const flat = (policy, family) => new Map([["1", { inputs: [], widgets: { policy, family } }], ["2", { inputs: [{ name: "policy", origin: { key: "1" } }], widgets: {} }]]);
  const asked = (...widgets) => policyOf(flat(...widgets), flat(...widgets).get("2"));
  assert.equal(asked("negopt", "sdxl"), "negopt:sdxl");
  assert.equal(asked("negopt-scheduled", "any"), "negopt-scheduled");
  assert.equal(asked("mine", "sdxl"), "mine");
  assert.equal(asked("rules:sdxl", undefined), "rules:sdxl");
});

test("one click asks for the family that a run reads off the model's class", () => {
  const nodes = { 1: ["CheckpointLoaderSimple", ["ponyDiffusionV6XL.safetensors"]], 2: ["NegOptOneClick", ["negopt"]], 3: ["KSampler", [0, "fixed", 12, 5]] };
  const asked = (policy) => policyOfRun(flatOf(workflow({ ...nodes, 2: ["NegOptOneClick", [policy]] }, ["1.0 > 2.model", "2.0 > 3.model", "2.1 > 3.positive"])), "2");
  assert.equal(asked("negopt"), "negopt:sdxl");
  assert.equal(asked("rules"), "rules");
});
