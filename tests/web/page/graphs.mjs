// Graphs for the checks: saved examples, single nodes, and small graphs built in the page itself.
import { readdirSync, readFileSync } from "node:fs";
import { atRest, frame } from "./browser.mjs";

const FOLDER = new URL("../../../example_workflows/", import.meta.url);
const TITLES = {
  one_click: "01 One click", basic_negative: "03 Write a negative", timeline: "04 Draw the timeline",
  scheduled_modifiers: "05 Scheduled modifiers", scheduled_negative: "06 Scheduled negative",
};

/** The names that the gallery shows, in its order. */
export const titles = () =>
  readdirSync(FOLDER).filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length)).sort();

/** A saved example, by a short name or by its title. */
export const example = (name) => JSON.parse(readFileSync(new URL(`${TITLES[name] ?? name}.json`, FOLDER), "utf8"));

export const HOSTILE = "<img src=x onerror=alert(1)>";

/** A saved workflow of one NegOptTimeline. */
export const timeline = (...values) => ({
  last_node_id: 1, last_link_id: 0, links: [], groups: [], config: {}, extra: {}, version: 0.4,
  nodes: [{ id: 1, type: "NegOptTimeline", pos: [100, 100], size: [520, 720], flags: {}, order: 0, mode: 0, inputs: [],
    outputs: [], properties: {}, widgets_values: values }],
});

const EMPTY = { last_node_id: 0, last_link_id: 0, nodes: [], links: [], groups: [], config: {}, extra: {}, version: 0.4 };

/**
 * Build a graph with the page's own node definitions. `nodes`: [type, widget values by name, [column, row]] in the order of
 * their ids (1, 2, ...); `wires`: "id.OUTPUT_TYPE > id.input", where the first output of that type is taken, with "/1" the second.
 */
export async function build(page, nodes, wires) {
  await page.evaluate(async (saved) => app.loadGraphData(saved), EMPTY);
  await atRest(page, 100);
  await page.evaluate(
    ([described, links]) => {
      const made = described.map(([type, values, [column, row]]) => {
        const node = LiteGraph.createNode(type);
        app.graph.add(node);
        node.pos = [60 + 440 * column, 80 + 330 * row];
        for (const [name, value] of Object.entries(values)) node.widgets.find((one) => one.name === name).value = value;
        return node;
      });
      for (const link of links) {
        const [from, to] = link.split(" > ").map((end) => end.split("."));
        const [source, target] = [made[from[0] - 1], made[to[0] - 1]];
        const input = target.inputs.findIndex((one) => one.name === to[1]);
        if (input < 0) throw new Error(`no input ${to[1]} on ${target.type}`);
        const [type, place = 0] = from[1].split("/");
        const slots = source.outputs.flatMap((one, slot) => (one.type === type ? [slot] : []));
        // a reroute's only output changes its type when it is connected
        source.connect(slots[place] ?? 0, target, input);
      }
      app.extensionManager.workflow.activeWorkflow.changeTracker.captureCanvasState?.();
      app.extensionManager.workflow.activeWorkflow.changeTracker.checkState?.();
    },
    [nodes, wires],
  );
  await frame(page);
}

const DEMO = ["NegOptDemoModel", {}, [0, 0]];
const sampler = (cfg) => ["KSampler", { cfg, steps: 8, control_after_generate: "fixed" }, [3, 0]];

/** Stock encoders on the demo world; the negative is zeros, CFG 1. */
export const zeroed = (page) =>
  build(
    page,
    [DEMO, ["CLIPTextEncode", { text: "a photo of a red ball" }, [1, 0]], ["ConditioningZeroOut", {}, [2, 1]], sampler(1)],
    ["1.MODEL > 4.model", "1.CLIP > 2.clip", "2.CONDITIONING > 4.positive", "2.CONDITIONING > 3.conditioning",
      "3.CONDITIONING > 4.negative", "1.LATENT > 4.latent_image"],
  );

/** A policy's node before a sampler at CFG 1 of a family that only the text encoder's loader tells; nothing is loaded. */
export const unloaded = (page, type) =>
  build(
    page,
    [["UNETLoader", {}, [0, 0]], ["CLIPLoader", { type }, [0, 1]],
      ["NegOptSuggest", { prompt: "a cat in a garden", negative: "blurry" }, [1, 0]], ["NegOptEncode", {}, [2, 0]],
      ["NegOptEncode", {}, [2, 1]], sampler(1)],
    ["1.MODEL > 6.model", "2.CLIP > 4.clip", "2.CLIP > 5.clip", "3.STRING > 4.df_text", "3.STRING/1 > 5.df_text",
      "4.CONDITIONING > 6.positive", "5.CONDITIONING > 6.negative"],
  );

/** Stock encoders on both sides, as in ComfyUI's own first workflow, down to a saved picture. */
export const stock = (page, cfg = 5, text = "a photo of a red ball [at night]") =>
  build(
    page,
    [DEMO, ["CLIPTextEncode", { text }, [1, 0]], ["CLIPTextEncode", { text: "my own words" }, [1, 1]],
      sampler(cfg), ["VAEDecode", {}, [4, 0]], ["SaveImage", {}, [4, 1]]],
    ["1.MODEL > 4.model", "1.CLIP > 2.clip", "1.CLIP > 3.clip", "2.CONDITIONING > 4.positive", "3.CONDITIONING > 4.negative",
      "1.LATENT > 4.latent_image", "4.LATENT > 5.samples", "1.VAE > 5.vae", "5.IMAGE > 6.images"],
  );
