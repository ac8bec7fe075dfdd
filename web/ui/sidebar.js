// The sidebar tab: every policy that is here, its card, and how to get, bring in and delete one.
import { api, ask, notify, say } from "../host.js";
import { confirm } from "./dialog.js";
import { choosePolicy, chosenPolicy, loadPolicies } from "./settings.js";
import { openAudit, openTune } from "./learn_panel.js";
import { button, guarded, make } from "./style.js";

/** What is shown of a card, in order; the words for each are "card-NAME". */
const ROWS = ["polarity", "families", "variants", "base_model", "max_tokens", "licence", "caveats", "from", "metrics", "made_by", "provenance"];
/** A text of the user's own; it is shown after what learns from the prompt. */
const LAST = "static";
const PULL_EVENT = "negopt.pull"; // nodes/api_policies.py

/** The tab as ComfyUI's page wants it; it listens for progress only while it is open. */
export function tab() {
  let close = () => {};
  return {
    id: "negopt",
    icon: "pi pi-book",
    title: "negopt",
    tooltip: say("tab-tooltip"),
    type: "custom",
    render: (root) => {
      close();
      close = open(root);
    },
    destroy: () => close(),
  };
}

/** Fill the panel; returns what ends it. */
function open(root) {
  const panel = make("div", "negopt-panel");
  const parts = { list: make("div", "negopt-list"), progress: make("div", "negopt-progress") };
  const head = make("div", "negopt-head");
  head.append(make("h3", "", say("tab-title")), button(say("tab-refresh"), () => fill(parts.list)));
  const learn = make("div", "negopt-form");
  learn.append(button(say("menu-audit"), () => openAudit()), button(say("menu-tune"), () => openTune()));
  panel.append(head, make("div", "", say("tab-where")), getForm(parts), learn, parts.progress, parts.list);
  root.replaceChildren(panel);
  const onPull = ({ detail }) => showProgress(parts, detail);
  api.addEventListener(PULL_EVENT, onPull);
  fill(parts.list);
  return () => api.removeEventListener(PULL_EVENT, onPull);
}

/** A field for a name on the hub, and a button for a ZIP file. */
function getForm({ list }) {
  const form = make("form", "negopt-form");
  const name = make("input", "negopt-field");
  name.placeholder = "hf:owner/name";
  name.setAttribute("aria-label", say("tab-pull-field"));
  const pull = button(say("tab-pull"), () => {});
  pull.type = "submit";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (name.value.trim()) guarded(() => fetchOne(name.value.trim(), list), notify);
  });
  // keys of a text field are not the canvas's
  name.addEventListener("keydown", (event) => event.stopPropagation());
  const file = make("input");
  Object.assign(file, { type: "file", accept: ".zip,application/zip", hidden: true });
  file.addEventListener("change", () => guarded(() => bringIn(file, list), notify));
  form.append(name, pull, button(say("tab-import"), () => file.click()), file);
  return form;
}

async function fetchOne(name, list) {
  if (!(await confirm(say("tab-pull"), say("tab-pull-ask", { name }), say("tab-pull")))) return;
  const told = await ask("/policies/pull", { name });
  await changed(list, say("tab-pulled", { name: told.name }));
}

async function bringIn(input, list) {
  const [file] = input.files;
  input.value = "";
  if (!file) return;
  const name = file.name.replace(/\.zip$/i, "");
  const told = await ask(`/policies/import?name=${encodeURIComponent(name)}`, file);
  await changed(list, say("tab-imported", { name: told.name }));
}

async function remove(name, list) {
  if (!(await confirm(say("tab-delete"), say("tab-delete-ask", { name }), say("tab-delete")))) return;
  await ask("/policies/delete", { name });
  await changed(list, say("tab-deleted", { name }));
}

/** The list here, the menu of the settings, and the nodes' menus (ComfyUI reads those anew on its own refresh, R). */
async function changed(list, told) {
  notify("success", told);
  await Promise.all([fill(list), loadPolicies()]);
}

function showProgress({ progress }, { name, state, bytes, total }) {
  if (state !== "running") return progress.replaceChildren();
  const [bar] = progress.getElementsByTagName("progress");
  const shown = bar ?? make("progress");
  if (total) Object.assign(shown, { max: total, value: bytes });
  const megabytes = (value) => (value / 1e6).toFixed(1);
  const line = make("div", "", `${name}  ${megabytes(bytes)}${total ? ` / ${megabytes(total)}` : ""} MB`);
  progress.replaceChildren(line, shown);
}

async function fill(list) {
  try {
    const { policies } = await ask("/policies");
    const ordered = withVariants(policies).sort((one, other) => Number(one.kind === LAST) - Number(other.kind === LAST));
    const isMore = (one) => one.is_more && one.name !== chosenPolicy();
    const [usual, more] = [(one) => !isMore(one), isMore].map((kept) => ordered.filter(kept).map((policy) => entry(policy, list)));
    list.replaceChildren(...usual, ...(more.length ? [furtherOnes(more)] : []));
  } catch (error) {
    list.replaceChildren(make("div", "negopt-problem", String(error.message)));
  }
}

/** What most people never need, to be opened. */
function furtherOnes(entries) {
  const rest = make("details", "negopt-further");
  const inner = make("div", "negopt-list");
  inner.append(...entries);
  rest.append(make("summary", "", say("tab-more")), inner);
  return rest;
}

/** One entry for a policy and its NAME:FAMILY variants, which have almost the same card. */
function withVariants(policies) {
  const baseOf = (name) => policies.find((one) => name.startsWith(`${one.name}:`));
  const variants = (base) => policies.filter((one) => baseOf(one.name) === base).map((one) => one.name);
  return policies.filter((one) => !baseOf(one.name)).map((one) => ({ ...one, variants: variants(one) }));
}

/** A policy: its name, what it is for, a button to take it, and its card to open. */
function entry(policy, list) {
  const whole = make("div", "negopt-card");
  const head = make("div", "negopt-head");
  head.append(make("b", "negopt-name", policy.name));
  whole.append(head);
  if (policy.fault) whole.append(make("div", "negopt-problem", policy.fault));
  else {
    head.append(useButton(policy, list));
    whole.append(make("div", "negopt-about", aboutOf(policy)), detailsOf(policy));
  }
  if (!policy.is_ours) whole.append(button(say("tab-delete"), () => guarded(() => remove(policy.name, list), notify)));
  return whole;
}

function useButton({ name }, list) {
  if (name === chosenPolicy()) return make("span", "negopt-used", say("tab-in-use"));
  return button(say("tab-use"), () => guarded(() => choose(name, list), notify));
}

/** One sentence on what a policy is for, and one more if its phrases have windows. */
function aboutOf({ name, kind, families = [], is_ours: isOurs }) {
  if (isOurs && name === "negopt-scheduled") return say("about-negopt-scheduled");
  if (isOurs && name.startsWith("negopt")) return say("about-negopt");
  const known = isOurs && families[0] === "world" ? "world" : kind;
  return [Object.hasOwn(ABOUT, known) && ABOUT[known](), name.endsWith("-scheduled") && say("about-windows")].filter(Boolean).join(" ");
}

const ABOUT = {
  world: () => say("about-world"),
  rules: () => say("about-rules"),
  static: () => say("about-static"),
  retrieval: () => say("about-retrieval"),
  seq2seq: () => say("about-language"),
  df: () => say("about-language"),
  tuned: () => say("about-tuned"),
};

/** The card, read when it is opened. */
function detailsOf(policy) {
  const card = make("details");
  const inner = make("div");
  card.append(make("summary", "", say("tab-details")), inner);
  card.addEventListener("toggle", () => card.open && !inner.childElementCount && showCard(inner, policy));
  return card;
}

/** Make a policy the one of one click and of new nodes. */
async function choose(name, list) {
  await choosePolicy(name);
  await fill(list);
}

async function showCard(inner, policy) {
  try {
    const { card } = await ask(`/policies/card?name=${encodeURIComponent(policy.name)}`);
    const { made_by: maker, ...provenance } = card.provenance ?? {};
    const rows = { ...card, polarity: polarityOf(card), provenance, made_by: maker, from: policy.from, variants: policy.variants };
    const list = make("dl");
    for (const row of ROWS) {
      const value = rows[row];
      if (value === "" || value == null || (typeof value === "object" && !Object.keys(value).length)) continue;
      list.append(make("dt", "", say(`card-${row.replace("_", "-")}`)), make("dd", "", shown(value)));
    }
    inner.replaceChildren(list);
  } catch (error) {
    inner.replaceChildren(make("div", "negopt-problem", String(error.message)));
  }
}

const POLARITIES = {
  negative: () => say("writes-negative"),
  modifiers: () => say("writes-modifiers"),
  both: () => say("writes-both"),
};

const polarityOf = ({ polarity }) => (Object.hasOwn(POLARITIES, polarity) ? POLARITIES[polarity]() : polarity);

/** A value of a card as lines of plain text. */
function shown(value) {
  if (Array.isArray(value)) return value.map(String).join("\n");
  if (typeof value !== "object") return String(value);
  return Object.entries(value)
    .map(([key, one]) => `${key}: ${typeof one === "object" ? JSON.stringify(one) : one}`)
    .join("\n");
}
