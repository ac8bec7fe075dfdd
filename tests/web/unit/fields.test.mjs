import assert from "node:assert/strict";
import { test } from "node:test";
import { appended, joined } from "../../../web/lib/fields.js";

const CASES = [
  ["one field is as it was typed", [" a cat "], " a cat ", ", sharp", [" a cat , sharp"]],
  ["an empty field gets the words", [""], "", "sharp", ["sharp"]],
  ["the same text twice is read once", ["a cat", "a cat"], "a cat", ", sharp", ["a cat, sharp", "a cat, sharp"]],
  ["different texts keep their own words", ["tags, cat", "A cat sits."], "tags, cat, A cat sits.", ", sharp", ["tags, cat, sharp", "A cat sits. sharp"]],
  ["an empty field beside a full one stays empty", ["", "a cat"], "a cat", ", sharp", ["", "a cat, sharp"]],
  ["where all are empty all get the words", ["", " "], "", ", sharp", ["sharp", "sharp"]],
  ["a comma at the end is not doubled", ["cat,", "dog"], "cat,, dog", ", sharp", ["cat, sharp", "dog, sharp"]],
];
for (const [what, values, read, words, expected] of CASES) {
  test(what, () => {
    assert.equal(joined(values), read);
    assert.deepEqual(appended(values, words), expected);
  });
}
