// An audit and a tune on the demo model: begun in the panel, painted by the user's own graph, paused, taken up again, used.
import assert from "node:assert/strict";
import { answer, command, ready, undo, waitFor, widget } from "./browser.mjs";
import { stock } from "./graphs.mjs";

const PANEL = ".negopt-learn";
const SLOW = { timeout: 240_000 };
const FAULTS = "blurry, noisy, striped";

/** The demo graph with a negative that has phrases, its panel open. */
async function opened(page, kind, negative = FAULTS) {
  await stock(page, 5, "a photo of a red ball in the snow by day");
  await page.evaluate((words) => {
    app.graph.getNodeById(3).widgets.find((one) => one.name === "text").value = words;
    app.graph.getNodeById(4).widgets.find((one) => one.name === "steps").value = 2; // how good the pictures are does not matter here
    app.extensionManager.workflow.activeWorkflow.changeTracker.captureCanvasState?.();
    app.extensionManager.workflow.activeWorkflow.changeTracker.checkState?.();
  }, negative);
  await command(page, 3, `negopt.${kind}`);
  await page.locator(PANEL).waitFor();
  await page.locator(`${PANEL} textarea`).waitFor();
}

const panelButton = (page, name) => page.locator(PANEL).getByRole("button", { name, exact: true });
const progress = (page) => page.locator(".negopt-learn-progress").innerText();
const queued = (page) => page.evaluate(async () => Object.values(await (await fetch("/api/queue")).json()).flat().length);

async function closed(page) {
  await page.locator(`${PANEL} .negopt-head .negopt-button`).first().click();
  await page.locator(PANEL).waitFor({ state: "detached" });
}

export const checks = {
  async an_audit_of_32_pictures_pauses_goes_on_and_its_list_is_used_and_undone({ page, shot }) {
    await opened(page, "audit");
    assert.deepEqual(await page.locator(`${PANEL} .negopt-chip`).allInnerTexts(), FAULTS.split(", "));
    const judges = await page.locator(`${PANEL} select`).first().locator("option").allInnerTexts();
    assert.deepEqual(judges, ["demo world", "my clicks"]);
    await page.locator(`${PANEL} textarea`).fill("a photo of a red ball in the snow by day\na painting of a blue cube at night");
    await page.locator(`${PANEL} input[type=number]`).fill("32");
    await shot("audit-setup");
    const older = await page.evaluate(async () => Object.keys(await (await fetch("/api/history")).json()));
    await panelButton(page, "start").click();
    await waitFor(page, () => document.querySelectorAll(".negopt-wall img").length > 2);
    assert.ok((await queued(page)) <= 2, "at most two of ours are queued");
    await panelButton(page, "pause").click();
    await panelButton(page, "go on").waitFor();
    await page.waitForTimeout(2500);
    assert.equal(await queued(page), 0);
    const before = await progress(page);
    assert.match(before, /paused/);
    await closed(page);
    await command(page, 3, "negopt.audit");
    await page.locator(".negopt-learn-earlier").getByRole("button", { name: "go on" }).first().click();
    await page.locator(".negopt-effect").first().waitFor(SLOW);
    await shot("audit-running");
    await page.locator(".negopt-outcome").waitFor(SLOW);
    await page.locator(".negopt-effect summary").first().click();
    await page.locator(".negopt-pairs img").first().waitFor();
    await waitFor(page, () => [...document.querySelectorAll(".negopt-wall img, .negopt-effect[open] img")].every((one) => one.complete && one.naturalWidth));
    await shot("audit-result");
    assert.equal(await page.locator(".negopt-effect").count(), 3);
    const files = await page.evaluate(async () => (await (await fetch("/api/history")).json()));
    for (const one of older) delete files[one];
    assert.ok(Object.values(files).every((one) => Object.values(one.outputs).flatMap((out) => out.images ?? []).every((image) => image.type === "temp" || image.filename.startsWith("ComfyUI"))));
    if (await panelButton(page, "use it").count()) {
      await panelButton(page, "use it").click();
      const used = await widget(page, 3, "text");
      assert.ok(used.length < FAULTS.length, used);
      await undo(page);
      assert.equal(await widget(page, 3, "text"), FAULTS);
    }
    await closed(page);
  },

  async clicks_judge_an_audit_and_a_stopped_one_leaves_the_queue_empty({ page, shot }) {
    await opened(page, "audit");
    await page.locator(`${PANEL} select`).first().selectOption("clicks");
    await page.locator(`${PANEL} input[type=number]`).fill("32");
    await panelButton(page, "start").click();
    for (let count = 0; count < 3; count += 1) {
      await page.locator(".negopt-choice").nth(count % 2).click(SLOW);
      await waitFor(page, (told) => document.querySelector(".negopt-learn-progress")?.innerText.includes(told), `${count + 1} clicks`);
    }
    await panelButton(page, "no difference").click();
    await shot("audit-clicks");
    await panelButton(page, "stop").click();
    await answer(page, "Yes");
    await page.locator(`${PANEL} textarea`).waitFor();
    await waitFor(page, async () => Object.values(await (await fetch("/api/queue")).json()).flat().length === 0);
    await closed(page);
  },

  async a_graph_that_is_painted_before_the_page_knows_that_it_is_queued_counts({ page }) {
    await page.evaluate(() => {
      const { api } = window.comfyAPI.api;
      api.negoptQueue = api.queuePrompt;
      api.queuePrompt = async (...given) => {
        const painted = new Promise((heard) => api.addEventListener("executed", heard, { once: true }));
        const queued = await api.negoptQueue(...given);
        await Promise.race([painted, new Promise((late) => setTimeout(late, 3000))]);
        return queued;
      };
    });
    await opened(page, "audit");
    await panelButton(page, "start").click();
    await waitFor(page, () => document.querySelectorAll(".negopt-wall img").length > 3);
    await panelButton(page, "stop").click();
    await answer(page, "Yes");
    await page.locator(`${PANEL} textarea`).waitFor();
    await page.evaluate(() => (window.comfyAPI.api.api.queuePrompt = window.comfyAPI.api.api.negoptQueue));
    await closed(page);
  },

  async a_button_that_is_pressed_while_pictures_come_in_hears_the_click({ page }) {
    await opened(page, "audit");
    await panelButton(page, "start").click();
    await waitFor(page, () => document.querySelectorAll(".negopt-wall img").length > 1);
    const { x, y, width, height } = await panelButton(page, "pause").boundingBox();
    await page.mouse.move(x + width / 2, y + height / 2);
    const before = await page.locator(".negopt-wall img").count();
    await page.mouse.down();
    await waitFor(page, (count) => document.querySelectorAll(".negopt-wall img").length > count, before);
    await page.mouse.up();
    await panelButton(page, "go on").waitFor({ timeout: 10_000 });
    await panelButton(page, "stop").click();
    await answer(page, "Yes");
    await page.locator(`${PANEL} textarea`).waitFor();
    await closed(page);
  },

  async a_tune_shows_effects_while_it_paints_and_goes_on_in_a_page_that_was_loaded_anew({ page, context, url, shot }) {
    await opened(page, "tune");
    const words = ["a photo of a red ball in the snow by day", "a painting of a blue cube at night", "a photo of a green cone by day"];
    await page.locator(`${PANEL} textarea`).fill(words.join("\n"));
    await page.locator(`${PANEL} input[type=number]`).fill("64");
    await page.getByText("Weights and windows are not tried").waitFor();
    await panelButton(page, "start").click();
    await page.locator(".negopt-effect").first().waitFor(SLOW);
    await shot("tune-running");
    await panelButton(page, "pause").click();
    await panelButton(page, "go on").waitFor();
    const told = Number(/^\d+/.exec(await progress(page))[0]);
    await closed(page);
    const other = await context.newPage();
    await ready(other, url);
    await opened(other, "tune");
    await other.locator(".negopt-learn-earlier").getByRole("button", { name: "go on" }).first().click();
    await waitFor(other, (before) => Number(/^\d+/.exec(document.querySelector(".negopt-learn-progress")?.innerText)?.[0]) > before + 1, told);
    await panelButton(other, "stop").click();
    await answer(other, "Yes");
    await other.locator(`${PANEL} textarea`).waitFor();
    await other.close();
  },

  async what_cannot_be_audited_is_said_in_words({ page }) {
    await stock(page, 5, "a photo of a red ball");
    await page.evaluate(() => (app.graph.getNodeById(3).widgets.find((one) => one.name === "text").value = " "));
    await command(page, 3, "negopt.audit");
    await page.getByText("The negative is empty").first().waitFor();
    assert.equal(await page.locator(PANEL).count(), 0);
    await opened(page, "audit");
    await page.locator(`${PANEL} input[type=number]`).fill("8");
    await panelButton(page, "start").click();
    await page.getByText("audit needs 32 to").first().waitFor();
    await closed(page);
  },
};
