import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { escapeWords, format, joined, parse, round9 } from "../../../web/lib/df_text.js";

const vectors = JSON.parse(readFileSync(new URL("../df_vectors.json", import.meta.url), "utf8"));

// Python counts characters, JavaScript UTF-16 units
const characters = (text, units) => [...text.slice(0, units)].length;

test("every vector of the Python reader is read and written the same", () => {
  assert.ok(vectors.length > 400);
  for (const { text, spans, problems, format: canonical } of vectors) {
    const read = parse(text);
    const told = joined(read.spans).map((span) => [span.words, span.weight, span.start, span.end]);
    assert.deepEqual(told, spans, text);
    const places = read.problems.map(({ from, to }) => [characters(text, from), characters(text.slice(from), to - from)]);
    assert.deepEqual(places, problems, text);
    assert.equal(format(text), canonical, text);
  }
});

test("spans cover the text without gap, and writing is a fixed point", () => {
  for (const { text } of vectors) {
    let place = 0;
    for (const span of parse(text).spans) {
      assert.equal(span.from, place);
      place = span.to;
    }
    assert.equal(place, text.length);
    assert.equal(format(format(text)), format(text));
  }
});

test("escaped words are read as themselves", () => {
  for (const { text } of vectors) {
    const words = parse(escapeWords(text)).spans.map((span) => span.words).join("");
    assert.equal(words, text);
    assert.equal(parse(escapeWords(text)).problems.length, 0);
  }
});

test("rounding to nine decimals takes ties to the even digit, as Python does", () => {
  assert.equal(round9(0.0009765625), 0.000976562);
  assert.equal(round9(0.0029296875), 0.002929688);
  assert.equal(round9(0.1 + 0.2), 0.3);
});

test("100 kB of text, hostile or not, is read without hanging", { timeout: 60_000 }, () => {
  for (const piece of ["[", "]", "[x:0-0.5:1], ", "\\", "a:b ", "[[]]", "[a:0-"]) parse(piece.repeat(100_000 / piece.length));
});
