// Where the words of a click come from: subgraphs that show them, nodes that share them, nodes that make them.
import assert from "node:assert/strict";
import { atRest, command, dismissNotices, undo, waitFor, widget } from "./browser.mjs";
import { build, stock } from "./graphs.mjs";

const WIRED = "wired with windows";

/** Away with the notices, also those of the check before. */
async function quiet(page) {
  await dismissNotices(page);
  await page.getByText(WIRED).first().waitFor({ state: "hidden" });
}

/** The scheduled wiring takes some frames; until its notice is there an undo comes too early. */
const complete = (page) => page.getByText(WIRED).first().waitFor();

export const checks = {
  async a_prompt_that_a_subgraph_promotes_is_read_and_written_on_the_subgraph({ page }) {
    await stock(page);
    const [positive, negative] = await page.evaluate(() => {
      const nodes = app.graph.nodes.filter((node) => ["CLIPTextEncode", "KSampler"].includes(node.type));
      const { subgraph, node: holder } = app.graph.convertToSubgraph(new Set(nodes));
      window.negoptHolder = holder;
      const encoders = subgraph.nodes.filter((one) => one.type === "CLIPTextEncode");
      ["words", "ugly"].forEach((name, index) => {
        const input = encoders[index].inputs.find((one) => one.name === "text");
        subgraph.addInput(name, "STRING").connect(input, encoders[index]);
      });
      const shown = Object.fromEntries(holder.widgets.map((one) => [one.name, one]));
      shown.words.value = "a blue cube";
      shown.ugly.value = "words of the node";
      app.canvas.openSubgraph ? app.canvas.openSubgraph(subgraph, holder) : app.canvas.setGraph(subgraph);
      window.negoptInner = subgraph;
      return encoders.map((one) => one.id);
    });
    await atRest(page);
    const asked = [];
    await page.route("**/negopt/v1/suggest", (route) => asked.push(route.request().postDataJSON()) && route.continue());
    const run = (id, name) => page.evaluate(([key, what]) => {
      app.canvas.deselectAll();
      app.canvas.selectNode(window.negoptInner.getNodeById(key));
      app.extensionManager.command.execute(what);
    }, [id, name]);
    const shown = (name) => page.evaluate((key) => window.negoptHolder.widgets.find((one) => one.name === key).value, name);
    await run(positive, "negopt.writeNegative");
    await waitFor(page, () => window.negoptHolder.widgets.find((one) => one.name === "ugly").value !== "words of the node");
    await page.unroute("**/negopt/v1/suggest");
    assert.equal(asked[0].prompt, "a blue cube");
    assert.ok((await shown("ugly")).startsWith("words of the node, "));
    const sent = async (id) => page.evaluate(async (key) => {
      const { output } = await app.graphToPrompt();
      return Object.entries(output).find(([one]) => one.endsWith(`:${key}`))[1].inputs;
    }, id);
    assert.equal((await sent(negative)).text, await shown("ugly"));
    await quiet(page);
    await run(positive, "negopt.writeScheduled");
    await waitFor(page, () => window.negoptInner.nodes.filter((one) => one.type === "NegOptEncode").length === 2);
    await complete(page);
    assert.ok((await shown("words")).startsWith("a blue cube, "), await shown("words"));
    const texts = await page.evaluate(async () => Object.values((await app.graphToPrompt()).output)
      .filter((one) => one.class_type === "NegOptEncode").map((one) => one.inputs.df_text).sort());
    assert.deepEqual(texts, [await shown("words"), await shown("ugly")].sort());
    assert.deepEqual(await page.evaluate(() => app.extensions.find((one) => one.name === "negopt").getNodeMenuItems(window.negoptHolder)), []);
  },

  async a_string_node_with_two_encoders_has_both_of_them_scheduled({ page }) {
    await build(
      page,
      [["NegOptDemoModel", {}, [0, 0]], ["PrimitiveStringMultiline", { value: "a red ball" }, [0, 1]], ["CLIPTextEncode", {}, [1, 0]],
        ["CLIPTextEncode", {}, [1, 1]], ["CLIPTextEncode", { text: "my own words" }, [1, 2]], ["KSampler", { cfg: 5 }, [2, 0]],
        ["KSampler", { cfg: 5 }, [2, 2]]],
      ["1.MODEL > 6.model", "1.MODEL > 7.model", "1.CLIP > 3.clip", "1.CLIP > 4.clip", "1.CLIP > 5.clip", "2.STRING > 3.text",
        "2.STRING > 4.text", "3.CONDITIONING > 6.positive", "4.CONDITIONING > 7.positive", "5.CONDITIONING > 6.negative",
        "5.CONDITIONING > 7.negative", "1.LATENT > 6.latent_image", "1.LATENT > 7.latent_image"],
    );
    await quiet(page);
    await command(page, 4, "negopt.writeScheduled");
    await waitFor(page, () => app.graph.nodes.filter((node) => node.type === "NegOptEncode").length === 3);
    const types = await page.evaluate(() => app.graph.nodes.map((node) => node.type));
    assert.deepEqual([types.includes("CLIPTextEncode"), types.filter((type) => type === "NegOptSamplerHook").length], [false, 2]);
    const fed = await page.evaluate(() => app.graph.getNodeById(2).outputs[0].links.length);
    assert.equal(fed, 2);
    await complete(page);
    await undo(page);
    assert.equal(await page.evaluate(() => app.graph.nodes.length), 7);
  },

  async an_instruction_to_a_language_model_is_not_taken_for_the_prompt({ page }) {
    await build(
      page,
      [["NegOptDemoModel", {}, [0, 0]], ["PrimitiveStringMultiline", { value: "describe a ball" }, [0, 1]], ["TextGenerate", {}, [1, 1]],
        ["CLIPTextEncode", {}, [2, 0]], ["CLIPTextEncode", { text: "my own words" }, [2, 1]], ["KSampler", { cfg: 5 }, [3, 0]]],
      ["1.MODEL > 6.model", "1.CLIP > 3.clip", "1.CLIP > 4.clip", "1.CLIP > 5.clip", "2.STRING > 3.prompt", "3.STRING > 4.text",
        "4.CONDITIONING > 6.positive", "5.CONDITIONING > 6.negative", "1.LATENT > 6.latent_image"],
    );
    const offered = (id) => page.evaluate((node) =>
      app.extensions.find((one) => one.name === "negopt").getNodeMenuItems(app.graph.getNodeById(node)).length, id);
    assert.deepEqual([await offered(2), await offered(3), await offered(4)], [5, 0, 5]);
    for (const [id, name] of [[4, "negopt.writeNegative"], [2, "negopt.addModifiers"], [5, "negopt.writeScheduled"]]) {
      await command(page, id, name);
      await page.getByText("is made by").first().waitFor();
      await dismissNotices(page);
      await page.getByText("is made by").first().waitFor({ state: "hidden" });
    }
    assert.equal(await widget(page, 5, "text"), "my own words");
    assert.equal(await widget(page, 2, "value"), "describe a ball");
  },
};
