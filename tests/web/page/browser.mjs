// A Chromium on a running ComfyUI, and what the tests ask of its page. No request leaves this machine.
import { createRequire } from "node:module";

const { chromium } = createRequire(process.env.NEGOPT_PLAYWRIGHT + "/")("playwright-core");

const ARGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-software-rasterizer"];
const SETTINGS = {
  "Comfy.TutorialCompleted": true,
  "Comfy.VersionCompatibility.DisableWarnings": true,
  "Comfy.Minimap.Visible": false,
  "Comfy.Workflow.ShowMissingModelsWarning": false,
  "Comfy.RightSidePanel.IsOpen": false,
  "LiteGraph.Canvas.MinFontSizeForLOD": 0,
  "LiteGraph.Canvas.LowQualityRenderingZoomThreshold": 0,
};
const LOCAL = ["127.0.0.1", "localhost"];
// ComfyUI's own page asks for these and logs what it does not get, with or without us
const NOT_OURS = /accessed before initialization|favicon|ERR_FAILED|ERR_BLOCKED|Content Security Policy|userdata|manager|status of 404|templates|that was never set up/i;

/** Opens a page; `settings` are ComfyUI's. Returns the page and the list of errors it will have shown. */
export async function open(url, settings = {}) {
  const browser = await chromium.launch({ executablePath: process.env.NEGOPT_CHROMIUM, headless: true, args: ARGS });
  const context = await browser.newContext({ viewport: { width: 1400, height: 860 }, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const errors = [];
  let isReady = false; // before that, ComfyUI 0.3.64's page throws one of its own
  page.on("pageerror", (error) => (isReady || /negopt/.test(error.stack)) && errors.push(`pageerror: ${error}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !NOT_OURS.test(message.text())) errors.push(message.text().slice(0, 1200));
  });
  await context.addInitScript(() => {
    const log = console.error;
    console.error = (...told) => log(...told, new Error().stack?.split("\n").slice(2, 9).join(" | "));
  });
  page.on("dialog", (dialog) => {
    errors.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await context.route("**/*", (route) => {
    const to = new URL(route.request().url());
    return LOCAL.includes(to.hostname) || ["data:", "blob:"].includes(to.protocol) ? route.continue() : route.abort();
  });
  context.on("request", (request) => underWay.add(request));
  for (const end of ["requestfinished", "requestfailed"]) context.on(end, (request) => underWay.delete(request));
  await context.request.post(`${url}/settings`, { data: { ...SETTINGS, ...settings } });
  await ready(page, url);
  isReady = true;
  return { browser, context, page, errors };
}

/** Open ComfyUI in a tab and wait until its nodes are there. */
export async function ready(page, url) {
  await page.goto(url, { waitUntil: "domcontentloaded" });
  await page.waitForFunction(
    () => window.app?.canvas?.graph && window.LiteGraph && Object.keys(LiteGraph.registered_node_types).length > 100,
    null,
    { timeout: 280_000 },
  );
  await atRest(page, 500);
}

const underWay = new Set(); // requests without an answer

/** Wait until no request is under way, and the graph and what is drawn of it have been as they are for `rest` ms; 10 s at most. */
export async function atRest(page, rest = 300) {
  const look = () => page.evaluate(async () => {
    for (let frames = 0; frames < 3; frames += 1) await new Promise((drawn) => requestAnimationFrame(drawn));
    const drawn = [...document.querySelectorAll("[data-node-id], .dom-widget, [class*=negopt]")].map((one) => {
      const { left, top, width, height } = one.getBoundingClientRect();
      return [left, top, width, height].map(Math.round);
    });
    return JSON.stringify([document.body.innerHTML.length, app.graph.serialize(), drawn]);
  });
  const end = Date.now() + 10_000;
  let since = Date.now();
  for (let before = await look(), now; Date.now() - since < rest && Date.now() < end; before = now) {
    now = await look();
    if (now !== before || underWay.size) since = Date.now();
  }
}

/** Answer the dialog that is open: "Yes" is its last button, "No" the one before. */
export async function answer(page, yes) {
  const buttons = page.locator("[role=dialog] button").filter({ hasText: /\S/ });
  await buttons.first().waitFor();
  const count = await buttons.count();
  await buttons.nth(yes === "Yes" ? count - 1 : count - 2).click();
  await page.locator("[role=dialog]").first().waitFor({ state: "hidden" });
}

/** Run the graph to its end; throws what ComfyUI says is wrong with it. */
export async function finished(page) {
  const last = () => page.evaluate(async () => Object.entries(await (await fetch("/api/history?max_items=1")).json())[0] ?? ["", null]);
  const [before] = await last();
  await page.evaluate(() => app.queuePrompt(0, 1));
  const end = Date.now() + 240_000;
  let [id, run] = [before, null];
  while (id === before) {
    if (Date.now() > end) throw new Error("the graph never finished");
    await page.waitForTimeout(100);
    [id, run] = await last();
  }
  const { status } = run;
  if (status.status_str !== "success") throw new Error(`the graph failed: ${JSON.stringify(status.messages).slice(0, 800)}`);
}

/** Load a saved workflow and frame it. */
export async function load(page, workflow) {
  await page.evaluate(async (saved) => app.loadGraphData(saved), workflow);
  await atRest(page);
  await frame(page);
}

/** Zoom so that the whole graph is seen. */
export async function frame(page) {
  await page.evaluate(() => {
    const boxes = app.graph.nodes.map((node) => [node.pos[0], node.pos[1] - 30, node.pos[0] + node.size[0], node.pos[1] + node.size[1]]);
    const low = [0, 1].map((axis) => Math.min(...boxes.map((box) => box[axis])));
    const high = [2, 3].map((axis) => Math.max(...boxes.map((box) => box[axis])));
    app.canvas.ds.fitToBounds([low[0] - 60, low[1] - 60, high[0] - low[0] + 120, high[1] - low[1] + 120]);
    app.canvas.setDirty(true, true);
  });
  await atRest(page);
}

/** Titles of encoders, hook and sampler that lie on each other, and names of text fields that do not stand in their node; waits for none. */
export const outOfPlace = async (page) => {
  const look = () => {
    const shown = (node) => {
      const drawn = document.querySelector(`[data-node-id="${node.id}"]`)?.getBoundingClientRect();
      if (LiteGraph.vueNodesMode && drawn) return [drawn.left, drawn.top, drawn.right, drawn.bottom];
      const low = app.canvas.ds.convertOffsetToCanvas([node.pos[0], node.pos[1] - 30]);
      const high = app.canvas.ds.convertOffsetToCanvas([node.pos[0] + node.size[0], node.pos[1] + node.size[1]]);
      const { left, top } = app.canvas.canvas.getBoundingClientRect();
      return [low[0] + left, low[1] + top, high[0] + left, high[1] + top];
    };
    const placed = app.graph.nodes.filter((node) => ["NegOptEncode", "NegOptSamplerHook", "KSampler"].includes(node.type));
    const boxes = placed.map(shown);
    const covers = ([l, t, r, b], [left, top, right, bottom]) => l < right && left < r && t < bottom && top < b;
    const covered = placed.filter((_, index) => boxes.some((box, other) => other !== index && covers(box, boxes[index])));
    const lost = placed.flatMap((node, index) => node.widgets.filter(({ element }) => {
      if (LiteGraph.vueNodesMode || !element || element.hidden) return false;
      const { left, top, right, bottom } = element.getBoundingClientRect();
      const [l, t, r, b] = boxes[index];
      return right <= left || left < l - 2 || top < t - 2 || right > r + 2 || bottom > b + 2;
    }));
    return [...covered.map((node) => node.title), ...lost.map((widget) => widget.name)];
  };
  for (let tries = 0; tries < 20 && (await page.evaluate(look)).length; tries += 1) await page.waitForTimeout(250);
  return page.evaluate(look);
};

/** A notice of the page, as older and newer ones draw it. */
export const NOTICE = ".p-toast-message, [data-toast-kind]";

/** Away with the notices; the next one is then that of the next click. */
export async function dismissNotices(page) {
  await page.evaluate(() => {
    app.extensionManager.toast.removeAll?.();
    for (const close of document.querySelectorAll(".p-toast-close-button, [data-toast-kind] button")) close.click();
  });
  await waitFor(page, (notice) => !document.querySelector(notice), NOTICE);
}

/** The value of a widget of a node. */
export const widget = (page, id, name) =>
  page.evaluate(([node, key]) => app.graph.getNodeById(node)?.widgets.find((one) => one.name === key)?.value, [id, name]);

/** Select one node and run a command. */
export async function command(page, id, name, rest = 300) {
  await page.evaluate(
    ([node, key]) => {
      app.canvas.deselectAll();
      app.canvas.selectNode(app.graph.getNodeById(node));
      app.extensionManager.command.execute(key); // not waited for: it may ask something first
    },
    [id, name],
  );
  await page.waitForTimeout(rest);
}

/** Wait until something is true in the page. */
export const waitFor = (page, test, given) => page.waitForFunction(test, given, { timeout: 120_000 });

/** One undo, as Ctrl+Z does it. */
export async function undo(page) {
  await page.evaluate(() => app.extensionManager.command.execute("Comfy.Undo"));
  await atRest(page);
}

/** Where an element is once it has stopped moving: nodes grow with what they show. */
export async function settled(locator) {
  let before = null;
  for (let look = 0; look < 40; look += 1) {
    const box = await locator.boundingBox();
    if (before && box && ["x", "y", "width", "height"].every((side) => Math.abs(box[side] - before[side]) < 0.5)) return box;
    before = box;
    await locator.page().waitForTimeout(250);
  }
  throw new Error("the element never stopped moving");
}
