// The settings panel, and what new nodes start with.
import { app, ask, notify, say, setting, setWidget } from "../host.js";
import { widgetOf } from "./writers.js";

const MODES = ["negative and modifiers", "negative", "modifiers"];
const CATEGORY = "negopt";
/** The choice that leaves the policy to the graph; a menu of newer pages takes no empty value. */
const AUTOMATIC = "automatic";
const WRITERS = ["NegOptOneClick", "NegOptLoadPolicy"];
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

/** The policy that the user has chosen; "" where it is left to the graph. */
export function chosenPolicy() {
  const chosen = setting("negopt.policy");
  return chosen && chosen !== AUTOMATIC ? chosen : "";
}

/** Make a policy that is new here the one of one click and of new nodes. */
export async function choosePolicy(name) {
  await loadPolicies();
  await app.extensionManager.setting.set("negopt.policy", name);
  notify("success", say("tab-used", { name }));
}

function policyChoices() {
  const known = [...new Set([chosenPolicy(), ...policies.map((one) => one.name)])].filter(Boolean);
  return [{ text: say("policy-automatic"), value: AUTOMATIC }, ...known.map((name) => ({ text: name, value: name }))];
}

/** Offer a policy that a node has and its menu has not, as two policies joined are, so that it can be chosen again. */
export function keepOffered(node) {
  const widget = WRITERS.includes(node.comfyClass) ? widgetOf(node, "policy") : undefined;
  const values = widget?.options?.values;
  if (!widget?.value || !Array.isArray(values) || values.includes(widget.value)) return;
  widget.options.values = [...values, widget.value];
}

export const SETTINGS = [
  {
    id: "negopt.policy",
    category: [CATEGORY, "Writing", "policy"],
    name: "Policy for one click and for new nodes",
    tooltip: "Automatic: what is best for the model family that the graph tells.",
    type: "combo",
    options: policyChoices,
    defaultValue: AUTOMATIC,
  },
  {
    id: "negopt.mode",
    category: [CATEGORY, "Writing", "mode"],
    name: "What new nodes write",
    type: "combo",
    options: MODES,
    defaultValue: MODES[0],
  },
  {
    id: "negopt.budget",
    category: [CATEGORY, "Writing", "budget"],
    name: "Token budget of one click (0: the policy's own, usually 75)",
    type: "number",
    attrs: { min: 0, max: 1000, step: 5 },
    defaultValue: 0,
  },
  {
    id: "negopt.device",
    category: [CATEGORY, "Writing", "device"],
    name: "Where one click runs policies that are language models",
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
    category: [CATEGORY, "Notices", "quiet"],
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
  const policy = chosenPolicy();
  if (policy && WRITERS.includes(node.comfyClass)) {
    if (widgetOf(node, "policy")?.options?.values?.includes?.(policy)) setWidget(node, "policy", policy);
  }
}
