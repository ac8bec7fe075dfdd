// The table of what acts at CFG 1, asked for once; without it no family is known.
import { ask } from "../host.js";
import { nagActs, remediesFor } from "../lib/guidance.js";

let table = null;

export async function loadGuidance() {
  try {
    table = await ask("/guidance");
  } catch {
    table = null; // the checks still say what it knows
  }
}

export const nagOf = (family) => nagActs(table, family);

export const remediesOf = (family) => remediesFor(table, family);
