// Whether the words of a scheduled encoder act in the steps that they ask for: hooks that are missing, misplaced or set for
// another part of a chain. Plain data, no page.
// @ts-check
import { hooksOf, partOf, runOf } from "./runs.js";
import { isSampler } from "./sides.js";
import { samplersFedBy } from "./trace.js";
import { numberOf } from "./values.js";

/** @typedef {import("./flat.js").Flat} Flat */

const SETTABLE = "NegOptSamplerHook";
const SETTINGS = ["step_offset", "total_steps"];

/**
 * @typedef {object} HookFinding
 * @property {"hook-missing" | "hook-lost" | "hook-part" | "hook-twice" | "hook-unknown"} code
 * @property {string} sampler
 * @property {{ insert?: { sampler: string, offset: number, total: number }, bypass?: string[] }} mend what ends it; empty: nothing
 *   can be done with one click
 */

/**
 * What is wrong with the hooks of the samplers that a text with windows feeds; at most one finding for each sampler.
 * @param {Flat} flat @param {string} key the encoder, or the node that writes its text
 * @returns {HookFinding[]}
 */
export function hookFindings(flat, key) {
  const samplers = [...new Set(samplersFedBy(flat, key).map((one) => one.sampler))];
  // an encoder that is told the noise levels of the run needs no hook
  const isExact = flat.get(key)?.inputs.some((input) => input.type === "SIGMAS" && input.origin);
  return samplers.flatMap((sampler) => findingOf(flat, sampler) ?? []).filter((one) => !isExact || !/missing|lost/.test(one.code));
}

/** @param {Flat} flat @param {string} sampler @returns {HookFinding | undefined} */
function findingOf(flat, sampler) {
  const hooks = hooksOf(flat, sampler);
  const part = partOf(flat, sampler);
  const insert = { sampler, offset: part?.first ?? 0, total: part?.total ?? 0 };
  if (!hooks.length) return { code: isHookAside(flat, sampler) ? "hook-lost" : "hook-missing", sampler, mend: { insert } };
  const set = settingsOf(flat, hooks[0]);
  if (!set) return undefined; // linked to what only a run knows, or the one-click node's own
  const isSet = part && set.offset === part.first && isWhole(set.total, part, runOf(flat, sampler).steps);
  // a hook that another sampler shares cannot be right for both: this one gets its own, which replaces the other
  const spare = hooks.filter((one) => flat.get(one)?.type === SETTABLE && !isShared(flat, one, sampler));
  if (part && !isSet) return { code: "hook-part", sampler, mend: { insert, ...(spare.length ? { bypass: spare } : {}) } };
  const idle = hooks.slice(1).filter((one) => isOther(set, settingsOf(flat, one)));
  if (idle.length && !idle.some((one) => isShared(flat, one, sampler))) return { code: "hook-twice", sampler, mend: { bypass: idle } };
  return part || set.total ? undefined : { code: "hook-unknown", sampler, mend: {} };
}

/** Whether a hook counts the steps that there are; 0 are those up to the end of its own run. @param {number} total @param {import("./runs.js").Part} part @param {number} [steps] */
const isWhole = (total, part, steps) => (total ? !(part.total || steps) || total === (part.total || steps) : part.stop === part.total);

/** @param {Flat} flat @param {string} hook @returns {{ offset: number, total: number } | undefined} */
function settingsOf(flat, hook) {
  const node = flat.get(hook);
  if (node?.type !== SETTABLE) return node && { offset: 0, total: 0 };
  const [offset, total] = SETTINGS.map((name) => numberOf(flat, node, name));
  return offset === undefined || total === undefined ? undefined : { offset, total };
}

/** @typedef {{ offset: number, total: number } | undefined} Settings */

/** @param {Settings} one @param {Settings} other */
const isOther = (one, other) => one?.offset !== other?.offset || one?.total !== other?.total;

/** Whether a hook stands above another sampler as the one that acts. @param {Flat} flat @param {string} hook @param {string} sampler */
const isShared = (flat, hook, sampler) =>
  [...flat.values()].some((node) => isSampler(node) && node.key !== sampler && hooksOf(flat, node.key)[0] === hook);

/**
 * Whether a hook stands above a sampler, but on a way that does not bring it there: the second model of a merge.
 * @param {Flat} flat @param {string} sampler
 */
function isHookAside(flat, sampler) {
  const queue = [sampler];
  for (const key of queue) {
    for (const input of flat.get(key)?.inputs ?? []) {
      const next = input.type === "MODEL" && input.origin ? flat.get(input.origin.key) : undefined;
      if (next?.type === SETTABLE) return true;
      if (next && !queue.includes(next.key)) queue.push(next.key);
    }
  }
  return false;
}
