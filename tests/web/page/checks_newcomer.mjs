// What somebody sees in the first hour: the gallery, the examples, a node's names, and that a node fits on the screen.
import assert from "node:assert/strict";
import { frame, load, settled, waitFor } from "./browser.mjs";
import { example, titles } from "./graphs.mjs";

const SCREEN = { width: 1366, height: 768 }; // a laptop's
const BARS = 38; // of ComfyUI's own, at the top

/** A node's height on the screen at 100 %, with its title. */
const heightOf = (page, type) => page.evaluate((wanted) => {
  const node = app.graph.nodes.find((one) => one.type === wanted);
  app.canvas.ds.scale = 1;
  const drawn = document.querySelector(`[data-node-id="${node.id}"]`);
  return LiteGraph.vueNodesMode && drawn ? drawn.offsetHeight : node.size[1] + LiteGraph.NODE_TITLE_HEIGHT;
}, type);

export const checks = {
  async the_gallery_shows_titles_in_order_with_their_pictures({ page }) {
    const listed = await page.evaluate(async () => (await window.comfyAPI.api.api.getWorkflowTemplates()).negopt);
    assert.deepEqual(listed, titles());
    assert.equal(listed[0], "01 One click");
    for (const title of listed) {
      assert.match(title, /^\d\d [A-Z][\w -]+$/);
      const width = await page.evaluate(async (name) => {
        const picture = new Image();
        picture.src = `/api/workflow_templates/negopt/${name}.jpg`;
        await picture.decode();
        return picture.naturalWidth;
      }, title);
      assert.equal(width, 512, title);
    }
  },

  async every_policy_of_the_examples_is_in_its_nodes_menu({ page }) {
    let seen = 0;
    for (const title of titles()) {
      await page.evaluate(async (saved) => app.loadGraphData(saved), example(title));
      const found = await page.evaluate(() => app.graph.nodes.flatMap((node) => (node.widgets ?? [])
        .filter((one) => one.name === "policy" && Array.isArray(one.options?.values))
        .map((one) => ({ value: one.value, isOffered: one.options.values.includes(one.value) }))));
      for (const { value, isOffered } of found) assert.ok(isOffered, `${title}: ${value}`);
      seen += found.length;
    }
    assert.ok(seen >= 5, `only ${seen} nodes with a policy`);
  },

  async an_example_for_your_own_checkpoint_asks_for_no_file_that_is_not_there({ page, shot }) {
    for (const title of titles().filter((one) => /checkpoint|SDXL|Pony/.test(one))) {
      await load(page, example(title));
      const [value, values, note] = await page.evaluate(() => {
        const widget = app.graph.nodes.find((node) => node.type === "CheckpointLoaderSimple").widgets[0];
        return [widget.value ?? "", widget.options.values, app.graph.nodes.find((node) => node.type === "MarkdownNote").widgets[0].value];
      });
      assert.ok(values.includes(value) || !/\.\w+$/.test(value), `${title} asks for ${value}`);
      assert.match(note, /Choose .*in the first node/i);
      assert.equal(await page.getByText(/missing models?/i).count(), 0, title);
      await shot(`own-${title.slice(0, 2)}`);
    }
  },

  async one_click_with_many_phrases_fits_on_the_screen_and_its_results_scroll({ page, shot }) {
    const before = page.viewportSize();
    await page.setViewportSize(SCREEN);
    const prompt = "a photo of a red ball in the snow by day";
    const negative = Array.from({ length: 25 }, (_, index) => `phrase number ${index + 1}`).join(", ");
    for (const windows of ["", "[, vivid:1-0.5:1][, detailed:0.5-0:1.2][, glossy:0.5-0:1.2][, textured:0.7-0:1.2]"]) {
      await load(page, example("one_click"));
      await page.evaluate((texts) => {
        const node = app.graph.nodes.find((one) => one.type === "NegOptOneClick");
        for (const [name, text] of Object.entries(texts)) {
          const widget = node.widgets.find((one) => one.name === name);
          widget.value = text;
          widget.callback?.(text);
        }
      }, { prompt, locked_positive: prompt + windows, locked_negative: negative });
      await waitFor(page, () => document.querySelectorAll(".negopt-chip").length >= 25);
      await settled(page.locator(".negopt-meter").first());
      const height = await heightOf(page, "NegOptOneClick");
      const isWhole = await page.evaluate(() => !app.graph.nodes[0].getLayoutWidgets); // an older page shows all fields
      assert.ok(height <= (isWhole ? 900 : SCREEN.height) - BARS, `the node is ${height} px high`);
      const [inside, shown] = await page.evaluate(() => {
        const root = document.querySelector(".negopt-meter");
        return [root.scrollHeight, root.clientHeight];
      });
      assert.ok(inside > shown && shown > 40, `${inside} px of results in ${shown}`);
      await frame(page);
      await shot(windows ? "many-phrases-with-bars" : "many-phrases");
    }
    await page.setViewportSize(before);
  },

  async one_click_shows_little_and_the_rest_when_asked({ page, shot }) {
    await load(page, example("one_click"));
    const shown = () => {
      const node = app.graph.nodes.find((one) => one.type === "NegOptOneClick");
      const drawn = document.querySelector(`[data-node-id="${node.id}"]`);
      const names = node.widgets.filter((one) => one.name !== "timeline" && !one.name.startsWith("control"));
      if (!LiteGraph.vueNodesMode) return names.filter((one) => node.isWidgetVisible(one)).map((one) => one.name);
      const lines = drawn.innerText.split("\n").map((line) => line.trim());
      return names.filter((one) => one.name === "review" || lines.includes(one.label ?? one.name)).map((one) => one.name);
    };
    const all = await page.evaluate(() => app.graph.nodes.find((one) => one.type === "NegOptOneClick").widgets.map((one) => one.name));
    assert.equal(await page.locator(".negopt-meter button:visible").first().innerText(), "write now");
    const before = await page.evaluate(shown);
    if (before.length < 5) {
      assert.deepEqual(before, ["policy", "prompt", "negative", "review"]);
      await page.getByText(/^(more settings|show advanced inputs)$/i).locator("visible=true").first().click();
    }
    await waitFor(page, () => document.body.innerText.includes("written negative") || !LiteGraph.vueNodesMode);
    const open = await page.evaluate(shown);
    for (const name of all.filter((one) => one !== "timeline" && !one.startsWith("control"))) assert.ok(open.includes(name), `${name} of ${open}`);
    await shot("all-settings");
    if (before.length >= 5) return { all: "this page shows all" };
    await page.getByText(/^(fewer settings|hide advanced inputs)$/i).locator("visible=true").first().click();
    await page.getByText(/^(more settings|show advanced inputs)$/i).locator("visible=true").first().waitFor();
    assert.deepEqual(await page.evaluate(shown), before);
    return null;
  },

  async old_workflows_load_with_policies_that_no_menu_shows({ page }) {
    const saved = example("basic_negative");
    saved.nodes.find((node) => node.type === "NegOptLoadPolicy").widgets_values = ["rules:sdxl"]; // as before the field "family"
    await load(page, saved);
    const [policy, values, family] = await page.evaluate(() => {
      const { widgets } = app.graph.nodes.find((node) => node.type === "NegOptLoadPolicy");
      return [widgets[0].value, widgets[0].options.values, widgets[1].value];
    });
    assert.deepEqual([policy, family], ["rules:sdxl", "any"]);
    assert.ok(values.includes("rules:sdxl") && !values.includes("rules:sd15"), `${values}`);
    assert.equal(values[0], "negopt");
  },

  async a_linked_text_field_says_what_comes_in({ page, shot }) {
    await load(page, example("basic_negative"));
    const drawn = await page.evaluate(() => app.graph.nodes.filter((one) => one.type === "NegOptEncode").map((node) => {
      const lines = [];
      const ignored = new Proxy({}, { get: (_, name) => (name === "fillText" ? (text) => lines.push(text) : () => {}), set: () => true });
      node.onDrawForeground(ignored);
      return lines;
    }));
    const isVue = await page.evaluate(() => Boolean(LiteGraph.vueNodesMode));
    const lines = (output) => (isVue ? [] : ["df_text", `← negopt: write prompts: ${output}`]);
    assert.deepEqual(drawn, [lines("positive_text"), lines("negative_text")]);
    await shot("linked");
  },

  async results_are_named_for_what_they_are({ page }) {
    await load(page, example("one_click"));
    const labels = await page.evaluate(() => app.graph.nodes.find((one) => one.type === "NegOptOneClick").widgets
      .filter((one) => one.name.startsWith("locked_")).map((one) => one.label));
    assert.deepEqual(labels, ["written positive", "written negative"]);
    const explained = await page.evaluate(async () => {
      const told = (await (await fetch("/api/i18n")).json()).en.nodeDefs;
      return ["NegOptOneClick", "NegOptSuggest"].map((type) => Object.keys(told[type].outputs)
        .map((place) => LiteGraph.createNode(type).outputs[place].name));
    });
    assert.deepEqual(explained, [["warnings", "record"], ["warnings", "record"]]);
  },
};
