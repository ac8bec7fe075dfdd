import assert from "node:assert/strict";
import { test } from "node:test";
import { barsOf } from "../../../web/lib/bars.js";
import { freshPhrase, isScheduled, reasonFor, replaced, widened, withoutPhrases } from "../../../web/lib/phrases.js";

test("phrases go with one separator each", () => {
  for (const [text, gone, left] of [
    ["a, b, c", ["b"], "a, c"],
    ["a, b, c", ["C"], "a, b"],
    ["a, b, c", ["a"], "b, c"],
    ["a", ["a"], ""],
    ["a[, b:0-0.5:1], c", ["b"], "a, c"],
    ["a, [b:0-0.5:1]", ["b"], "a"],
    ["a, b, a", ["a"], "b"],
    ["a, b", ["x"], "a, b"],
  ]) {
    assert.equal(withoutPhrases(text, gone), left);
  }
});

test("a window without a step gets one", () => {
  assert.equal(widened("a, [b:0.01-0:1]", ["b"], 20), "a, [b:0-0.05:1]");
  assert.equal(widened("[b:0.5-0:1]", ["b"], 20), "[b:0.5-0:1]");
});

test("one phrase is replaced by a fresh one, in its place", () => {
  const text = "mine, blurry[, ugly:0-0.8:1]";
  const fresh = freshPhrase(text, "mine, Blurry, [noise:0-0.3:1.2]");
  assert.equal(fresh.label, "noise");
  assert.equal(replaced(text, barsOf(text).bars[2], fresh), "mine, blurry[, noise:0-0.3:1.2]");
  assert.equal(freshPhrase(text, "ugly, MINE"), null);
});

test("scheduled text is told from plain", () => {
  assert.ok(isScheduled("a, [b:0-0.5:1]"));
  assert.ok(!isScheduled("a [b] c"));
});

test("a phrase has its reason, and a sentence of several those of each", () => {
  const reasons = { "Soft light": "goes with portrait", "film grain": "usual for flux models" };
  assert.equal(reasonFor(reasons, "soft light "), "goes with portrait");
  assert.equal(reasonFor(reasons, "Soft light and film grain."), "Soft light: goes with portrait\nfilm grain: usual for flux models");
  assert.equal(reasonFor(reasons, "my own words"), "");
});
