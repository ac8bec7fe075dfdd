// The settings panel, and what new nodes start with.
import { ask, setting, setWidget } from "../host.js";
import { widgetOf } from "./writers.js";

const MODES = ["negative and modifiers", "negative", "modifiers"];
const CATEGORY = "negopt";
let policies = [];

/** Names for the menu of policies; asked once, when the page is up. */
export async function loadPolicies() {
  try {
    policies = (await ask("/policies")).policies.map((one) => one.name);
  } catch {
    policies = []; // the menu then offers only what is set
  }
}

function policyChoices() {
  const known = [...new Set([setting("negopt.policy"), ...policies])].filter(Boolean);
  return [{ text: "—", value: "" }, ...known.map((name) => ({ text: name, value: name }))];
}

export const SETTINGS = [
  {
    id: "negopt.policy",
    category: [CATEGORY, "writing", "policy"],
    name: "Policy for one click and for new nodes",
    tooltip: "Empty: the rules for the model family that the graph tells, else 'rules'.",
    type: "combo",
    options: policyChoices,
    defaultValue: "",
  },
  {
    id: "negopt.mode",
    category: [CATEGORY, "writing", "mode"],
    name: "What new nodes write",
    type: "combo",
    options: MODES,
    defaultValue: MODES[0],
  },
  {
    id: "negopt.budget",
    category: [CATEGORY, "writing", "budget"],
    name: "Token budget of one click (0: the policy's own, usually 75)",
    type: "number",
    attrs: { min: 0, max: 1000, step: 5 },
    defaultValue: 0,
  },
  {
    id: "negopt.quiet",
    category: [CATEGORY, "notices", "quiet"],
    name: "Only warnings, no remarks",
    type: "boolean",
    defaultValue: false,
  },
];

/** A node that has just been made starts with the user's settings; what a workflow saved comes later and wins. */
export function startWithSettings(node) {
  const isWriting = ["NegOptSuggest", "NegOptOneClick"].includes(node.comfyClass);
  const mode = setting("negopt.mode");
  if (isWriting && mode && mode !== MODES[0]) setWidget(node, "mode", mode);
  const policy = setting("negopt.policy");
  if (policy && ["NegOptOneClick", "NegOptLoadPolicy"].includes(node.comfyClass)) {
    if (widgetOf(node, "policy")?.options?.values?.includes?.(policy)) setWidget(node, "policy", policy);
  }
}
