// What a person does in the page, checked in a real Chromium: `node checks.mjs URL classic|vue FOLDER`.
// Prints one line of JSON for each check; pictures go into FOLDER.
import { readFileSync } from "node:fs";
import assert from "node:assert/strict";
import { workflow } from "../unit/build.mjs";
import { command, frame, load, open, widget } from "./browser.mjs";

const [url, mode, folder] = process.argv.slice(2);
const example = (name) => JSON.parse(readFileSync(new URL(`../../../example_workflows/${name}.json`, import.meta.url), "utf8"));
const HOSTILE = "<img src=x onerror=alert(1)>";
const TIMELINE = `a cat, at night[, misty:1-0.5:1], [oops:2:1], ${HOSTILE}`;

const timeline = (...values) => ({
  last_node_id: 1, last_link_id: 0, links: [], groups: [], config: {}, extra: {}, version: 0.4,
  nodes: [{ id: 1, type: "NegOptTimeline", pos: [100, 100], size: [520, 720], flags: {}, order: 0, mode: 0, inputs: [],
    outputs: [], properties: {}, widgets_values: values }],
});

async function undo(page) {
  await page.evaluate(() => app.extensionManager.command.execute("Comfy.Undo"));
  await page.waitForTimeout(1200);
}

const waitFor = (page, test, given) => page.waitForFunction(test, given, { timeout: 30_000 });

/** A small graph with stock encoders; its negative is zeros. */
function zeroed() {
  const saved = workflow(
    {
      1: ["LoadModel"], 2: ["CLIPTextEncode", ["a photo of a red ball"]], 3: ["ConditioningZeroOut"],
      4: ["KSampler", [0, "fixed", 20, 1, "euler", "simple", 1]],
    },
    ["1.0 > 4.model", "1.1 > 2.clip", "2.0 > 4.positive", "2.0 > 3.conditioning", "3.0 > 4.negative"],
  );
  saved.nodes[0].type = "NegOptDemoModel";
  saved.nodes[0].widgets_values = [1];
  saved.nodes.forEach((node, index) => Object.assign(node, { pos: [60 + 420 * index, 80], size: [360, 200], flags: {}, properties: {} }));
  saved.links.forEach((link) => {
    const type = { 0: { 0: "MODEL", 1: "CLIP" } }[link[1] - 1]?.[link[2]] ?? "CONDITIONING";
    link[5] = type;
  });
  return { ...saved, last_node_id: 4, last_link_id: 9, groups: [], config: {}, extra: {}, version: 0.4 };
}

const CHECKS = {
  async one_click_fills_the_negative_behind_the_users_words_and_one_undo_reverts_it({ page }) {
    await load(page, example("scheduled_negative"));
    const before = await widget(page, 3, "df_text");
    const began = Date.now();
    await command(page, 2, "negopt.writeNegative");
    await waitFor(page, (text) => app.graph.getNodeById(3).widgets[0].value !== text, before);
    const took = Date.now() - began;
    assert.ok((await widget(page, 3, "df_text")).startsWith(`${before}, `));
    await undo(page);
    assert.equal(await widget(page, 3, "df_text"), before);
    return { took_ms: took };
  },

  async modifiers_are_added_behind_the_prompt({ page }) {
    await load(page, example("scheduled_negative"));
    const before = await widget(page, 2, "df_text");
    await command(page, 2, "negopt.addModifiers");
    await waitFor(page, (text) => app.graph.getNodeById(2).widgets[0].value !== text, before);
    assert.ok((await widget(page, 2, "df_text")).startsWith(`${before}, `));
  },

  async zeros_get_an_encoder_cfg_one_is_said_and_one_undo_reverts_all({ page }) {
    await load(page, zeroed());
    await command(page, 2, "negopt.writeNegative");
    await waitFor(page, () => app.graph.nodes.length === 5);
    const made = await page.evaluate(() => app.graph.nodes.find((node) => node.id > 4 || Number(node.id) > 4).widgets[0].value);
    assert.match(made, /blurry/);
    assert.doesNotMatch(made, /\[/);
    await page.getByText("CFG 1").first().waitFor();
    await frame(page);
    await page.screenshot({ path: `${folder}/${mode}-made.png` });
    await undo(page);
    assert.equal(await page.evaluate(() => app.graph.nodes.length), 4);
  },

  async it_works_inside_a_subgraph({ page }) {
    await load(page, example("scheduled_negative"));
    const inner = await page.evaluate(() => {
      const nodes = ["2", "3", "4", "5"].map((id) => app.graph.getNodeById(id));
      app.canvas.deselectAll();
      nodes.forEach((node) => app.canvas.selectItems([node], true));
      const { subgraph, node } = app.graph.convertToSubgraph(new Set(nodes));
      window.negoptInner = subgraph;
      app.canvas.openSubgraph ? app.canvas.openSubgraph(subgraph, node) : app.canvas.setGraph(subgraph);
      return subgraph.nodes.filter((one) => one.type === "NegOptEncode").map((one) => [one.id, one.widgets[0].value]);
    });
    await page.waitForTimeout(1000);
    const [[positive], [negative, before]] = inner;
    await page.evaluate((id) => {
      app.canvas.deselectAll();
      app.canvas.selectNode(window.negoptInner.getNodeById(id));
      return app.extensionManager.command.execute("negopt.writeNegative");
    }, positive);
    await waitFor(page, ([id, text]) => window.negoptInner.getNodeById(id).widgets[0].value !== text, [negative, before]);
  },

  async the_menu_of_a_prompt_node_offers_both({ page }) {
    await load(page, zeroed());
    const at = await page.evaluate(() => {
      const node = app.graph.getNodeById(2);
      app.canvas.deselectAll();
      const place = app.canvas.ds.convertOffsetToCanvas([node.pos[0] + 90, node.pos[1] - 14]);
      const box = app.canvas.canvas.getBoundingClientRect();
      return [place[0] + box.left, place[1] + box.top];
    });
    await page.mouse.click(...at, { button: "right" });
    await page.getByText("negopt: write the negative").first().waitFor();
    await page.getByText("negopt: add modifiers").first().waitFor();
    await page.screenshot({ path: `${folder}/${mode}-menu.png` });
    await page.keyboard.press("Escape");
    await page.mouse.click(700, 800);
  },

  async a_server_that_is_gone_is_said_in_words({ page }) {
    await load(page, example("scheduled_negative"));
    await page.route("**/negopt/v1/suggest", (route) => route.abort());
    await command(page, 2, "negopt.writeNegative");
    await page.getByText("server does not answer").first().waitFor();
    await page.unroute("**/negopt/v1/suggest");
  },

  async a_bar_is_dragged_and_one_undo_reverts_it({ page }) {
    await load(page, timeline(TIMELINE, 20, "blurry, [watermark:0-0.8:1.5]"));
    await page.locator(".negopt-bar").nth(6).waitFor();
    const box = await page.locator(".negopt-bar").nth(2).boundingBox();
    await page.mouse.move(box.x + box.width - 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 1.5, box.y + 4, { steps: 5 });
    await page.mouse.up();
    await page.waitForTimeout(500);
    assert.equal(await widget(page, 1, "df_text"), TIMELINE.replace("1-0.5", "0.25-1"));
    await page.screenshot({ path: `${folder}/${mode}-timeline.png` });
    await undo(page);
    assert.equal(await widget(page, 1, "df_text"), TIMELINE);
  },

  async keys_move_weigh_and_lock_a_bar({ page }) {
    await load(page, timeline("a cat, dog", 20, ""));
    await page.locator(".negopt-bar").nth(1).focus();
    for (const key of ["Alt+ArrowRight", "Shift+ArrowLeft", "ArrowUp", "l", "ArrowDown", "Delete"]) await page.keyboard.press(key);
    assert.equal(await widget(page, 1, "df_text"), "a cat, [dog:0.05-0.95:1.05]");
    assert.equal(await page.evaluate(() => app.graph.nodes.length), 1);
  },

  async typing_in_the_text_moves_the_bars({ page }) {
    await load(page, timeline("a cat", 20, ""));
    await page.locator(".negopt-bar").nth(0).waitFor();
    await page.locator("textarea").first().fill("a cat, [late:0.5-0:1], [broken:1");
    await page.locator(".negopt-problem mark").first().waitFor();
    assert.equal(await page.locator(".negopt-problem mark").first().innerText(), "[broken:1");
    assert.equal(await page.locator(".negopt-bar").count(), 3);
  },

  async no_text_becomes_html({ page }) {
    await load(page, timeline(`${HOSTILE}, [${HOSTILE}:0-0.5:1], [${HOSTILE}`, 20, HOSTILE));
    await page.locator(".negopt-bar").nth(2).waitFor();
    assert.equal(await page.locator("img[src=x]").count(), 0);
    await load(page, example("one_click"));
    await page.evaluate((text) => (app.graph.getNodeById(2).widgets.find((one) => one.name === "prompt").value = text), HOSTILE);
    await page.getByText("write now").first().click();
    await page.locator(".negopt-chip").first().waitFor();
    assert.equal(await page.locator("img[src=x]").count(), 0);
  },

  async fifty_phrases_follow_a_key_quickly_and_100_kb_does_not_hang({ page }) {
    const many = Array.from({ length: 50 }, (_, index) => `[phrase ${index}:0.5-0:1]`).join(", ");
    await load(page, timeline(many, 20, ""));
    await page.locator(".negopt-bar").nth(49).waitFor();
    const edit_ms = await page.evaluate(() => {
      const bar = document.querySelectorAll(".negopt-bar")[25];
      const began = performance.now();
      for (let turn = 0; turn < 40; turn += 1) {
        bar.dispatchEvent(new KeyboardEvent("keydown", { key: turn % 2 ? "ArrowLeft" : "ArrowRight", bubbles: true }));
      }
      return (performance.now() - began) / 40;
    });
    const huge = "a red ball, [x:0-0.5:1], [".repeat(4000);
    const huge_ms = await page.evaluate(async (text) => {
      app.graph.nodes[0].widgets[0].value = text;
      const began = performance.now();
      while (!document.querySelector(".negopt-empty")) await new Promise((done) => setTimeout(done, 20));
      return performance.now() - began;
    }, huge);
    assert.ok(edit_ms < 100, `an edit took ${edit_ms} ms`);
    assert.ok(huge_ms < 10_000, `100 kB took ${huge_ms} ms`);
    return { edit_ms, huge_ms };
  },

  async the_meter_says_cfg_one_and_its_remedy_ends_that({ page }) {
    await load(page, example("one_click"));
    await page.evaluate(() => {
      const sampler = app.graph.nodes.find((node) => node.type === "KSampler");
      sampler.widgets.find((one) => one.name === "cfg").value = 1;
    });
    await page.getByText("write now").first().click();
    await page.locator(".negopt-finding[data-severity=warning]").first().waitFor();
    await page.screenshot({ path: `${folder}/${mode}-meter.png` });
    const nodes = await page.evaluate(() => app.graph.nodes.length);
    await page.getByText("add NAGuidance").first().click();
    await page.locator(".negopt-finding[data-severity=good]").first().waitFor();
    assert.equal(await page.evaluate(() => app.graph.nodes.length), nodes + 1);
    await undo(page);
    assert.equal(await page.evaluate(() => app.graph.nodes.length), nodes);
  },

  async what_was_written_is_seen_before_a_run_and_a_phrase_can_go({ page }) {
    await load(page, example("one_click"));
    await page.getByText("write now").first().click();
    await page.locator(".negopt-chip[data-side=negative]").first().waitFor();
    const before = await widget(page, 2, "locked_negative");
    const chip = page.locator(".negopt-chip[data-side=negative]").first();
    const phrase = (await chip.locator("span").first().innerText()).trim();
    await chip.locator("button").nth(1).click();
    await waitFor(page, (text) => app.graph.getNodeById(2).widgets.find((one) => one.name === "locked_negative").value !== text, before);
    assert.ok(!(await widget(page, 2, "locked_negative")).includes(phrase));
    assert.equal(await widget(page, 2, "locked"), true);
    await page.locator(".negopt-meter .pi-thumbs-up").first().click();
    await page.getByText("likes.jsonl").first().waitFor();
  },

  async the_sidebar_lists_policies_and_shows_a_card({ page }) {
    await page.locator(".negopt-tab-button, [aria-label*='negopt'], .side-bar-button:has(.pi-ban)").first().click();
    await page.locator(".negopt-card").first().waitFor();
    await page.locator(".negopt-card summary", { hasText: "rules:sdxl" }).click();
    await page.locator(".negopt-card dd").first().waitFor();
    await page.screenshot({ path: `${folder}/${mode}-sidebar.png` });
    await page.locator(".negopt-tab-button, [aria-label*='negopt'], .side-bar-button:has(.pi-ban)").first().click();
  },

  async settings_are_there_and_new_nodes_start_with_them({ page }) {
    const made = await page.evaluate(async () => {
      await app.extensionManager.setting.set("negopt.policy", "rules:sdxl");
      await app.extensionManager.setting.set("negopt.mode", "negative");
      const node = LiteGraph.createNode("NegOptOneClick");
      await app.extensionManager.setting.set("negopt.policy", "");
      await app.extensionManager.setting.set("negopt.mode", "negative and modifiers");
      return ["policy", "mode"].map((name) => node.widgets.find((one) => one.name === name).value);
    });
    assert.deepEqual(made, ["rules:sdxl", "negative"]);
  },

  async our_scripts_load_and_texts_survive_saving({ page }) {
    await load(page, timeline("a cat, [late:0.5-0:1]", 20, "dog"));
    const saved = await page.evaluate(() => app.graph.serialize().nodes[0].widgets_values);
    assert.deepEqual(saved, ["a cat, [late:0.5-0:1]", 20, "dog"]);
    const sent = await page.evaluate(async () => Object.keys((await app.graphToPrompt()).output["1"].inputs));
    assert.deepEqual(sent, ["df_text", "steps", "df_negative"]);
    return page.evaluate(() => {
      const ours = performance.getEntriesByType("resource").filter((one) => one.name.includes("/extensions/negopt/"));
      return { files: ours.length, bytes: ours.reduce((sum, one) => sum + one.encodedBodySize, 0) };
    });
  },
};

const { browser, page, errors } = await open(url, { "Comfy.VueNodes.Enabled": mode === "vue" });
for (const [name, check] of Object.entries(CHECKS)) {
  let fault = null;
  let told;
  try {
    told = await check({ page });
  } catch (error) {
    fault = String(error?.stack ?? error).slice(0, 1500);
    await page.screenshot({ path: `${folder}/${mode}-FAULT-${name}.png` });
  }
  if (!fault && errors.length && !name.includes("gone")) fault = `the console shows: ${errors.join("\n")}`;
  errors.length = 0;
  console.log(`@${JSON.stringify({ check: name, fault, told })}`);
}
await browser.close();
