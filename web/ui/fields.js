// The live widgets of a text.
import { nodeAt, setWidget } from "../host.js";
import { appended, joined } from "../lib/fields.js";

const widgetAt = ({ key, name }) => nodeAt(key)?.widgets?.find((one) => one.name === name);

/** What each field holds now; undefined for one that is gone. */
export const valuesOf = (fields) => fields.map((field) => (nodeAt(field.key)?.graph ? String(widgetAt(field)?.value ?? "") : undefined));

/** The text that fields hold together. */
export const readText = (fields) => joined(valuesOf(fields).map((value) => value ?? ""));

/** The live nodes that hold the fields, each once. */
export const nodesOf = (fields) => [...new Set(fields.map(({ key }) => nodeAt(key)))].filter(Boolean);

/** Add words behind the own text of each field. Call inside of a step. */
export function addWords(fields, words) {
  const values = appended(valuesOf(fields).map((value) => value ?? ""), words);
  fields.forEach(({ key, name }, index) => setWidget(nodeAt(key), name, values[index]));
}
