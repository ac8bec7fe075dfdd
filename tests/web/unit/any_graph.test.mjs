// Any graph at all, also one that no person would make: nothing throws, and nothing is replaced that is not understood.
import assert from "node:assert/strict";
import { test } from "node:test";
import { textsOf } from "../../../web/lib/climb.js";
import { familyOf } from "../../../web/lib/family.js";
import { hookFindings } from "../../../web/lib/hooks.js";
import { clicked, planNegative, planWiring } from "../../../web/lib/plan.js";
import { runOf } from "../../../web/lib/runs.js";
import { inspectBody } from "../../../web/lib/setup.js";
import { isSampler } from "../../../web/lib/sides.js";
import { graph, types } from "./build.mjs";

const GRAPHS = 1500;
const VALUES = ["a cat", "", "x.safetensors", "a + b", 0, 1, 4.5, true, false, null, undefined, "You are an artist.", "[blurry:1-0.5:1]"];

/** A seeded sequence of numbers from 0 up to 1. */
function random(seed) {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

function anyGraph(seed) {
  const next = random(seed * 7919 + 1);
  const pick = (list) => list[Math.floor(next() * list.length)];
  const kinds = types();
  const chosen = Array.from({ length: 3 + Math.floor(next() * 12) }, () => pick(kinds));
  const nodes = Object.fromEntries(chosen.map((one, place) => [place + 1, [one.type, Array.from({ length: one.widgets }, () => pick(VALUES)), pick([0, 0, 0, 0, 2, 4])]]));
  const wires = chosen.flatMap((one, place) => one.inputs.flatMap((name) => {
    const from = 1 + Math.floor(next() * chosen.length);
    const { outputs } = chosen[from - 1];
    return outputs && next() < 0.85 ? [`${from}.${Math.floor(next() * outputs)} > ${place + 1}.${name}`] : [];
  }));
  return graph(nodes, wires);
}

test(`${GRAPHS} graphs at random: no question about them throws, and what is not understood keeps its link`, () => {
  let made = 0;
  let refused = 0;
  for (let seed = 1; seed <= GRAPHS; seed += 1) {
    const flat = anyGraph(seed);
    for (const [key, node] of flat) {
      const plan = planNegative(flat, key);
      for (const ask of [clicked, planWiring, hookFindings, inspectBody, runOf, familyOf]) ask(flat, key);
      if (isSampler(node)) textsOf(flat, key, "negative");
      refused += Number(plan.fault === "computed-negative");
      if (plan.fault || plan.negative) continue;
      made += 1;
      for (const sampler of plan.samplers) assert.deepEqual(textsOf(flat, sampler, "negative").unknown, [], `graph ${seed}, node ${key}`);
    }
  }
  assert.ok(made > 20 && refused > 20, `${made} made, ${refused} refused`);
});
