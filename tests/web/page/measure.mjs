// What the page costs: `node measure.mjs URL classic|vue`. Prints one JSON object; tests/web/measure_page.py runs it.
// Times are of the main thread, taken in the page; a figure is the median of its runs.
import { stock, timeline } from "./graphs.mjs";
import { command, load, open, ready, settled } from "./browser.mjs";

const [url, mode] = process.argv.slice(2);
const RUNS = 7;
const DRAG_MOVES = 120;

const median = (values) => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)];

/** Main-thread time of our scripts while ComfyUI's page starts, in a new tab each time: compiling and running our modules. */
async function loading(context) {
  const times = [];
  for (let run = 0; run < 3; run += 1) {
    const tab = await context.newPage();
    const session = await context.newCDPSession(tab);
    await session.send("Profiler.enable");
    await session.send("Profiler.setSamplingInterval", { interval: 100 });
    await session.send("Profiler.start");
    await ready(tab, url);
    const { profile } = await session.send("Profiler.stop");
    times.push(ourTime(profile));
    await tab.close();
  }
  return { page_load_ms: median(times) };
}

/** Milliseconds of samples whose own frame is in one of our files. */
function ourTime({ nodes, samples, timeDeltas }) {
  const ours = new Set(nodes.filter((node) => node.callFrame.url.includes("/extensions/negopt/")).map((node) => node.id));
  return samples.reduce((sum, id, index) => sum + (ours.has(id) ? timeDeltas[index] : 0), 0) / 1000;
}

/** From the command to the filled text, policy warm. */
async function clicking(page) {
  const times = [];
  for (let run = 0; run < RUNS; run += 1) {
    await stock(page);
    const began = Date.now();
    await command(page, 2, "negopt.writeNegative", 0);
    await page.waitForFunction(() => app.graph.getNodeById(3).widgets[0].value !== "my own words", null, { polling: 5 });
    times.push(Date.now() - began);
  }
  return { one_click_ms: median(times.slice(1)) };
}

/**
 * A drag over 50 bars: for each move of the pointer, what we do with it (the text is changed, read again and drawn) and the
 * browser's own style and layout after it. Painting is the graphics card's work and is left out: here there is none.
 */
async function dragging(page) {
  const many = Array.from({ length: 50 }, (_, index) => `[phrase ${index}:0.5-0:1]`).join(", ");
  await load(page, timeline(many, 100, ""));
  const bar = page.locator(".negopt-bar").nth(25);
  await settled(bar);
  const times = await page.evaluate(async (moves) => {
    const element = document.querySelectorAll(".negopt-bar")[25];
    const edge = element.querySelector("[data-edge=start]");
    const box = element.getBoundingClientRect();
    const send = (type, x) =>
      (type === "pointerdown" ? edge : element).dispatchEvent(
        new PointerEvent(type, { bubbles: true, button: 0, pointerId: 1, clientX: x, clientY: box.y + 3, isPrimary: true }));
    const found = [];
    // our work runs in an animation frame that the move asks for: timed there, the page's own frames are not counted
    const real = window.requestAnimationFrame;
    const timed = (work) =>
      real.call(window, (now) => {
        const began = performance.now();
        work(now);
        void element.offsetWidth; // style and layout of what changed
        found.push(performance.now() - began);
      });
    send("pointerdown", box.x);
    for (let move = 1; move <= moves; move += 1) {
      window.requestAnimationFrame = timed;
      send("pointermove", box.x - (move % 60) * (box.width / 60));
      window.requestAnimationFrame = real;
      await new Promise((done) => real.call(window, () => setTimeout(done)));
    }
    send("pointerup", box.x);
    return found;
  }, DRAG_MOVES);
  const sorted = [...times].sort((one, other) => one - other);
  return { drag_frame_ms: median(times), drag_frame_p95_ms: sorted[Math.floor(0.95 * sorted.length)], drag_frames: times.length };
}

/** 100 kB of broken text until it is drawn. */
async function flooding(page) {
  await load(page, timeline("a cat", 20, ""));
  const huge = "a red ball, [x:0-0.5:1], [".repeat(4000);
  const took = await page.evaluate(async (text) => {
    const began = performance.now();
    app.graph.nodes[0].widgets[0].value = text; // may draw at once, or at the next look
    while (document.querySelectorAll(".negopt-bar").length < 400) await new Promise((done) => setTimeout(done, 5));
    return performance.now() - began;
  }, huge);
  return { hundred_kb_ms: took };
}

const { browser, context, page } = await open(url, { "Comfy.VueNodes.Enabled": mode === "vue" });
const told = { mode, ...(await clicking(page)), ...(await dragging(page)), ...(await flooding(page)), ...(await loading(context)) };
console.log(`@${JSON.stringify(told)}`);
await browser.close();
