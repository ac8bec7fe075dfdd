// One click, from every kind of prompt node.
import assert from "node:assert/strict";
import { answer, atRest, command, finished, frame, load, outOfPlace, ready, undo, waitFor, widget } from "./browser.mjs";
import { build, example, stock, zeroed } from "./graphs.mjs";

export const checks = {
  async one_click_fills_the_negative_behind_the_users_words_and_one_undo_reverts_it({ page, shot }) {
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

  async modifiers_are_added_behind_the_prompt({ page, shot }) {
    await load(page, example("scheduled_negative"));
    const before = await widget(page, 2, "df_text");
    await command(page, 2, "negopt.addModifiers");
    await waitFor(page, (text) => app.graph.getNodeById(2).widgets[0].value !== text, before);
    assert.ok((await widget(page, 2, "df_text")).startsWith(`${before}, `));
  },

  async an_encoder_that_grows_bars_pushes_down_what_it_would_cover({ page, shot }) {
    await build(
      page,
      [["NegOptDemoModel", {}, [0, 0]], ["NegOptEncode", { df_text: "a photo of a red ball" }, [1, 0]],
        ["NegOptEncode", { df_text: "" }, [1, 1]], ["KSampler", { cfg: 5 }, [2, 0]]],
      ["1.MODEL > 4.model", "1.CLIP > 2.clip", "1.CLIP > 3.clip", "2.CONDITIONING > 4.positive", "3.CONDITIONING > 4.negative",
        "1.LATENT > 4.latent_image"],
    );
    const placed = () => app.graph.nodes.map(({ id, pos, size }) => [id, Math.round(pos[1]), Math.round(pos[1] + size[1])]);
    await page.evaluate(() => {
      const [upper, lower] = [2, 3].map((id) => app.graph.getNodeById(id));
      lower.pos = [upper.pos[0], upper.pos[1] + upper.size[1] + 50];
      app.graph.change?.();
    });
    await frame(page);
    const before = await page.evaluate(placed);
    await command(page, 2, "negopt.addModifiers");
    await waitFor(page, () => app.graph.getNodeById(2).widgets[0].value !== "a photo of a red ball");
    assert.match(await widget(page, 2, "df_text"), /\[.*:.*:.*\]/);
    assert.deepEqual(await outOfPlace(page), []);
    assert.notDeepEqual(await page.evaluate(placed), before);
    await shot("grown");
    await undo(page);
    assert.equal(await widget(page, 2, "df_text"), "a photo of a red ball");
    assert.deepEqual((await page.evaluate(placed)).map(([id, top]) => [id, top]), before.map(([id, top]) => [id, top]));
  },

  async an_encoder_that_is_made_pushes_down_what_its_bars_would_cover({ page, shot }) {
    await build(
      page,
      [["NegOptDemoModel", {}, [0, 0]], ["NegOptEncode", { df_text: "a photo of a red ball" }, [1, 0]],
        ["NegOptEncode", { df_text: "somebody's other words" }, [1, 2]], ["ConditioningZeroOut", {}, [2, 1]],
        ["KSampler", { cfg: 5 }, [3, 0]]],
      ["1.MODEL > 5.model", "1.CLIP > 2.clip", "1.CLIP > 3.clip", "2.CONDITIONING > 5.positive", "2.CONDITIONING > 4.conditioning",
        "4.CONDITIONING > 5.negative", "1.LATENT > 5.latent_image"],
    );
    await page.evaluate(() => {
      const [upper, other] = [2, 3].map((id) => app.graph.getNodeById(id));
      other.pos = [upper.pos[0], upper.pos[1] + 2 * (upper.size[1] + 60) + 65]; // the made one fits between, without its bars
      app.graph.change?.();
    });
    await frame(page);
    const top = () => app.graph.getNodeById(3).pos[1];
    const before = await page.evaluate(top);
    await command(page, 2, "negopt.writeNegative");
    await waitFor(page, (old) => app.graph.getNodeById(3).pos[1] > old, before);
    assert.match(await page.evaluate(() => app.graph.nodes.at(-1).widgets[0].value), /\[.*:.*:.*\]/);
    assert.deepEqual(await outOfPlace(page), []);
    await frame(page);
    await shot("made");
    await undo(page);
    assert.equal(await page.evaluate(() => app.graph.nodes.length), 5);
    assert.equal(await page.evaluate(top), before);
  },

  async zeros_get_an_encoder_cfg_one_is_said_and_one_undo_reverts_all({ page, shot }) {
    await zeroed(page);
    await command(page, 2, "negopt.writeNegative");
    await answer(page, "No");
    await waitFor(page, () => app.graph.nodes.length === 5);
    const made = await page.evaluate(() => app.graph.nodes.find((node) => node.id > 4 || Number(node.id) > 4).widgets[0].value);
    assert.match(made, /blurry/);
    assert.doesNotMatch(made, /\[/);
    await page.getByText("CFG 1").first().waitFor();
    await frame(page);
    await shot("made");
    await undo(page);
    assert.equal(await page.evaluate(() => app.graph.nodes.length), 4);
  },

  async the_dialog_at_cfg_one_says_what_its_buttons_do_and_cancel_writes_nothing({ page, shot }) {
    await stock(page, 1);
    const before = await widget(page, 3, "text");
    const state = () => page.evaluate(() => JSON.stringify(app.graph.serialize().nodes.map(({ id, widgets_values: values }) => [id, values])));
    const graph = await state();
    await command(page, 2, "negopt.writeNegative");
    const buttons = page.locator("dialog.negopt-dialog button");
    await buttons.first().waitFor();
    assert.deepEqual(await buttons.allInnerTexts(), ["cancel", "only write", "write and add NAGuidance"]);
    await shot("cfg-one-dialog");
    await buttons.first().click();
    await page.locator("dialog.negopt-dialog").waitFor({ state: "detached" });
    await atRest(page);
    assert.equal(await state(), graph);
    await command(page, 2, "negopt.writeNegative");
    await page.keyboard.press("Escape");
    await page.locator("dialog.negopt-dialog").waitFor({ state: "detached" });
    assert.equal(await state(), graph);
    await command(page, 2, "negopt.writeNegative");
    await buttons.nth(1).click();
    await waitFor(page, (text) => app.graph.getNodeById(3).widgets[0].value !== text, before);
  },

  async it_works_inside_a_subgraph({ page, shot }) {
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
    await atRest(page);
    const [[positive], [negative, before]] = inner;
    await page.evaluate((id) => {
      app.canvas.deselectAll();
      app.canvas.selectNode(window.negoptInner.getNodeById(id));
      app.extensionManager.command.execute("negopt.writeNegative");
    }, positive);
    await waitFor(page, ([id, text]) => window.negoptInner.getNodeById(id).widgets[0].value !== text, [negative, before]);
  },

  async the_menu_of_a_prompt_node_offers_both({ page, shot }) {
    await zeroed(page);
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
    await shot("menu");
    await page.keyboard.press("Escape");
    await page.mouse.click(700, 800);
  },

  async a_server_that_is_gone_is_said_in_words({ page, shot }) {
    await load(page, example("scheduled_negative"));
    await page.route("**/negopt/v1/suggest", (route) => route.abort());
    await command(page, 2, "negopt.writeNegative");
    await page.getByText("server does not answer").first().waitFor();
    await page.unroute("**/negopt/v1/suggest");
  },

  async at_cfg_one_nag_is_offered_with_the_reason_and_one_undo_takes_it_back_too({ page, shot }) {
    await zeroed(page);
    await command(page, 2, "negopt.writeNegative");
    await page.getByText("does not compute the negative").first().waitFor();
    await shot("nag");
    await answer(page, "Yes");
    await waitFor(page, () => app.graph.nodes.length === 6);
    const fed = await page.evaluate(() => {
      const sampler = app.graph.nodes.find((node) => node.type === "KSampler");
      return sampler.getInputNode(0).type;
    });
    assert.equal(fed, "NAGuidance");
    await undo(page);
    assert.equal(await page.evaluate(() => app.graph.nodes.length), 4);
  },

  async the_scheduled_wiring_is_made_one_undo_reverts_it_all_and_it_runs({ page, shot }) {
    await stock(page);
    const seed = Date.now() % 1e6; // the hook says nothing of pictures that ComfyUI takes from its cache
    await page.evaluate((value) => {
      app.graph.nodes.find((node) => node.type === "KSampler").widgets.find((one) => one.name === "seed").value = value;
    }, seed);
    await command(page, 2, "negopt.writeScheduled");
    await waitFor(page, () => app.graph.nodes.filter((node) => node.type === "NegOptEncode").length === 2);
    const told = await page.evaluate(() => {
      const sampler = app.graph.nodes.find((node) => node.type === "KSampler");
      const at = (name) => sampler.getInputNode(sampler.inputs.findIndex((one) => one.name === name));
      const words = (node) => node.widgets.find((one) => one.name === "df_text").value;
      return { model: at("model").type, positive: words(at("positive")), negative: words(at("negative")),
        stock: app.graph.nodes.filter((node) => node.type === "CLIPTextEncode").length };
    });
    assert.equal(told.model, "NegOptSamplerHook");
    assert.equal(told.stock, 0);
    // a bracket was an ordinary letter for the stock encoder, and stays one
    assert.ok(told.positive.startsWith("a photo of a red ball \\[at night\\], "), told.positive);
    assert.ok(told.negative.startsWith("my own words, "), told.negative);
    assert.match(told.positive + told.negative, /\[.*:.*:.*\]/);
    assert.deepEqual(await outOfPlace(page), []); // before anything else makes ComfyUI draw again
    await frame(page);
    await shot("wired");
    await undo(page);
    assert.deepEqual(await page.evaluate(() => app.graph.nodes.map((node) => node.type).sort()),
      ["CLIPTextEncode", "CLIPTextEncode", "KSampler", "NegOptDemoModel", "SaveImage", "VAEDecode"]);
    assert.equal(await page.evaluate(() => app.graph.nodes.filter((node) => node.type === "CLIPTextEncode")[0].widgets[0].value),
      "a photo of a red ball [at night]");
    await page.evaluate(() => app.extensionManager.command.execute("Comfy.Redo"));
    await waitFor(page, () => app.graph.nodes.some((node) => node.type === "NegOptSamplerHook"));
    await finished(page);
    await page.waitForTimeout(1000); // until the hook's line stands there
    assert.deepEqual(await outOfPlace(page), []);
    await shot("wired-run");
    await undo(page); // a preview that was faster than ComfyUI's own look at the graph is a step of heights only
    if (await page.evaluate(() => app.graph.nodes.some((node) => node.type === "NegOptSamplerHook"))) {
      const heightsOnly = await page.evaluate(() => {
        const { redoQueue, activeState } = app.extensionManager.workflow.activeWorkflow.changeTracker;
        const bare = (state) => JSON.stringify(state, (key, value) => (["size", "ds"].includes(key) ? undefined : value));
        return bare(redoQueue.at(-1)) === bare(activeState);
      });
      assert.ok(heightsOnly);
      await undo(page);
    }
    assert.equal(await page.evaluate(() => app.graph.nodes.filter((node) => node.type === "CLIPTextEncode").length), 2);
  },

  async what_the_page_makes_of_heights_is_no_step_when_the_graph_is_queued({ page }) {
    await stock(page);
    await command(page, 2, "negopt.writeScheduled");
    await waitFor(page, () => app.graph.nodes.filter((node) => node.type === "NegOptEncode").length === 2);
    const steps = () => page.evaluate(() => app.extensionManager.workflow.activeWorkflow.changeTracker.undoQueue.length);
    await page.waitForTimeout(2000); // until nothing moves by itself
    const before = await steps();
    await page.evaluate(async () => {
      const { api } = await import("/scripts/api.js");
      const node = app.graph.nodes.find((one) => one.type === "NegOptEncode");
      node.setSize([node.size[0], node.size[1] + 50]);
      for (const event of ["promptQueueing", "promptQueued"]) api.dispatchCustomEvent(event, { number: 1, batchCount: 1 });
    });
    assert.equal(await steps(), before);
  },

  async an_sdxl_encoder_gets_a_negative_of_its_kind_in_both_of_its_texts({ page }) {
    const text = "a lighthouse at dusk";
    await build(
      page,
      [["CheckpointLoaderSimple", {}, [0, 0]], ["CLIPTextEncodeSDXL", { text_g: text, text_l: text, width: 768 }, [1, 0]],
        ["KSampler", {}, [2, 0]], ["EmptyLatentImage", {}, [1, 1]]],
      ["1.MODEL > 3.model", "1.CLIP > 2.clip", "2.CONDITIONING > 3.positive", "4.LATENT > 3.latent_image"],
    );
    await command(page, 2, "negopt.writeNegative");
    await waitFor(page, () => app.graph.nodes.length === 5);
    const values = await page.evaluate(() => {
      const made = app.graph.nodes.filter((node) => node.type === "CLIPTextEncodeSDXL").pop();
      return Object.fromEntries(made.widgets.map((one) => [one.name, one.value]));
    });
    assert.ok(values.text_g.length > 0);
    assert.equal(values.text_g, values.text_l);
    assert.equal(values.width, 768);
    await command(page, 2, "negopt.writeScheduled");
    await page.getByText("Only CLIP Text Encode can be replaced").first().waitFor();
  },

  async a_flux_encoder_behind_a_reroute_gets_a_negative_in_both_of_its_texts({ page }) {
    const text = "a paper boat";
    await build(
      page,
      [["DualCLIPLoader", {}, [0, 1]], ["UNETLoader", {}, [0, 0]], ["CLIPTextEncodeFlux", { clip_l: text, t5xxl: text }, [1, 0]],
        ["Reroute", {}, [2, 1]], ["CFGGuider", { cfg: 4 }, [3, 0]]],
      ["2.MODEL > 5.model", "1.CLIP > 3.clip", "3.CONDITIONING > 4.", "4.* > 5.positive"],
    );
    await command(page, 3, "negopt.writeNegative");
    await waitFor(page, () => app.graph.nodes.length === 6);
    const values = await page.evaluate(() => {
      const made = app.graph.nodes.filter((node) => node.type === "CLIPTextEncodeFlux").pop();
      return Object.fromEntries(made.widgets.map((one) => [one.name, one.value]));
    });
    assert.ok(values.t5xxl.length > 0);
    assert.equal(values.t5xxl, values.clip_l);
  },

  async a_string_node_that_feeds_the_encoder_is_what_gets_the_words({ page }) {
    await build(
      page,
      [["NegOptDemoModel", {}, [0, 0]], ["PrimitiveStringMultiline", { value: "a red ball" }, [0, 1]], ["CLIPTextEncode", {}, [1, 0]],
        ["CLIPTextEncode", { text: "" }, [1, 1]], ["KSampler", { cfg: 5 }, [2, 0]]],
      ["1.MODEL > 5.model", "1.CLIP > 3.clip", "1.CLIP > 4.clip", "2.STRING > 3.text", "3.CONDITIONING > 5.positive",
        "4.CONDITIONING > 5.negative", "1.LATENT > 5.latent_image"],
    );
    await command(page, 2, "negopt.addModifiers");
    await waitFor(page, () => app.graph.getNodeById(2).widgets[0].value !== "a red ball");
    assert.ok((await widget(page, 2, "value")).startsWith("a red ball, "));
    await command(page, 3, "negopt.writeNegative");
    await waitFor(page, () => app.graph.getNodeById(4).widgets[0].value !== "");
  },

  async two_tabs_write_at_once_and_each_keeps_its_own({ page, context, url }) {
    const other = await context.newPage();
    try {
      await ready(other, url);
      await stock(page);
      await stock(other, 5, "a blue cube");
      await Promise.all([command(page, 2, "negopt.writeNegative"), command(other, 2, "negopt.writeNegative")]);
      for (const one of [page, other]) {
        await waitFor(one, () => app.graph.getNodeById(3).widgets[0].value !== "my own words");
        assert.ok((await widget(one, 3, "text")).startsWith("my own words, "));
      }
      assert.equal(await widget(other, 2, "text"), "a blue cube");
    } finally {
      await other.close();
    }
  },

  async a_server_that_is_gone_in_the_middle_of_its_answer_changes_nothing({ page }) {
    await stock(page);
    await page.route("**/negopt/v1/suggest", (route) =>
      route.fulfill({ status: 200, contentType: "application/json", body: '{"df_negative": "blur' }));
    await command(page, 2, "negopt.writeNegative");
    await page.getByText("cannot be read").first().waitFor();
    await page.unroute("**/negopt/v1/suggest");
    assert.equal(await widget(page, 3, "text"), "my own words");
  },
};
