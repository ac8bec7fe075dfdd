// The checks, the review, and where texts come from.
import assert from "node:assert/strict";
import { finished, load, undo, waitFor, widget } from "./browser.mjs";
import { example, HOSTILE, unloaded } from "./graphs.mjs";

export const checks = {
  async the_meter_says_cfg_one_and_its_remedy_ends_that({ page, shot }) {
    await load(page, example("one_click"));
    await page.evaluate(() => {
      const sampler = app.graph.nodes.find((node) => node.type === "KSampler");
      sampler.widgets.find((one) => one.name === "cfg").value = 1;
    });
    await page.getByText("write now").first().click();
    await page.locator(".negopt-finding[data-severity=warning]").first().waitFor();
    await shot("meter");
    const nodes = await page.evaluate(() => app.graph.nodes.length);
    await page.getByText("add NAGuidance").first().click();
    await page.locator(".negopt-finding[data-severity=good]").first().waitFor();
    assert.equal(await page.evaluate(() => app.graph.nodes.length), nodes + 1);
    await undo(page);
    assert.equal(await page.evaluate(() => app.graph.nodes.length), nodes);
  },

  async where_nag_is_never_called_the_meter_raises_the_cfg_instead({ page, shot }) {
    await unloaded(page, "qwen_image");
    await page.locator(".negopt-finding", { hasText: "CFG is 1" }).first().waitFor();
    await shot("meter-cfg");
    assert.equal(await page.getByText("add NAGuidance").count(), 0);
    await page.getByText("set CFG to 1.5").first().click();
    const cfg = () => app.graph.nodes.find((node) => node.type === "KSampler").widgets.find((one) => one.name === "cfg").value;
    assert.equal(await page.evaluate(cfg), 1.5);
    await page.locator(".negopt-finding[data-severity=good]").first().waitFor();
    await undo(page);
    assert.equal(await page.evaluate(cfg), 1);
  },

  async what_was_written_is_seen_before_a_run_and_a_phrase_can_go({ page, shot }) {
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
    await page.getByText("unlock", { exact: true }).first().waitFor();
    await page.locator(".negopt-meter .pi-thumbs-up").first().click();
    await page.getByText("likes.jsonl").first().waitFor();
  },

  async a_phrase_says_why_it_is_there_when_the_pointer_rests_on_it({ page, shot }) {
    await load(page, example("one_click"));
    await page.evaluate(() => {
      const { widgets } = app.graph.getNodeById(2);
      const set = (name, value) => Object.assign(widgets.find((one) => one.name === name), { value }).callback?.(value);
      set("policy", "negopt");
      set("prompt", "a portrait of an old fisherman, oil painting");
    });
    await page.getByText("write now").first().click();
    const chip = page.locator(".negopt-chip[data-side=negative]").first();
    await chip.waitFor();
    await chip.hover();
    await waitFor(page, () => /\nwhy: (goes with|usual for|people) /.test(document.querySelector(".negopt-chip[data-side=negative]").title));
    await shot("why");
    // this policy writes one answer, so none can be asked for another phrase
    await waitFor(page, () => document.querySelector(".negopt-chip[data-side=negative]").querySelectorAll("button").length === 1);
  },

  async before_the_first_run_a_node_says_that_it_has_not_written_yet({ page }) {
    await load(page, example("one_click"));
    await page.locator(".negopt-finding", { hasText: "Nothing is written yet" }).first().waitFor();
    assert.equal(await page.getByText("the negative is empty").count(), 0);
    await page.getByText("write now").first().click();
    await page.locator(".negopt-chip").first().waitFor();
    assert.equal(await page.locator(".negopt-chip[data-side=negative]").first().locator("button").count(), 2);
    await page.locator(".negopt-finding[data-severity=good]").first().waitFor();
  },


  async a_run_says_where_its_texts_come_from({ page }) {
    await load(page, example("one_click"));
    await finished(page);
    await waitFor(page, () => /^world-negative\+world-modifiers · [0-9a-f]{8} · seed 1 · negopt/.test(document.querySelector(".negopt-origin")?.textContent ?? ""));
    assert.equal(await page.evaluate(() => app.graph.getNodeById(2).properties.negopt.policy), "world-negative+world-modifiers");
  },

  async a_run_from_the_cache_shows_its_texts_too({ page }) {
    await load(page, example("one_click"));
    await finished(page);
    await waitFor(page, () => app.graph.getNodeById(2).widgets.find((one) => one.name === "locked_negative").value !== "");
    await load(page, example("one_click"));
    assert.equal(await widget(page, 2, "locked_negative"), "");
    await finished(page);
    await waitFor(page, () => app.graph.getNodeById(2).widgets.find((one) => one.name === "locked_negative").value !== "");
  },

  async a_workflow_whose_policy_is_not_here_uses_its_saved_texts_and_says_so({ page, shot }) {
    const saved = example("one_click");
    const values = saved.nodes.find((node) => node.id === 2).widgets_values;
    values[0] = "gone";
    values.splice(-3, 3, false, "a red ball, [vivid:1-0.5:1]", `blurry, ${HOSTILE}`);
    saved.nodes.find((node) => node.id === 2).properties.negopt =
      { policy: "gone", hash: HOSTILE, from: `hf:someone/gone ${HOSTILE}`, seed: 1, negopt: "0.1.0" };
    await load(page, saved);
    await page.locator(".negopt-finding", { hasText: "'gone' is not on this machine" }).first().waitFor();
    await page.locator(".negopt-finding", { hasText: "hf:someone/gone" }).first().waitFor();
    assert.equal(await widget(page, 2, "locked"), true);
    assert.equal(await page.locator("img[src=x]").count(), 0);
    await shot("missing");
    await finished(page);
  },

  async a_policy_that_is_deleted_while_selected_is_named_and_the_texts_can_still_be_used({ page }) {
    await load(page, example("one_click"));
    await page.evaluate(() => (app.graph.getNodeById(2).widgets.find((one) => one.name === "policy").value = "deleted"));
    await page.getByText("write now").first().click();
    await page.getByText("'deleted' is not here").first().waitFor();
    await page.getByText("the policy 'deleted' is not on this machine").first().waitFor();
    await page.getByText("use these texts").first().click();
    assert.equal(await widget(page, 2, "locked"), true);
  },

  async zeros_in_place_of_the_negative_are_named_and_one_click_connects_it({ page }) {
    await load(page, example("one_click"));
    await page.evaluate(() => {
      const [click, sampler] = [app.graph.getNodeById(2), app.graph.nodes.find((node) => node.type === "KSampler")];
      const zeros = LiteGraph.createNode("ConditioningZeroOut");
      app.graph.add(zeros);
      click.connect(1, zeros, 0);
      zeros.connect(0, sampler, sampler.inputs.findIndex((one) => one.name === "negative"));
    });
    await page.getByText("write now").first().click();
    await page.getByText("connect it").first().click();
    const from = await page.evaluate(() => {
      const sampler = app.graph.nodes.find((node) => node.type === "KSampler");
      return sampler.getInputNode(sampler.inputs.findIndex((one) => one.name === "negative")).type;
    });
    assert.equal(from, "NegOptOneClick");
  },
};
