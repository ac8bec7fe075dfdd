// The templates, App mode and the subgraph blueprints, each opened as a person would; those of the demo world are run.
import assert from "node:assert/strict";
import { atRest, finished, frame, load, waitFor } from "./browser.mjs";
import { build, example, titles } from "./graphs.mjs";

const NEEDS_FILES = /checkpoint|SDXL|Pony|Anima|Flux|Image at|Turbo/;
const BLUEPRINTS = ["Scheduled prompts (negopt)", "Write the negative (negopt)"];

/** Open a template through ComfyUI's own address for it, as its gallery does. */
const fromGallery = async (page, title) => {
  const saved = await page.evaluate(async (name) => (await fetch(`/api/workflow_templates/negopt/${name}.json`)).json(), title);
  await load(page, saved);
};

/** Run what is open with the button of App mode, and wait for the picture among the results. */
const paintedInAppMode = async (page) => {
  await page.getByRole("button", { name: "Run", exact: true }).first().click();
  await waitFor(page, () => [...document.querySelectorAll("img")].some((one) => /\/view\?/.test(one.src) && one.naturalWidth && one.width > 100));
};

/** Put a blueprint into the graph, from ComfyUI's own search; its node. */
const searched = async (page, title) => {
  await page.evaluate(() => app.extensionManager.command.execute("Workspace.SearchBox.Toggle"));
  await page.keyboard.type(title);
  await page.getByText(title).first().waitFor();
  await page.waitForTimeout(600);
  await page.keyboard.press("Enter");
  await waitFor(page, (name) => app.graph.nodes.some((node) => node.title === name), title);
  await page.mouse.click(700, 700);
  await atRest(page);
};

export const checks = {
  async every_template_opens_with_all_its_nodes_and_those_of_the_demo_world_run({ page }) {
    for (const title of titles()) {
      await fromGallery(page, title);
      const wanted = example(title).nodes.length;
      const [count, unknown, packs] = await page.evaluate(() => [
        app.graph.nodes.length,
        app.graph.nodes.filter((node) => !LiteGraph.registered_node_types[node.type] && !node.isVirtualNode).map((node) => node.type),
        app.graph.nodes.filter((node) => node.type.startsWith("NegOpt")).map((node) => node.properties.cnr_id),
      ]);
      assert.deepEqual([count, unknown.filter((type) => type !== "MarkdownNote")], [wanted, []], title);
      assert.ok(packs.length && packs.every((one) => one === "negopt"), title);
      if (!NEEDS_FILES.test(title)) await finished(page);
    }
  },

  async a_template_whose_files_are_missing_is_refused_by_comfyui_itself({ page, url }) {
    for (const title of titles().filter((one) => /Anima|Flux|Turbo|Qwen/.test(one))) {
      await fromGallery(page, title);
      const prompt = await page.evaluate(async () => (await app.graphToPrompt()).output);
      const answer = await page.request.post(`${url}/prompt`, { data: { prompt } });
      assert.equal(answer.status(), 400, title);
      for (const { class_type: type, errors } of Object.values((await answer.json()).node_errors)) {
        assert.match(type, /Loader/, `${title}: ${JSON.stringify(errors)}`);
        assert.ok(errors.every((one) => one.type === "value_not_in_list"), title);
      }
    }
  },

  async the_first_three_work_in_app_mode({ page, shot }) {
    const toggle = () => page.evaluate(() => app.extensionManager.command.execute("Comfy.ToggleLinear"));
    const hasAppMode = await page.evaluate(() => app.extensionManager.command.commands.some((one) => one.id === "Comfy.ToggleLinear"));
    if (!hasAppMode) return "this frontend has no App mode";
    const wasVue = await page.evaluate(() => app.extensionManager.setting.get("Comfy.VueNodes.Enabled"));
    for (const title of titles().slice(0, 3)) {
      await fromGallery(page, title);
      await toggle();
      await page.locator("[data-testid=linear-run-button-icon]").first().waitFor();
      const tour = page.getByRole("button", { name: "Skip" });
      await tour.waitFor({ timeout: 3000 }).then(() => tour.click(), () => null);
      for (const label of ["prompt", "policy", "seed"]) await page.getByText(label, { exact: true }).locator("visible=true").first().waitFor();
      if (!NEEDS_FILES.test(title)) await paintedInAppMode(page);
      await page.waitForTimeout(800);
      await shot(`app-${title.slice(0, 2)}`);
      await toggle();
      await atRest(page);
    }
    await page.evaluate((value) => app.extensionManager.setting.set("Comfy.VueNodes.Enabled", value), wasVue);
    return null;
  },

  async the_blueprints_are_found_and_paint({ page, shot }) {
    const knowsThem = await page.evaluate(() => typeof window.comfyAPI.api.api.getGlobalSubgraphs === "function");
    if (!knowsThem) return "this frontend has no blueprints of packs";
    for (const title of BLUEPRINTS) {
      await build(page, [
        ["NegOptDemoModel", {}, [0, 0]],
        ["KSampler", { seed: 5, steps: 8, cfg: 2.5, scheduler: "sgm_uniform" }, [2, 0]],
        ["VAEDecode", {}, [3, 0]],
        ["SaveImage", {}, [3, 1]],
      ], ["1.LATENT > 2.latent_image", "2.LATENT > 3.samples", "1.VAE > 3.vae", "3.IMAGE > 4.images"]);
      await searched(page, title);
      await page.evaluate((name) => {
        const made = app.graph.nodes.find((node) => node.title === name);
        const [demo, sampler] = ["NegOptDemoModel", "KSampler"].map((type) => app.graph.nodes.find((node) => node.type === type));
        const input = (node, wanted) => node.inputs.findIndex((one) => one.name === wanted);
        demo.connect(0, made, input(made, "model"));
        demo.connect(1, made, input(made, "clip"));
        for (const [slot, wanted] of ["model", "positive", "negative"].entries()) made.connect(slot, sampler, input(sampler, wanted));
        made.pos = [500, 80];
        const text = made.widgets.find((one) => ["positive", "prompt", "df_text"].includes(one.name));
        text.value = "a photo of a yellow ball next to a blue cube by the sea by day";
      }, title);
      await frame(page);
      await shot(`blueprint-${title.slice(0, 5).trim()}`);
      await finished(page);
    }
    return null;
  },
};
