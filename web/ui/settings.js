// The settings panel, and what new nodes start with.
import { app, ask, notify, say, setting, setWidget } from "../host.js";
import { widgetOf } from "./writers.js";

const MODES = ["negative and modifiers", "negative", "modifiers"];
const MODE_TEXTS = ["mode-both", "mode-negative", "mode-modifiers"];
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

/** Kinds that answer a prompt in more than one way; the others write the same for every seed. */
const WITH_CHOICE = new Set(["seq2seq", "df"]);

/** Whether a policy has other phrases for a prompt; "" is the default; two may be joined. Unknown ones may have. */
export const hasChoice = (name) =>
  (name || "negopt").split("+").some((part) => WITH_CHOICE.has(policies.find((one) => one.name === part)?.kind ?? "df"));

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

/** The default and the user's own first, then the default's families, then what most people never need; what is chosen stays. */
function policyChoices() {
  const names = (isWanted) => policies.filter(isWanted).map((one) => one.name);
  const families = names(({ name }) => name.startsWith("negopt:"));
  const known = [...new Set([...names((one) => one.is_usual), ...families, ...names((one) => one.is_more), chosenPolicy()])].filter(Boolean);
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
    sortOrder: 40, // the highest comes first
    category: [CATEGORY, "Writing", "policy"],
    name: "Policy for one click and new nodes",
    tooltip: "Automatic: what suits the model family that the graph shows.",
    type: "combo",
    options: policyChoices,
    defaultValue: AUTOMATIC,
  },
  {
    id: "negopt.mode",
    sortOrder: 30,
    category: [CATEGORY, "Writing", "mode"],
    name: "What new nodes write",
    type: "combo",
    options: () => MODES.map((value, place) => ({ value, text: say(MODE_TEXTS[place]) })), // a menu's field is narrow
    defaultValue: MODES[0],
  },
  {
    id: "negopt.budget",
    sortOrder: 20,
    category: [CATEGORY, "Writing", "budget"],
    name: "Longest text of one click, in tokens (0: as the policy says, usually 75)",
    type: "number",
    attrs: { min: 0, max: 1000, step: 5 },
    defaultValue: 0,
  },
  {
    id: "negopt.device",
    sortOrder: 10,
    category: [CATEGORY, "Writing", "device"],
    name: "Run language-model policies on",
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
    sortOrder: 0,
    category: [CATEGORY, "Notices", "quiet"],
    name: "Show warnings only",
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
    // a menu shows few names; any other one that is here works as well
    const isHere = policies.some((one) => one.name === policy) || widgetOf(node, "policy")?.options?.values?.includes?.(policy);
    if (isHere) setWidget(node, "policy", policy);
    keepOffered(node);
  }
}
