import assert from "node:assert/strict";
import { test } from "node:test";
import { graphFor, pictureOf, placesOf, shownPhrases, subjectOf } from "../../../web/lib/learn.js";
import { barOf, comparisons, leftOf, linesOf, nextAsks, reachOf, signed } from "../../../web/lib/learn_show.js";
import { graph, places } from "./build.mjs";

const NODES = {
  1: ["CheckpointLoaderSimple", ["sd_xl_base.safetensors"]],
  2: ["CLIPTextEncode", ["a cat"]],
  3: ["CLIPTextEncode", ["blurry, (low quality:1.2)"]],
  4: ["KSampler", [7, "fixed", 20, 5]],
};
const WIRES = ["1.0 > 4.model", "1.1 > 2.clip", "1.1 > 3.clip", "2.0 > 4.positive", "3.0 > 4.negative"];
const API = {
  2: { class_type: "CLIPTextEncode", inputs: { text: "a cat", clip: ["1", 1] } },
  3: { class_type: "CLIPTextEncode", inputs: { text: "blurry", clip: ["1", 1] } },
  4: { class_type: "KSampler", inputs: { seed: 7, steps: 20, positive: ["2", 0], negative: ["3", 0], latent_image: ["5", 0] } },
  5: { class_type: "EmptyLatentImage", inputs: { width: 512, height: 512, batch_size: 4 } },
  6: { class_type: "SaveImage", inputs: { images: ["7", 0], filename_prefix: "x" } },
  7: { class_type: "VAEDecode", inputs: { samples: ["4", 0] } },
  8: { class_type: "PreviewImage", inputs: { images: ["7", 0] } },
};
const ASK = { positive: "a dog", negative: "noisy", seed: 42 };
const text = (...names) => names.map((one) => ({ key: one.split(".")[0], name: one.split(".")[1] }));

test("an audit is about the texts of the sampler, from whichever node it was asked", () => {
  for (const key of ["2", "3", null]) {
    const subject = subjectOf(graph(NODES, WIRES), key);
    assert.deepEqual([places(subject.positive), places(subject.negative)], ["2.text", "3.text"]);
    assert.deepEqual([subject.family, subject.model, subject.sampling], ["sdxl", "sd_xl_base.safetensors", "steps 20, cfg 5"]);
    assert.deepEqual([subject.positiveNotation, subject.negativeNotation, subject.windows], ["comfy", "comfy", false]);
  }
});

test("windows need our encoders on both sides, and the hook", () => {
  const scheduled = { ...NODES, 2: ["NegOptEncode", ["a cat"]], 3: ["NegOptEncode", ["blurry"]], 5: ["NegOptSamplerHook"] };
  const hooked = graph(scheduled, ["1.0 > 5.model", "5.0 > 4.model", ...WIRES.slice(1)]);
  assert.equal(subjectOf(hooked, null).windows, true);
  assert.equal(subjectOf(hooked, null).negativeNotation, "df");
  assert.equal(subjectOf(graph({ ...scheduled, 3: NODES[3] }, ["1.0 > 5.model", "5.0 > 4.model", ...WIRES.slice(1)]), null).windows, false);
});

test("a graph without a sampler or a negative says so", () => {
  assert.equal(subjectOf(graph({ 2: NODES[2] }, []), null).fault, "learn-no-graph");
  assert.equal(subjectOf(graph(NODES, WIRES.slice(0, 4)), null).fault, "learn-no-negative");
});

test("the graph gets other texts and a seed, one picture, and previews; the user's own stays as it is", () => {
  const before = JSON.stringify(API);
  const subject = { positive: { fields: text("2.text"), read: text("2.text") }, negative: { fields: text("3.text"), read: text("3.text") } };
  const made = graphFor(graph(NODES, WIRES), API, subject, ASK);
  assert.deepEqual([made[2].inputs.text, made[3].inputs.text, made[4].inputs.seed, made[5].inputs.batch_size], ["a dog", "noisy", 42, 1]);
  assert.deepEqual([made[6].class_type, made[6].inputs], ["PreviewImage", { images: ["7", 0] }]);
  assert.equal(JSON.stringify(API), before);
});

test("a text that the page gives, or a seed of another node, is changed where it stands", () => {
  const nodes = { ...NODES, 9: ["PrimitiveNode", ["a cat"]] };
  const flat = graph(nodes, [...WIRES, "9.0 > 2.text"]);
  assert.deepEqual(placesOf(flat, API, { key: "9", name: "value" }), text("2.text"));
  const linked = { ...API, 4: { ...API[4], inputs: { ...API[4].inputs, seed: ["10", 0] } }, 10: { class_type: "PrimitiveInt", inputs: { value: 7 } } };
  const none = { fields: [], read: [] };
  assert.equal(graphFor(flat, linked, { positive: none, negative: none }, ASK)[10].inputs.value, 42);
});

test("what is read beside the written field is emptied", () => {
  const graphs = { 2: { class_type: "StringConcatenate", inputs: { string_a: "a cat", string_b: "at night" } } };
  const subject = { positive: { fields: text("2.string_b"), read: text("2.string_a", "2.string_b") }, negative: { fields: [], read: [] } };
  assert.deepEqual(graphFor(new Map(), graphs, subject, ASK)[2].inputs, { string_a: "", string_b: "a dog" });
});

test("the picture is that of the node that saves", () => {
  const [saved, seen] = [[{ filename: "s.png" }], [{ filename: "p.png" }]];
  assert.equal(pictureOf(API, { 8: seen, 6: saved }).filename, "s.png");
  assert.equal(pictureOf(API, { 8: seen, 4: undefined }).filename, "p.png");
  assert.equal(pictureOf(API, {}), null);
});

test("phrases are shown as they are written", () => {
  assert.deepEqual(shownPhrases("blurry, (low, bad:1.2),\n[x], y)", "comfy"), ["blurry", "(low, bad:1.2)", "[x]", "y)"]);
  assert.deepEqual(shownPhrases("blurry[, late, dark:0.5-0:1] (x)", "df"), ["blurry", "late", "dark", "(x)"]);
  assert.deepEqual(linesOf("a\n\n b \na"), ["a", "b"]);
});

test("bars stand where the interval is, and nowhere where nothing is known", () => {
  const rows = [{ effect: { value: 0.5, low: 0, high: 1 } }, { effect: { value: -0.5, low: -2, high: null } }];
  assert.equal(reachOf(rows), 2);
  assert.deepEqual(barOf(rows[0].effect, 1), { left: 50, width: 50, middle: 75 });
  assert.equal(barOf(rows[1].effect, 1), null);
  assert.deepEqual([signed(-0.314), signed(0), signed(null)], ["−0.31", "+0.00", "?"]);
});

test("comparisons tell the difference, or how often one was preferred", () => {
  const wins = { value: 0.75, low: 0.5, high: 1 };
  const result = { differences: { "shortened - whole": { difference: { value: 0.1 }, win_rate: wins, pairs: 8 } }, clicked: { "whole - none": { win_rate: wins, pairs: 4 } } };
  assert.deepEqual(comparisons(result), [
    { first: "shortened", second: "whole", difference: { value: 0.1 }, wins: 75, pairs: 8 },
    { first: "whole", second: "none", difference: null, wins: 75, pairs: 4 },
  ]);
});

test("only what is not under way is queued, and the time that is left is told once it is known", () => {
  const asks = ["a", "b", "c"].map((id) => ({ id }));
  assert.deepEqual(nextAsks(asks, new Set(["a"]), 1), [{ id: "b" }]);
  assert.deepEqual(nextAsks(asks, new Set(), -1), []);
  assert.deepEqual(leftOf({ painted: 8, most: 32 }, 5.04), { pictures: 24, seconds: 5, minutes: 3 });
  assert.deepEqual(leftOf({ painted: 40, most: 32 }, null), { pictures: 0, seconds: null, minutes: null });
});
