import assert from "node:assert/strict";
import { test } from "node:test";
import { barsOf, changeBar, clampWeight, isNeverLive, moved, stepsOf, stretched, windowOf } from "../../../web/lib/bars.js";
import { parse } from "../../../web/lib/df_text.js";

const TEXT = "a cat, at night[, misty:1-0.5:1],\n[sharp:0.3-0:1.2]";

test("each phrase is a bar, in order, at its place", () => {
  const { bars } = barsOf(TEXT);
  assert.deepEqual(bars.map((bar) => bar.label), ["a cat", "at night", "misty", "sharp"]);
  assert.equal(TEXT.slice(bars[1].from, bars[1].to), "at night");
  assert.deepEqual(stepsOf(bars[2], 20), { first: 0, stop: 10 });
  assert.deepEqual(stepsOf(bars[3], 20), { first: 14, stop: 20 });
});

test("a change touches only its own phrase", () => {
  const { bars } = barsOf(TEXT);
  assert.equal(changeBar(TEXT, bars[2], { weight: 0.8 }), "a cat, at night[, misty:0.5-1:0.8],\n[sharp:0.3-0:1.2]");
  assert.equal(changeBar(TEXT, bars[1], { start: 0.5 }), "a cat, [at night:0-0.5:1][, misty:1-0.5:1],\n[sharp:0.3-0:1.2]");
  assert.equal(changeBar(TEXT, bars[3], { start: 0, end: 1, weight: 1 }), "a cat, at night[, misty:1-0.5:1],\nsharp");
});

test("signs that mean something are escaped when a phrase gets brackets, and come back without", () => {
  const text = "ratio 3:4 \\[x\\]";
  const changed = changeBar(text, barsOf(text).bars[0], { weight: 2 });
  assert.equal(changed, "[ratio 3\\:4 \\[x\\]:0-1:2]");
  assert.equal(changeBar(changed, barsOf(changed).bars[0], { weight: 1 }), text);
});

test("windows over whole steps are short to read and exact, for every number of steps to 150", () => {
  for (let steps = 1; steps <= 150; steps += 1) {
    for (let first = 0; first < steps; first += 1) {
      const window = windowOf(first, first + 1, steps);
      const text = changeBar("x", { ...barsOf("x").bars[0] }, window);
      const [bar] = barsOf(text).bars;
      assert.deepEqual(stepsOf(bar, steps), { first, stop: first + 1 }, `${text} at ${steps}`);
    }
  }
  assert.deepEqual(windowOf(7, 20, 20), { start: 0.35, end: 1 });
});

test("bars move and stretch by steps, and stop at the ends", () => {
  const [bar] = barsOf("[x:0.75-0.25:1]").bars;
  const stepsAfter = (window) => stepsOf({ ...bar, ...window }, 20);
  assert.deepEqual(stepsAfter(moved(bar, 2, 20)), { first: 7, stop: 17 });
  assert.deepEqual(stepsAfter(moved(bar, 99, 20)), { first: 10, stop: 20 });
  assert.deepEqual(stepsAfter(moved(bar, -99, 20)), { first: 0, stop: 10 });
  assert.deepEqual(stepsAfter(stretched(bar, "start", 99, 20)), { first: 14, stop: 15 });
  assert.deepEqual(stepsAfter(stretched(bar, "end", -99, 20)), { first: 5, stop: 6 });
  assert.deepEqual(stepsAfter(stretched(bar, "end", 99, 20)), { first: 5, stop: 20 });
  assert.deepEqual(moved(bar, 0.2, 20), { start: 0.25, end: 0.75 });
});

test("a window narrower than a step is known, and one drag gives it a step", () => {
  const [bar] = barsOf("[x:0.51-0.52:1]").bars;
  assert.ok(isNeverLive(bar, 20));
  assert.ok(!isNeverLive({ ...bar, ...stretched(bar, "end", 1, 20) }, 20));
});

test("weights stay within what is allowed", () => {
  assert.deepEqual([-1, 0.333, 11, 1].map(clampWeight), [0, 0.33, 10, 1]);
});

test("changing bars keeps a hostile text whole", () => {
  for (const text of ["<img src=x>, [a:b:c], x", "[[x:0-0.5:1]]", "\\, a:b, [", "🐈, [🐈:0-0.5:1] ]"]) {
    for (const bar of barsOf(text).bars) {
      const changed = changeBar(text, bar, { weight: 1.5 });
      const words = (one) => parse(one).spans.map((span) => span.words).join("");
      assert.equal(words(changed), words(text));
    }
  }
});
