// The pictures of docs/comfyui.md and of the help pages: `node pictures.mjs URL FOLDER [SETTING=VALUE ...]`.
// Follows the walkthrough from a clean ComfyUI; each picture is to be looked at before it is kept.
import { mkdirSync } from "node:fs";
import { command, dismissNotices, finished, frame, load, open, waitFor } from "./browser.mjs";
import { example, stock, timeline } from "./graphs.mjs";

const [url, folder, ...pairs] = process.argv.slice(2);
const settings = Object.fromEntries(pairs.map((pair) => [pair.split("=")[0], JSON.parse(pair.split("=").slice(1).join("="))]));
const NODES = ["LoadPolicy", "Suggest", "OneClick", "Timeline", "Encode", "SamplerHook", "SaveProvenance", "DemoModel", "Score", "Compare", "Explain"];
const MARGIN = 14;
const LIST = "blurry, noisy, deformed, watermark, detailed, cinematic, bad hands";
const SCENES = ["a photo of a red ball in the snow by day", "a painting of a blue cube at night", "a photo of a green cone in the desert by day",
  "a sketch of a yellow ball on the beach at sunset", "a photo of a red cube in the forest at night", "a photo of a red ball on the beach by day"];

mkdirSync(folder, { recursive: true });
const { browser, page, errors } = await open(url, settings);
const said = {};

const keep = (name, clip) => page.screenshot({ path: `${folder}/${name}.jpg`, type: "jpeg", quality: 78, ...(clip && { clip }) });

/** Where some nodes are on the screen. */
const boxOf = (ids) =>
  page.evaluate(([wanted, margin]) => {
    const boxes = app.graph.nodes.filter((node) => !wanted || wanted.includes(String(node.id))).map((node) => [
      ...app.canvas.ds.convertOffsetToCanvas([node.pos[0], node.pos[1] - 30]),
      ...app.canvas.ds.convertOffsetToCanvas([node.pos[0] + node.size[0], node.pos[1] + node.size[1]]),
    ]);
    const canvas = app.canvas.canvas.getBoundingClientRect();
    const low = [0, 1].map((axis) => Math.max(0, Math.min(...boxes.map((box) => box[axis])) - margin));
    const high = [2, 3].map((axis) => Math.max(...boxes.map((box) => box[axis])) + margin);
    return { x: low[0] + canvas.left, y: low[1] + canvas.top, width: high[0] - low[0], height: high[1] - low[1] };
  }, [ids?.map(String) ?? null, MARGIN]);

/** The id of a node of this type, which is added if no example has one. */
const placed = (type) => {
  const there = app.graph.nodes.find((node) => node.type === type);
  if (there) return there.id;
  const made = LiteGraph.createNode(type);
  made.pos = [0, 900];
  app.graph.add(made);
  return made.id;
};

const inside = (box) => {
  const { width, height } = page.viewportSize();
  return { ...box, width: Math.min(box.width, width - box.x), height: Math.min(box.height, height - box.y) };
};

/** ComfyUI's stock workflow on the demo world, its columns close together, with values that give a good picture. */
async function stockPicture() {
  await stock(page, 2.5, "a photo of a yellow ball next to a blue cube by the sea by day");
  await page.evaluate(() => {
    app.graph.nodes.forEach((node) => (node.pos[0] -= node.pos[0] > 900 ? 400 : 0));
    app.graph.getNodeById(3).widgets[0].value = "";
    const values = { seed: 5, steps: 20, sampler_name: "dpmpp_2m", scheduler: "sgm_uniform" };
    const sampler = app.graph.nodes.find((node) => node.type === "KSampler");
    for (const [name, value] of Object.entries(values)) sampler.widgets.find((one) => one.name === name).value = value;
  });
  await frame(page);
}

/** Only the nodes `ids`, as large as they fit. */
async function closeUp(name, ids) {
  await page.evaluate((wanted) => {
    const [node] = app.graph.nodes.filter((one) => wanted.includes(String(one.id)));
    app.canvas.deselectAll();
    const { ds } = app.canvas;
    ds.scale = Math.min(1, (innerHeight - 150) / (node.size[1] + 40));
    ds.offset = [380 / ds.scale - node.pos[0], 130 / ds.scale - node.pos[1]]; // clear of the page's own bars
    app.canvas.setDirty(true, true);
  }, ids.map(String));
  await page.waitForTimeout(1500);
  await keep(name, inside(await boxOf(ids)));
}

async function step(name, work) {
  try {
    await work();
  } catch (error) {
    said[name] = String(error).slice(0, 400);
    await keep(`FAULT-${name}`);
  }
}

await step("one-click", async () => {
  await load(page, example("one_click"));
  await finished(page);
  await waitFor(page, () => document.querySelector(".negopt-origin")?.textContent);
  await page.waitForTimeout(2500);
  await frame(page);
  await keep("comfyui-one-click");
});

await step("review", async () => {
  await page.evaluate(() => (app.graph.nodes.find((node) => node.type === "KSampler").widgets.find((one) => one.name === "cfg").value = 1));
  await page.getByText("NAGuidance").first().waitFor();
  await closeUp("comfyui-review", [2]);
});

await step("menu", async () => {
  await stockPicture();
  const at = await page.evaluate(() => {
    const node = app.graph.getNodeById(2);
    app.canvas.deselectAll();
    const place = app.canvas.ds.convertOffsetToCanvas([node.pos[0] + 90, node.pos[1] - 14]);
    const box = app.canvas.canvas.getBoundingClientRect();
    return [place[0] + box.left, place[1] + box.top];
  });
  await page.mouse.click(...at, { button: "right" });
  await page.getByText("negopt:").first().waitFor();
  await page.waitForTimeout(800);
  await keep("comfyui-menu");
  await page.keyboard.press("Escape");
  await page.mouse.click(700, 800);
});

await step("wired", async () => {
  await stockPicture();
  await command(page, 2, "negopt.writeScheduled");
  await waitFor(page, () => app.graph.nodes.filter((node) => node.type === "NegOptEncode").length === 2);
  await finished(page);
  await page.evaluate(() => app.canvas.deselectAll());
  await dismissNotices(page);
  await page.waitForTimeout(2500);
  await frame(page);
  await keep("comfyui-wired");
});

await step("scheduled", async () => {
  await load(page, example("scheduled_modifiers"));
  await finished(page);
  await page.waitForTimeout(2500);
  await frame(page);
  await keep("comfyui-scheduled");
});

await step("timeline", async () => {
  await load(page, timeline("a photo of a cat, at night[, misty:1-0.5:1][, sharp fur:0.4-0:1.3], [oops:2:1]", 20, "blurry[, noisy:0.4-0:1.2]"));
  await page.locator(".negopt-bar").nth(4).waitFor();
  await closeUp("comfyui-timeline", [1]);
});

await step("sidebar", async () => {
  await page.locator("[aria-label*='negopt'], .side-bar-button:has(.pi-book)").first().click();
  await page.locator(".negopt-card summary").first().click();
  await page.locator(".negopt-card dd").first().waitFor();
  await page.waitForTimeout(800);
  await keep("comfyui-sidebar", { x: 0, y: 0, width: 700, height: page.viewportSize().height });
  await page.locator("[aria-label*='negopt'], .side-bar-button:has(.pi-book)").first().click();
});

if (settings["negopt.audit"] !== false) await step("audit", async () => {
  await stock(page, 5, SCENES[0]);
  await page.evaluate((words) => {
    const moved = { 1: [520, 80], 2: [860, 80], 3: [860, 360], 4: [1340, 80], 5: [1680, 80], 6: [1680, 220] };
    for (const [id, place] of Object.entries(moved)) app.graph.getNodeById(Number(id)).pos = place;
    app.graph.getNodeById(3).widgets.find((one) => one.name === "text").value = words;
  }, LIST);
  await frame(page);
  await command(page, 3, "negopt.audit");
  await page.locator(".negopt-learn textarea").fill(SCENES.join("\n"));
  await page.locator(".negopt-learn input[type=number]").fill("256");
  await page.evaluate(() => app.canvas.deselectAll());
  await page.waitForTimeout(800);
  await keep("audit-setup");
  await page.locator(".negopt-learn").getByRole("button", { name: "start", exact: true }).click();
  await waitFor(page, () => Number(/^\d+/.exec(document.querySelector(".negopt-learn-progress")?.innerText)?.[0]) > 60);
  await keep("audit-panel");
  await page.locator(".negopt-outcome").waitFor({ timeout: 600_000 });
  await page.locator(".negopt-effect[data-verdict=hurts] summary, .negopt-effect summary").first().click();
  await page.waitForTimeout(6000); // ComfyUI's own notices go
  await keep("audit-result");
  await page.locator(".negopt-learn .negopt-head .negopt-button").first().click(); // it lies over the nodes of the next pictures
});

for (const name of settings["negopt.help"] === false ? [] : NODES) {
  await step(name, async () => {
    const examples = { Encode: ["scheduled_negative", 3], OneClick: ["one_click", 2], Suggest: ["basic_negative", 3], Timeline: ["timeline", 2] };
    const [file, id] = examples[name] ?? [["LoadPolicy"].includes(name) ? "basic_negative" : "scheduled_negative", null];
    await load(page, example(file));
    if (["OneClick", "Suggest"].includes(name)) {
      await page.getByText("write now").first().click();
      await page.locator(".negopt-chip").first().waitFor();
    }
    const found = id ?? (await page.evaluate(placed, `NegOpt${name}`));
    await closeUp(`NegOpt${name}`, [found]);
  });
}
console.log(JSON.stringify({ said, errors }, null, 1));
await browser.close();
