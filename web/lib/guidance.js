// What makes a negative act where CFG is 1, by family of models: the measured table of the guidance route. Plain data, no page.
// @ts-check

/** @typedef {{ also: string[], cfg: boolean, nag_tokens: number | null, pack: boolean }} Row see negopt_core/text/guidance.py */
/** @typedef {{ families: Record<string, Row> }} Table */

/**
 * @param {Table | null} table @param {string | undefined} family
 * @returns {Row | undefined}
 */
function rowOf(table, family) {
  const name = (family ?? "").toLowerCase();
  const rows = Object.entries(table?.families ?? {});
  return rows.find(([one, row]) => one === name || row.also.includes(name))?.[1];
}

/**
 * How ComfyUI's own NAGuidance acts: on texts of any usual length, only on texts of the same number of tokens, or never.
 * @param {Table | null} table @param {string | undefined} family
 * @returns {"acts" | "same-length" | "never" | undefined} undefined: the family is not in the table
 */
export function nagActs(table, family) {
  const row = rowOf(table, family);
  if (!row) return undefined;
  if (row.nag_tokens === null) return "never";
  return row.nag_tokens ? "acts" : "same-length";
}

/**
 * What makes the words act at CFG 1, the least change first; the last one needs no negative.
 * @param {Table | null} table @param {string | undefined} family
 * @returns {("nag" | "raise-cfg" | "nag-pack" | "positive")[]}
 */
export function remediesFor(table, family) {
  const row = rowOf(table, family);
  if (!row) return ["raise-cfg", "positive"];
  const acts = nagActs(table, family) === "acts";
  /** @type {["nag" | "raise-cfg" | "nag-pack" | "positive", boolean][]} */
  const ways = [["nag", acts], ["raise-cfg", row.cfg], ["nag-pack", row.pack && !acts], ["positive", true]];
  return ways.filter(([, isOpen]) => isOpen).map(([name]) => name);
}
