import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { textsOf } from "../../../web/lib/climb.js";
import { familyOf } from "../../../web/lib/family.js";
import { planNegative, planWiring } from "../../../web/lib/plan.js";
import { runOf } from "../../../web/lib/runs.js";
import { samplersFedBy } from "../../../web/lib/trace.js";
import { textWidgets } from "../../../web/lib/words.js";
import { codes, definition, flatOf, places, workflow } from "./build.mjs";

const BASIC = {
  1: ["LoadModel"],
  2: ["CLIPTextEncode", ["a cat"]],
  3: ["CLIPTextEncode", ["ugly"]],
  4: ["KSampler", [0, "fixed", 20, 7]],
};
const WIRES = ["1.0 > 4.model", "1.1 > 2.clip", "1.1 > 3.clip", "2.0 > 4.positive", "3.0 > 4.negative"];

test("a text leads to its sampler and the negative beside it", () => {
  const flat = flatOf(workflow(BASIC, WIRES));
  assert.deepEqual(samplersFedBy(flat, "2"), [{ sampler: "4", side: "positive" }]);
  const plan = planNegative(flat, "2");
  assert.equal(places(plan.negative), "3.text");
  assert.deepEqual(plan.notes, []);
  assert.deepEqual(runOf(flat, "4"), { cfg: 7, steps: 20, hasNag: false, hasNegative: true });
});

test("asked on the negative itself, the positive is found", () => {
  const plan = planNegative(flatOf(workflow(BASIC, WIRES)), "3");
  assert.deepEqual([places(plan.prompt), places(plan.negative)], ["2.text", "3.text"]);
});

test("reroutes, guidance, ControlNet and string nodes are followed", () => {
  const flat = flatOf(
    workflow(
      {
        ...BASIC,
        2: ["CLIPTextEncode", [""]],
        5: ["PrimitiveStringMultiline", ["a cat"]],
        6: ["Reroute"],
        7: ["FluxGuidance", [3.5]],
        8: ["ControlNetApplyAdvanced", [1]],
        9: ["StringConcatenate", ["", "at night", ", "]],
      },
      [
        "1.0 > 4.model", "5.0 > 9.string_a", "9.0 > 2.text", "2.0 > 6.in", "6.0 > 7.conditioning",
        "7.0 > 8.positive", "3.0 > 8.negative", "8.0 > 4.positive", "8.1 > 4.negative",
      ],
    ),
  );
  assert.deepEqual(samplersFedBy(flat, "5"), [{ sampler: "4", side: "positive" }]);
  assert.equal(places(planNegative(flat, "5").negative), "3.text");
  assert.deepEqual(textsOf(flat, "4", "negative").texts.map(places), ["3.text"]);
});

test("clicked on an encoder whose text is linked, the words are those of the string node", () => {
  const nodes = { ...BASIC, 5: ["PrimitiveStringMultiline", ["a cat"]] };
  const plan = planNegative(flatOf(workflow(nodes, [...WIRES, "5.0 > 2.text"])), "2");
  assert.equal(places(plan.prompt), "5.value");
});

test("an instruction to a language model is not the prompt", () => {
  for (const type of ["TextGenerate", "GeminiNode", "OllamaSimple"]) {
    const nodes = { ...BASIC, 5: [type, ["write a prompt about a cat", 99, 1]], 6: ["PrimitiveStringMultiline", ["a list"]], 7: ["StringTrim", ["", ""]] };
    const wires = [...WIRES, "6.0 > 5.prompt", "5.0 > 7.string"];
    const flat = flatOf(workflow(nodes, [...wires, "7.0 > 2.text"]));
    assert.deepEqual(textWidgets(flat.get("5")), []);
    const named = { fault: "computed-text", values: { node: `${type} #5` } };
    for (const key of ["2", "3", "6"]) assert.deepEqual(planNegative(flat, key), named);
    assert.deepEqual(samplersFedBy(flat, "6"), []);
    // a negative that is computed is not thrown away for a new one
    const refused = planNegative(flatOf(workflow(nodes, [...wires, "7.0 > 3.text"])), "2");
    assert.deepEqual([refused.fault, refused.values, refused.prompts.map(places)], ["computed-negative", named.values, ["2.text"]]);
  }
});

test("of the nodes that give only strings, those that hold one are texts; the others work on it", () => {
  const nodes = { ...BASIC, 5: ["Text box", ["a cat"]], 6: ["StringReplace", ["", "cat", "dog"]], 7: ["NegOptSuggest", ["a cat"]] };
  const through = flatOf(workflow(nodes, [...WIRES, "5.0 > 6.string", "6.0 > 2.text"]));
  assert.deepEqual(["5", "6", "7"].map((key) => textWidgets(through.get(key))), [["text"], [], []]);
  assert.equal(places(planNegative(through, "2").prompt), "5.text");
  const alone = flatOf(workflow(nodes, [...WIRES, "6.0 > 2.text"]));
  assert.equal(planNegative(alone, "2").fault, "computed-text");
});

test("conditioning passes through a switch that takes anything", () => {
  const wires = ["1.0 > 4.model", "2.0 > 5.a", "5.0 > 4.positive", "3.0 > 4.negative"];
  const flat = flatOf(workflow({ ...BASIC, 5: ["AnySwitch", [1]] }, wires));
  assert.deepEqual(samplersFedBy(flat, "2"), [{ sampler: "4", side: "positive" }]);
  assert.equal(places(planNegative(flat, "3").prompt), "2.text");
});

test("two-sided nodes keep the sides apart", () => {
  const flat = flatOf(
    workflow({ ...BASIC, 8: ["ControlNetApplyAdvanced", [1]] }, [
      "2.0 > 8.positive", "3.0 > 8.negative", "8.0 > 4.positive", "8.1 > 4.negative", "1.0 > 4.model",
    ]),
  );
  assert.deepEqual(samplersFedBy(flat, "3"), [{ sampler: "4", side: "negative" }]);
});

test("one encoder for both sides, or zeros made of it, calls for a new encoder", () => {
  const shared = flatOf(workflow(BASIC, ["1.0 > 4.model", "2.0 > 4.positive", "2.0 > 4.negative"]));
  assert.equal(planNegative(shared, "2").negative, null);
  assert.equal(planNegative(shared, "2").encoder, "2");
  const zeroed = flatOf(
    workflow({ ...BASIC, 5: ["ConditioningZeroOut"] }, [
      "1.0 > 4.model", "2.0 > 4.positive", "2.0 > 5.conditioning", "5.0 > 4.negative",
    ]),
  );
  assert.deepEqual(codes(planNegative(zeroed, "2")), ["zeros-acted"]);
  assert.equal(planNegative(zeroed, "2").encoder, "2");
});

test("a negative that is another sampler's positive is not written over", () => {
  const flat = flatOf(
    workflow({ ...BASIC, 5: ["KSampler", [0, "fixed", 20, 7]] }, [...WIRES, "1.0 > 5.model", "3.0 > 5.positive"]),
  );
  const plan = planNegative(flat, "2");
  assert.deepEqual([plan.negative, places(plan.kept)], [null, "3.text"]); // the new one begins with its words
});

test("SDXL and Flux encoders hold their prompt in several widgets", () => {
  const nodes = { 1: ["CLIPTextEncodeSDXL", ["a", "b", 1024]], 2: ["CLIPTextEncodeFlux", ["a", "b", 3.5]] };
  const flat = flatOf(workflow(nodes, []));
  assert.deepEqual(textWidgets(flat.get("1")), ["text_g", "text_l"]);
  assert.deepEqual(textWidgets(flat.get("2")), ["clip_l", "t5xxl"]);
});

test("CFG 1 is noted, unless NAG is above the sampler", () => {
  const nodes = { ...BASIC, 4: ["KSampler", [0, "fixed", 20, 1]], 6: ["NAGuidance", [5]] };
  assert.deepEqual(codes(planNegative(flatOf(workflow(nodes, WIRES)), "2")), ["cfg-one"]);
  const guided = ["1.0 > 6.model", "6.0 > 4.model", ...WIRES.slice(1)];
  assert.deepEqual(planNegative(flatOf(workflow(nodes, guided)), "2").notes, []);
});

test("a node that patches a model with a text is no sampler: the text keeps its one side", () => {
  const nodes = { ...BASIC, 4: ["KSampler", [0, "fixed", 20, 1]], 6: ["WanVideoNAG", [11, 0.25, 2.5]] };
  const wires = ["1.0 > 6.model", "3.0 > 6.conditioning", "6.0 > 4.model", ...WIRES.slice(1)];
  const flat = flatOf(workflow(nodes, wires));
  assert.deepEqual(samplersFedBy(flat, "3"), [{ sampler: "4", side: "negative" }]);
  const plan = planNegative(flat, "2");
  assert.deepEqual([places(plan.negative), plan.notes], ["3.text", []]);
  assert.equal(places(planNegative(flat, "3").prompt), "2.text");
});

test("a linked CFG is read off its primitive; a computed one is unknown", () => {
  const nodes = { ...BASIC, 6: ["PrimitiveFloat", [1]] };
  assert.equal(runOf(flatOf(workflow(nodes, [...WIRES, "6.0 > 4.cfg"])), "4").cfg, 1);
  const { cfg, cfgBy } = runOf(flatOf(workflow(nodes, [...WIRES, "2.0 > 4.cfg"])), "4");
  assert.deepEqual([cfg, cfgBy], [undefined, "2"]);
});

test("custom samplers: the guider takes the prompts, the scheduler has the steps", () => {
  const nodes = {
    1: ["LoadModel"],
    2: ["CLIPTextEncodeFlux", ["a", "a", 3.5]],
    3: ["CLIPTextEncode", [""]],
    4: ["CFGGuider", [1]],
    5: ["BasicScheduler", ["simple", 8, 1]],
    6: ["SamplerCustomAdvanced"],
    7: ["BasicGuider"],
  };
  const wires = ["1.0 > 4.model", "2.0 > 4.positive", "3.0 > 4.negative", "4.0 > 6.guider", "5.0 > 6.sigmas"];
  const flat = flatOf(workflow(nodes, wires));
  assert.deepEqual(runOf(flat, "4"), { cfg: 1, steps: 8, hasNag: false, hasNegative: true });
  assert.equal(familyOf(flat, "4"), "flux");
  const basic = flatOf(workflow(nodes, ["1.0 > 7.model", "2.0 > 7.conditioning", "7.0 > 6.guider"]));
  assert.deepEqual(planNegative(basic, "2"), { fault: "no-negative-input" });
});

test("a muted node feeds nothing and a bypassed one is passed through", () => {
  const through = { ...BASIC, 7: ["FluxGuidance", [3.5], 4] };
  const wires = [...WIRES.filter((wire) => !wire.endsWith("positive")), "2.0 > 7.conditioning", "7.0 > 4.positive"];
  assert.equal(samplersFedBy(flatOf(workflow(through, wires)), "2").length, 1);
  through[7][2] = 2;
  assert.equal(samplersFedBy(flatOf(workflow(through, wires)), "2").length, 0);
});

test("texts and samplers are found across subgraphs, either way", () => {
  const kinds = { sub: [["model:MODEL", "words:STRING"], ["LATENT"]] };
  const outer = workflow({ 1: ["LoadModel"], 2: ["PrimitiveStringMultiline", ["a cat"]], 9: ["sub"] }, [
    "1.0 > 9.model", "2.0 > 9.words",
  ], kinds);
  const inner = definition("sub", BASIC, [
    "-10.0 > 4.model", "-10.1 > 2.text", "2.0 > 4.positive", "3.0 > 4.negative", "4.0 > -20.0",
  ]);
  const flat = flatOf({ ...outer, definitions: { subgraphs: [inner] } });
  assert.deepEqual(samplersFedBy(flat, "2"), [{ sampler: "9:4", side: "positive" }]);
  assert.equal(places(planNegative(flat, "2").negative), "9:3.text");
  assert.deepEqual(textsOf(flat, "9:4", "positive").texts.map(places), ["2.value"]);
});

test("a promoted widget without a link is read and written on the subgraph node", () => {
  const kinds = {
    sub: [["model:MODEL", "words:STRING:widget", "ugly:STRING:widget", "cfg:FLOAT:widget", "steps:INT:widget"], ["LATENT"]],
  };
  const values = ["a cat on the node", "bad on the node", 4, 9];
  const outer = workflow({ 1: ["LoadModel"], 9: ["sub", values] }, ["1.0 > 9.model"], kinds);
  const inner = definition("sub", { ...BASIC, 2: ["CLIPTextEncode", ["stale"]] }, [
    "-10.0 > 4.model", "-10.1 > 2.text", "-10.2 > 3.text", "-10.3 > 4.cfg", "-10.4 > 4.steps",
    "2.0 > 4.positive", "3.0 > 4.negative", "4.0 > -20.0",
  ]);
  const flat = flatOf({ ...outer, definitions: { subgraphs: [inner] } });
  const plan = planNegative(flat, "9:2");
  assert.deepEqual([places(plan.prompt), places(plan.negative)], ["9#words.words", "9#ugly.ugly"]);
  assert.equal(flat.get("9#words").widgets.words, "a cat on the node");
  assert.deepEqual(runOf(flat, "9:4"), { cfg: 4, steps: 9, hasNag: false, hasNegative: true });
  assert.deepEqual(planWiring(flat, "9:3").replaced, ["9:2", "9:3"]);
});

test("a promoted widget of a subgraph in a subgraph is the outermost one; a link into it goes first", () => {
  const kinds = { sub: [["words:STRING:widget"], ["CONDITIONING"]], deep: [["text:STRING:widget"], ["CONDITIONING"]] };
  const nodes = { 2: ["PrimitiveStringMultiline", ["linked"]], 4: ["KSampler", [0, "", 4, 5]], 9: ["sub", ["outermost"]] };
  const wires = ["9.0 > 4.positive", "1.0 > 4.model"];
  const inner = definition("sub", { 7: ["deep", ["between"]] }, ["-10.0 > 7.text", "7.0 > -20.0"], kinds);
  const deepest = definition("deep", { 5: ["CLIPTextEncode", ["stale"]] }, ["-10.0 > 5.text", "5.0 > -20.0"]);
  const found = (links) => {
    const outer = workflow({ 1: ["LoadModel"], ...nodes }, [...wires, ...links], kinds);
    const flat = flatOf({ ...outer, definitions: { subgraphs: [inner, deepest] } });
    return textsOf(flat, "4", "positive").texts.map(places);
  };
  assert.deepEqual(found([]), ["9#words.words"]);
  assert.deepEqual(found(["2.0 > 9.words"]), ["2.value"]);
});

test("what comes out of a subgraph leads into it", () => {
  const kinds = { sub: [["clip:CLIP"], ["CONDITIONING"]] };
  const outer = workflow({ 1: ["LoadModel"], 3: ["CLIPTextEncode", [""]], 4: ["KSampler", [0, "", 4, 5]], 9: ["sub"] }, [
    "1.0 > 4.model", "1.1 > 9.clip", "9.0 > 4.positive", "3.0 > 4.negative",
  ], kinds);
  const inner = definition("sub", { 2: ["CLIPTextEncode", ["a cat"]] }, ["-10.0 > 2.clip", "2.0 > -20.0"]);
  const flat = flatOf({ ...outer, definitions: { subgraphs: [inner] } });
  assert.deepEqual(samplersFedBy(flat, "9:2"), [{ sampler: "4", side: "positive" }]);
  assert.equal(places(planNegative(flat, "9:2").negative), "3.text");
});

test("circles end, and nodes without text are refused", () => {
  const flat = flatOf(workflow({ 1: ["Reroute"], 2: ["Reroute"], 3: ["KSampler", [0, "", 4, 5]] }, [
    "1.0 > 2.in", "2.0 > 1.in", "2.0 > 3.positive",
  ]));
  assert.deepEqual(planNegative(flat, "3"), { fault: "no-text" });
  assert.deepEqual(planNegative(flat, "77"), { fault: "no-text" });
});

test("every example workflow has samplers, and every text of its own leads to one", () => {
  const folder = new URL("../../../example_workflows/", import.meta.url);
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
    const flat = flatOf(JSON.parse(readFileSync(new URL(file, folder), "utf8")));
    const texts = [...flat.values()].filter((node) => textWidgets(node).length);
    for (const node of texts) assert.ok(samplersFedBy(flat, node.key).length, `${file}: ${node.type} ${node.key}`);
  }
});
