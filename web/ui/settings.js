// The settings panel, and what new nodes start with.
import { ask, setting, setWidget } from "../host.js";
import { widgetOf } from "./writers.js";

const MODES = ["negative and modifiers", "negative", "modifiers"];
const CATEGORY = "negopt";
let policies = [];

/** The policies that are here; asked when the page is up, and when they change. */
export async function loadPolicies() {
  try {
    ({ policies } = await ask("/policies"));
  } catch {
    policies = []; // the menu then offers only what is set
  }
}

/** What the server offered last, each with its name and where it was fetched from; none while it has not told. */
export const offeredPolicies = () => policies;

function policyChoices() {
  const known = [...new Set([setting("negopt.policy"), ...policies.map((one) => one.name)])].filter(Boolean);
  return [{ text: "—", value: "" }, ...known.map((name) => ({ text: name, value: name }))];
}

export const SETTINGS = [
  {
    id: "negopt.policy",
    category: [CATEGORY, "writing", "policy"],
    name: "Policy for one click and for new nodes",
    tooltip: "Empty: negopt, for the model family that the graph tells.",
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
    id: "negopt.device",
    category: [CATEGORY, "writing", "device"],
    name: "Where one click runs policies with weights",
    tooltip: "The graphics card is used only while nothing is being painted. Graphs that run use the CPU.",
    type: "combo",
    options: [
      { text: "CPU", value: "cpu" },
      { text: "GPU", value: "gpu" },
    ],
    defaultValue: "cpu",
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
