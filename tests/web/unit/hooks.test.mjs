// Hooks that make windows exact: what is wrong with them, and what ends it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hookFindings } from "../../../web/lib/hooks.js";
import { graph } from "./build.mjs";

const hook = (offset = 0, total = 0) => ["NegOptSamplerHook", ["sampler steps", offset, total]];
const part = (first, stop) => ["KSamplerAdvanced", ["enable", 0, "fixed", 20, 5, "euler", "simple", first, stop]];
const NODES = { 1: ["LoadModel"], 2: ["NegOptEncode", ["a cat"]], 3: ["NegOptEncode", [""]], 4: ["KSampler", [0, "fixed", 20, 7]] };
const TEXTS = ["2.0 > 4.positive", "3.0 > 4.negative"];
const CHAIN = { ...NODES, 4: part(0, 8), 5: part(8, 20) };
const CHAINED = [...TEXTS, "2.0 > 5.positive", "3.0 > 5.negative"];

const CASES = {
  "a hook set for the whole run is right": [{ ...NODES, 6: hook() }, ["1.0 > 6.model", "6.0 > 4.model", ...TEXTS], []],
  "one that says the run's own steps is right too": [{ ...NODES, 6: hook(0, 20) }, ["1.0 > 6.model", "6.0 > 4.model", ...TEXTS], []],
  "without a hook windows are only near": [NODES, ["1.0 > 4.model", ...TEXTS], [["hook-missing", "4", { insert: { sampler: "4", offset: 0, total: 0 } }]]],
  "an encoder that knows the noise levels needs none": [
    { ...NODES, 6: ["BasicScheduler", ["simple", 20, 1]] }, ["1.0 > 4.model", "6.0 > 2.sigmas", ...TEXTS], [],
  ],
  "a hook on the second model of a merge does not come through": [
    { ...NODES, 6: hook(), 7: ["ModelMergeSimple", [0.5]] }, ["1.0 > 6.model", "1.0 > 7.model1", "6.0 > 7.model2", "7.0 > 4.model", ...TEXTS],
    [["hook-lost", "4", { insert: { sampler: "4", offset: 0, total: 0 } }]],
  ],
  "on its first model it does": [
    { ...NODES, 6: hook(), 7: ["ModelMergeSimple", [0.5]] }, ["1.0 > 6.model", "6.0 > 7.model1", "1.0 > 7.model2", "7.0 > 4.model", ...TEXTS], [],
  ],
  "one of two samplers has none": [
    { ...CHAIN, 6: hook(0, 20) }, ["1.0 > 6.model", "6.0 > 4.model", "1.0 > 5.model", ...CHAINED],
    [["hook-missing", "5", { insert: { sampler: "5", offset: 8, total: 20 } }]],
  ],
  "one hook for both parts of a chain is wrong for the second, and counts too few for the first": [
    { ...CHAIN, 6: hook() }, ["1.0 > 6.model", "6.0 > 4.model", "6.0 > 5.model", ...CHAINED],
    [["hook-part", "4", { insert: { sampler: "4", offset: 0, total: 20 } }], ["hook-part", "5", { insert: { sampler: "5", offset: 8, total: 20 } }]],
  ],
  "a hook for each part is right": [
    { ...CHAIN, 6: hook(0, 20), 7: hook(8, 20) }, ["1.0 > 6.model", "1.0 > 7.model", "6.0 > 4.model", "7.0 > 5.model", ...CHAINED], [],
  ],
  "the last part may leave the total to the run": [
    { ...CHAIN, 6: hook(0, 20), 7: hook(8) }, ["1.0 > 6.model", "1.0 > 7.model", "6.0 > 4.model", "7.0 > 5.model", ...CHAINED], [],
  ],
  "a total that is not the run's is wrong; the hook that nobody else needs goes": [
    { ...NODES, 6: hook(0, 40) }, ["1.0 > 6.model", "6.0 > 4.model", ...TEXTS],
    [["hook-part", "4", { insert: { sampler: "4", offset: 0, total: 0 }, bypass: ["6"] }]],
  ],
  "of a shared hook the last sampler's goes": [
    { ...CHAIN, 6: hook(), 7: hook(0, 20) }, ["1.0 > 6.model", "6.0 > 7.model", "7.0 > 4.model", "6.0 > 5.model", ...CHAINED],
    [["hook-part", "5", { insert: { sampler: "5", offset: 8, total: 20 }, bypass: ["6"] }]],
  ],
  "of two hooks in a row the upper does nothing, which is said where it asks for something else": [
    { ...NODES, 6: hook(0, 40), 7: hook() }, ["1.0 > 6.model", "6.0 > 7.model", "7.0 > 4.model", ...TEXTS], [["hook-twice", "4", { bypass: ["6"] }]],
  ],
  "a part that only the run knows, with a hook that does not say it": [
    { ...CHAIN, 6: hook(), 7: ["GeminiNode", ["", "", 1]] }, ["1.0 > 6.model", "6.0 > 4.model", "7.0 > 4.start_at_step", ...TEXTS], [["hook-unknown", "4", {}]],
  ],
};

for (const [what, [nodes, wires, expected]] of Object.entries(CASES)) {
  test(what, () => {
    const found = hookFindings(graph(nodes, wires), "2");
    assert.deepEqual(found.map(({ code, sampler, mend }) => [code, sampler, mend]), expected);
  });
}
