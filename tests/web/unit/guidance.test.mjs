import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { nagActs, remediesFor } from "../../../web/lib/guidance.js";

const table = JSON.parse(readFileSync(new URL("../../../negopt_core/assets/guidance.json", import.meta.url), "utf8"));

test("the remedy offered first acts on the family", () => {
  const cases = {
    sdxl: "nag", pony: "nag", Flux: "nag", klein: "nag",
    "z-image": "raise-cfg", "qwen-image": "raise-cfg", wan: "raise-cfg", chroma: "raise-cfg", krea2: "raise-cfg",
  };
  for (const [family, first] of Object.entries(cases)) assert.equal(remediesFor(table, family)[0], first, family);
  for (const family of Object.keys(table.families)) assert.equal(remediesFor(table, family).at(-1), "positive", family);
});

test("a family that was not measured gets no NAG", () => {
  for (const family of [undefined, "", "a model of tomorrow"]) {
    assert.equal(nagActs(table, family), undefined);
    assert.deepEqual(remediesFor(table, family), ["raise-cfg", "positive"]);
  }
  assert.deepEqual(remediesFor(null, "flux"), ["raise-cfg", "positive"]);
});

test("NAG that needs texts of one length is told from NAG that acts and NAG that does not", () => {
  const told = ["flux", "chroma", "lumina2"].map((family) => nagActs(table, family));
  assert.deepEqual(told, ["acts", "same-length", "never"]);
});
