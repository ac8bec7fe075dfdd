// The sidebar tab: every policy that is here, and its card.
import { ask, say } from "../host.js";
import { make } from "./style.js";

const ROWS = ["kind", "polarity", "families", "base_model", "max_tokens", "licence", "caveats", "metrics", "provenance"];

export const tab = () => ({
  id: "negopt",
  icon: "pi pi-ban",
  title: "negopt",
  tooltip: say("tab-tooltip"),
  type: "custom",
  render: (root) => {
    const panel = make("div", "negopt-panel");
    root.replaceChildren(panel);
    fill(panel);
  },
});

async function fill(panel) {
  const again = make("button", "negopt-button", say("tab-refresh"));
  again.type = "button";
  again.addEventListener("click", () => fill(panel));
  const head = [make("h3", "", say("tab-title")), make("div", "", say("tab-where")), again];
  try {
    const { policies } = await ask("/policies");
    panel.replaceChildren(...head, ...policies.map(entry));
  } catch (error) {
    panel.replaceChildren(...head, make("div", "negopt-problem", String(error.message)));
  }
}

function entry(policy) {
  const card = make("details", "negopt-card");
  card.append(make("summary", "", policy.name));
  if (policy.fault) {
    card.append(make("div", "negopt-problem", policy.fault));
    return card;
  }
  card.addEventListener("toggle", () => card.open && card.childElementCount === 1 && showCard(card, policy.name));
  return card;
}

async function showCard(card, name) {
  try {
    const told = await ask(`/policies/card?name=${encodeURIComponent(name)}`);
    const list = make("dl");
    for (const row of ROWS) {
      const value = told.card[row];
      if (value === "" || value == null || (typeof value === "object" && !Object.keys(value).length)) continue;
      list.append(make("dt", "", row.replace("_", " ")), make("dd", "", shown(value)));
    }
    card.append(list);
  } catch (error) {
    card.append(make("div", "negopt-problem", String(error.message)));
  }
}

/** A value of a card as lines of plain text. */
function shown(value) {
  if (Array.isArray(value)) return value.map(String).join("\n");
  if (typeof value !== "object") return String(value);
  return Object.entries(value)
    .map(([key, one]) => `${key}: ${typeof one === "object" ? JSON.stringify(one) : one}`)
    .join("\n");
}
