// One click in graphs as people have them: the user's words stay in front, what is not understood stays as it is and is named,
// and one undo gives back the graph exactly.
import assert from "node:assert/strict";
import { answer, command, dismissNotices as quiet, NOTICE, undo, waitFor } from "./browser.mjs";
import { build, stock } from "./graphs.mjs";
import { CORE, OTHERS, PACKS } from "./topologies.mjs";

/** Everything of a graph that a person made: nodes with their values and places, links, groups. */
const saved = (page) => page.evaluate(() => {
  const { nodes, links, groups } = (app.rootGraph ?? app.graph).serialize();
  const places = nodes.map(({ id, type, pos, size, mode, inputs, widgets_values }) =>
    ({ id, type, mode, pos: [...pos].map(Math.round), widgets_values: widgets_values?.length ? widgets_values : null,
      // the Vue renderer measures nodes anew when it loads them
      size: LiteGraph.vueNodesMode ? [] : [...size].map(Math.round),
      // a node whose menu adds inputs gets them in another order when ComfyUI loads it
      inputs: inputs?.map(({ name, link }) => [name, link != null]).sort() }));
  // newer pages number the links of such a node anew, so a link is told by its two ends
  const ends = links.map(([, from, slot, to, input, type]) => [from, slot, to, nodes.find(({ id }) => id === to)?.inputs[input]?.name, type].join(" "));
  return JSON.stringify({ nodes: places.sort((one, other) => one.id - other.id), links: ends.sort(), groups }, null, 1);
});

const values = (page) => page.evaluate(() => Object.fromEntries(app.graph.nodes.flatMap((node) =>
  (node.widgets ?? []).map((one) => [`${node.id}.${one.name}`, one.value]))));

const toasts = (page) => page.evaluate((notice) => [...document.querySelectorAll(notice)].map((one) => one.innerText).join(" "), NOTICE);

/** Click, say Yes to a question, and give the notice. */
async function click(page, id, name, asks) {
  await quiet(page);
  await command(page, id, name, 0);
  if (asks) {
    await page.getByText(asks).first().waitFor();
    await answer(page, "Yes");
  }
  await waitFor(page, (notice) => document.querySelector(notice), NOTICE);
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

  async one_hook_for_a_chain_is_said_under_the_encoder_and_its_buttons_mend_it({ page, shot }) {
    const part = (first, stop, row) => ["KSamplerAdvanced", { steps: 20, cfg: 5, start_at_step: first, end_at_step: stop }, [3, row]];
    await build(
      page,
      [["NegOptDemoModel", {}, [0, 0]], ["NegOptEncode", { df_text: "a red ball, [misty:1-0.5:1]" }, [1, 0]], ["NegOptEncode", { df_text: "blurry" }, [1, 2]],
        ["NegOptSamplerHook", {}, [2, 1]], part(0, 10, 0), part(10, 10000, 2)],
      ["1.MODEL > 4.model", "4.MODEL > 5.model", "4.MODEL > 6.model", "1.CLIP > 2.clip", "1.CLIP > 3.clip", "1.LATENT > 5.latent_image",
        "5.LATENT > 6.latent_image", ...[5, 6].flatMap((end) => [`2.CONDITIONING > ${end}.positive`, `3.CONDITIONING > ${end}.negative`])],
    );
    const lines = page.locator(".negopt-hooks .negopt-finding");
    await lines.nth(1).waitFor();
    await shot("hook-lines");
    assert.match(await lines.nth(1).innerText(), /not set for the steps that KSampler \(Advanced\) #6/);
    const hooks = () => app.graph.nodes.filter((node) => node.type === "NegOptSamplerHook" && node.mode === 0)
      .map((node) => ["step_offset", "total_steps"].map((name) => node.widgets.find((one) => one.name === name).value)).sort();
    for (const left of [1, 0]) {
      await lines.first().locator("button").click();
      await waitFor(page, (count) => document.querySelectorAll(".negopt-hooks .negopt-finding").length === count, left);
    }
    assert.deepEqual(await page.evaluate(hooks), [[0, 20], [10, 20]]);
    await undo(page);
    assert.equal((await page.evaluate(hooks)).length, 2); // the shared one again, and the first sampler's own
  },

  async a_window_without_a_hook_is_said_and_a_plain_text_needs_none({ page }) {
    await build(
      page,
      [["NegOptDemoModel", {}, [0, 0]], ["NegOptEncode", { df_text: "a red ball" }, [1, 0]], ["NegOptEncode", { df_text: "" }, [1, 1]], ["KSampler", { cfg: 5 }, [2, 0]]],
      ["1.MODEL > 4.model", "1.CLIP > 2.clip", "1.CLIP > 3.clip", "2.CONDITIONING > 4.positive", "3.CONDITIONING > 4.negative", "1.LATENT > 4.latent_image"],
    );
    await page.waitForTimeout(3000);
    assert.equal(await page.locator(".negopt-hooks .negopt-finding").count(), 0);
    await page.evaluate(() => {
      const text = app.graph.getNodeById(2).widgets[0];
      text.value = "a red ball, [misty:1-0.5:1]";
      text.callback?.(text.value);
    });
    await page.getByText("act at other steps than they say").first().waitFor();
    await page.locator(".negopt-hooks button").first().click();
    await waitFor(page, () => !document.querySelector(".negopt-hooks .negopt-finding"));
    assert.equal(await page.evaluate(() => app.graph.nodes.find((node) => node.type === "KSampler").getInputNode(0).type), "NegOptSamplerHook");
  },

  async where_both_prompts_hold_the_words_already_the_notice_says_what_to_do({ page }) {
    await stock(page);
    for (const name of ["negopt.writeNegative", "negopt.addModifiers"]) {
      await command(page, 2, name);
      await page.locator(NOTICE).first().waitFor();
      await quiet(page);
    }
    await command(page, 2, "negopt.writeScheduled");
    await page.locator(NOTICE, { hasText: "hold the policy's words already" }).waitFor();
    assert.equal(await page.evaluate(() => app.graph.nodes.filter((node) => node.type === "NegOptEncode").length), 0);
    await quiet(page);
  },

  async with_nothing_to_add_nothing_is_rewired({ page }) {
    await stock(page);
    const before = await saved(page);
    await page.route("**/negopt/v1/suggest", async (route) => {
      const { prompt, negative } = route.request().postDataJSON();
      const plain = { positive: "a photo of a red ball [at night]", negative: "my own words" };
      await route.fulfill({ json: { ...plain, df_positive: prompt, df_negative: negative, warnings: ["left out for the test"] } });
    });
    const said = await click(page, 2, "negopt.writeScheduled");
    await page.unroute("**/negopt/v1/suggest");
    assert.match(said, /nothing to add to this text\. left out for the test/);
    assert.equal(await saved(page), before);
  },

  async a_prompt_shown_on_a_subgraph_is_written_though_its_node_is_collapsed({ page }) {
    await stock(page);
    const inner = await page.evaluate(() => {
      const nodes = app.graph.nodes.filter((node) => ["CLIPTextEncode", "KSampler"].includes(node.type));
      const { subgraph, node: holder } = app.graph.convertToSubgraph(new Set(nodes));
      const encoder = subgraph.nodes.filter((one) => one.type === "CLIPTextEncode")[1];
      subgraph.addInput("ugly", "STRING").connect(encoder.inputs.find((one) => one.name === "text"), encoder);
      holder.widgets.find((one) => one.name === "ugly").value = "words of the node";
      encoder.collapse();
      window.negoptHolder = holder;
      window.negoptInner = subgraph;
      app.canvas.openSubgraph ? app.canvas.openSubgraph(subgraph, holder) : app.canvas.setGraph(subgraph);
      return subgraph.nodes.filter((one) => one.type === "CLIPTextEncode")[0].id;
    });
    await page.waitForTimeout(1000);
    await page.evaluate((id) => {
      app.canvas.deselectAll();
      app.canvas.selectNode(window.negoptInner.getNodeById(id));
      app.extensionManager.command.execute("negopt.writeNegative");
    }, inner);
    const shown = () => window.negoptHolder.widgets.find((one) => one.name === "ugly").value;
    await waitFor(page, () => window.negoptHolder.widgets.find((one) => one.name === "ugly").value !== "words of the node");
    assert.ok((await page.evaluate(shown)).startsWith("words of the node, "));
  },

  async an_older_page_without_menu_items_for_extensions_asks_the_node({ page }) {
    await stock(page);
    const offered = await page.evaluate(() => {
      const taken = app.collectNodeMenuItems;
      app.collectNodeMenuItems = undefined;
      const made = LiteGraph.createNode("CLIPTextEncode");
      app.collectNodeMenuItems = taken;
      const options = [];
      made.getExtraMenuOptions(app.canvas, options);
      const asksNode = app.graph.getNodeById(2).getExtraMenuOptions?.toString().includes("menuOf") ?? false;
      return [options.filter(Boolean).map((one) => one.content), asksNode, !taken];
    });
    assert.equal(offered[0].filter((one) => one?.startsWith("negopt:")).length, 5);
    assert.equal(offered[1], offered[2], "only an older page asks the node");
  },
};
