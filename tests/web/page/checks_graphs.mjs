// One click in graphs as people have them: the user's words stay in front, what is not understood stays as it is and is named,
// and one undo gives back the graph exactly.
import assert from "node:assert/strict";
import { answer, command, waitFor } from "./browser.mjs";
import { build } from "./graphs.mjs";
import { CORE, OTHERS, PACKS } from "./topologies.mjs";

/** Everything of a graph that a person made: nodes with their values and places, links, groups. */
const saved = (page) => page.evaluate(() => {
  const { nodes, links, groups } = app.rootGraph.serialize();
  const places = nodes.map(({ id, type, pos, size, mode, inputs, widgets_values }) =>
    ({ id, type, mode, pos: [...pos].map(Math.round), size: [...size].map(Math.round), widgets_values,
      // a node whose menu adds inputs gets them in another order when ComfyUI loads it
      inputs: inputs?.map(({ name, link }) => [name, link]).sort() }));
  return JSON.stringify({ nodes: places.sort((one, other) => one.id - other.id), links, groups }, null, 1);
});

const values = (page) => page.evaluate(() => Object.fromEntries(app.graph.nodes.flatMap((node) =>
  (node.widgets ?? []).map((one) => [`${node.id}.${one.name}`, one.value]))));

const toasts = (page) => page.evaluate(() => [...document.querySelectorAll(".p-toast-message")].map((one) => one.innerText).join(" "));

/** Away with the notices; the next one is then that of the next click. */
async function quiet(page) {
  await page.evaluate(() => app.extensionManager.toast.removeAll());
  await waitFor(page, () => !document.querySelector(".p-toast-message"));
}

/** Click, say Yes to a question, and give the notice. */
async function click(page, id, name, asks) {
  await quiet(page);
  await command(page, id, name, 0);
  if (asks) {
    await page.getByText(asks).first().waitFor();
    await answer(page, "Yes");
  }
  await waitFor(page, () => document.querySelector(".p-toast-message"));
  await page.waitForTimeout(400); // frames in which what is made gets its place
  return toasts(page);
}

/** Undo until the graph is what it was; throws the difference. */
async function undone(page, before, what) {
  await page.evaluate(() => app.extensionManager.command.execute("Comfy.Undo"));
  let now = "";
  for (let look = 0; look < 20; look += 1) {
    await page.waitForTimeout(150);
    now = await saved(page);
    if (now === before) return;
  }
  assert.equal(now, before, `${what}: one undo does not give the graph back`);
}

/** Every click on one graph, each undone. */
async function walk(page, name, one) {
  await build(page, one.nodes, one.wires);
  await quiet(page);
  const before = await saved(page);
  const old = await values(page);
  for (const [key, words] of Object.entries(one.own)) assert.equal(old[key], words, `${name}: the graph is not built as told`);
  const asked = [];
  await page.route("**/negopt/v1/suggest", (route) => asked.push(route.request().postDataJSON()) && route.continue());
  const told = await click(page, one.click, "negopt.writeNegative", one.asks);
  await page.unroute("**/negopt/v1/suggest");
  const now = await values(page);
  for (const [key, words] of Object.entries(one.own)) assert.ok(String(now[key]).startsWith(words), `${name}: the user's words in ${key} became ${now[key]}`);
  if (one.says) {
    assert.match(told, one.says);
    assert.equal(await saved(page), before, `${name}: refused, but changed`);
    return;
  }
  if (one.family) assert.equal(asked[0].model_family, one.family, name);
  if (one.reads) assert.equal(asked[0].prompt, one.reads, name);
  if (one.tells) assert.match(told, one.tells, name);
  const grown = Object.keys(old).filter((key) => now[key] !== old[key]);
  const made = Object.keys(now).filter((key) => !(key in old));
  assert.deepEqual([grown.sort(), made.length > 0], one.negative === "made" ? [[], true] : [[...one.negative].sort(), false], `${name}: ${told}`);
  await undone(page, before, `${name}, negative`);
  for (const what of ["negopt.addModifiers", "negopt.writeScheduled"]) {
    const said = await click(page, one.click, what);
    if (what.endsWith("Scheduled") && one.refusesSchedule) assert.match(said, one.refusesSchedule);
    const after = await values(page);
    for (const [key, words] of Object.entries(one.own)) assert.ok(!(key in after) || String(after[key]).startsWith(words), `${name}, ${what}: ${key} became ${after[key]}`);
    if ((await saved(page)) !== before) await undone(page, before, `${name}, ${what}`);
  }
}

/** Without the question about CFG 1, which has checks of its own. */
async function walkAll(page, graphs) {
  await page.evaluate(() => {
    window.negoptTaken = LiteGraph.registered_node_types.NAGuidance;
    delete LiteGraph.registered_node_types.NAGuidance;
  });
  try {
    for (const [name, one] of Object.entries(graphs)) await walk(page, name, one);
  } finally {
    await page.evaluate(() => (LiteGraph.registered_node_types.NAGuidance = window.negoptTaken));
  }
}

const part = (graphs, from, to) => Object.fromEntries(Object.entries(graphs).slice(from, to));

export const checks = {
  async core_graphs_of_stable_diffusion_and_flux_keep_the_users_words_and_undo({ page }) {
    await walkAll(page, part(CORE, 0, 6));
  },

  async core_graphs_with_several_fields_and_strings_keep_the_users_words_and_undo({ page }) {
    await walkAll(page, part(CORE, 6, 12));
  },

  async core_graphs_with_switches_and_two_sides_keep_the_users_words_and_undo({ page }) {
    await walkAll(page, part(CORE, 12));
  },

  async graphs_of_other_packs_are_refused_by_name_or_asked_about({ page }) {
    await page.evaluate(async (definitions) => {
      for (const one of definitions) await app.registerNodeDef(one.name, one);
    }, OTHERS);
    await walkAll(page, PACKS);
  },
};
