// Several widgets that hold one prompt, as the fields of an encoder: read as one, written each behind its own. Plain data, no page.
// @ts-check

/** What a model reads: one field as it is, of several each different text once. @param {string[]} values */
export function joined(values) {
  if (values.length === 1) return values[0];
  return [...new Set(values.map((value) => value.trim()).filter(Boolean))].join(", ");
}

/**
 * Each field with words behind its own. A field that is empty stays so, unless all are.
 * @param {string[]} values @param {string} words what is added, with its separator in front
 */
export function appended(values, words) {
  const bare = words.replace(/^[\s,]+/, "");
  if (values.every((value) => !value.trim())) return values.map((value) => (values.length === 1 ? value + words : bare));
  return values.map((value) => {
    if (!value.trim()) return value;
    return values.length > 1 && /[,.!?]\s*$/.test(value) ? `${value.trimEnd()} ${bare}` : value + words;
  });
}
