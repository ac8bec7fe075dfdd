// The timeline, and what may not happen to texts.
import assert from "node:assert/strict";
import { finished, load, settled, undo, waitFor, widget } from "./browser.mjs";
import { example, HOSTILE, timeline } from "./graphs.mjs";

const TIMELINE = `a cat, at night[, misty:1-0.5:1], [oops:2:1], ${HOSTILE}`;

export const checks = {
  async a_bar_is_dragged_and_one_undo_reverts_it({ page, shot }) {
    await load(page, timeline(TIMELINE, 20, "blurry, [watermark:0-0.8:1.5]"));
    await page.locator(".negopt-bar").nth(6).waitFor();
    const box = await settled(page.locator(".negopt-bar").nth(2));
    await page.mouse.move(box.x + box.width - 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 1.5, box.y + 4, { steps: 5 });
    await page.mouse.up();
    await page.waitForTimeout(500);
    assert.equal(await widget(page, 1, "df_text"), TIMELINE.replace("1-0.5", "0.25-1"));
    await shot("timeline");
    await undo(page);
    assert.equal(await widget(page, 1, "df_text"), TIMELINE);
  },

  async keys_move_weigh_and_lock_a_bar({ page, shot }) {
    await load(page, timeline("a cat, dog", 20, ""));
    await page.locator(".negopt-bar").nth(1).focus();
    for (const key of ["Alt+ArrowRight", "Shift+ArrowLeft", "ArrowUp", "l", "ArrowDown", "Delete"]) await page.keyboard.press(key);
    assert.equal(await widget(page, 1, "df_text"), "a cat, [dog:0.05-0.95:1.05]");
    assert.equal(await page.evaluate(() => app.graph.nodes.length), 1);
  },

  async typing_in_the_text_moves_the_bars({ page, shot }) {
    await load(page, timeline("a cat", 20, ""));
    await page.locator(".negopt-bar").nth(0).waitFor();
    await page.locator("textarea").first().fill("a cat, [late:0.5-0:1], [broken:1");
    await page.locator(".negopt-problem mark").first().waitFor();
    assert.equal(await page.locator(".negopt-problem mark").first().innerText(), "[broken:1");
    assert.equal(await page.locator(".negopt-bar").count(), 3);
  },

  async no_text_becomes_html({ page, shot }) {
    await load(page, timeline(`${HOSTILE}, [${HOSTILE}:0-0.5:1], [${HOSTILE}`, 20, HOSTILE));
    await page.locator(".negopt-bar").nth(2).waitFor();
    assert.equal(await page.locator("img[src=x]").count(), 0);
    await load(page, example("one_click"));
    await page.evaluate((text) => (app.graph.getNodeById(2).widgets.find((one) => one.name === "prompt").value = text), HOSTILE);
    await page.getByText("write now").first().click();
    await page.locator(".negopt-chip").first().waitFor();
    assert.equal(await page.locator("img[src=x]").count(), 0);
  },

  async fifty_phrases_follow_a_key_quickly_and_100_kb_does_not_hang({ page, shot }) {
    const many = Array.from({ length: 50 }, (_, index) => `[phrase ${index}:0.5-0:1]`).join(", ");
    await load(page, timeline(many, 20, ""));
    await page.locator(".negopt-bar").nth(49).waitFor();
    const edit_ms = await page.evaluate(() => {
      const bar = document.querySelectorAll(".negopt-bar")[25];
      const began = performance.now();
      for (let turn = 0; turn < 40; turn += 1) {
        bar.dispatchEvent(new KeyboardEvent("keydown", { key: turn % 2 ? "ArrowLeft" : "ArrowRight", bubbles: true }));
      }
      return (performance.now() - began) / 40;
    });
    const huge = "a red ball, [x:0-0.5:1], [".repeat(4000);
    const huge_ms = await page.evaluate(async (text) => {
      app.graph.nodes[0].widgets[0].value = text;
      const began = performance.now();
      while (!document.querySelector(".negopt-empty")) await new Promise((done) => setTimeout(done, 20));
      return performance.now() - began;
    }, huge);
    return { edit_ms, huge_ms };
  },

  async our_scripts_load_and_texts_survive_saving({ page, shot }) {
    await load(page, timeline("a cat, [late:0.5-0:1]", 20, "dog"));
    const saved = await page.evaluate(() => app.graph.serialize().nodes[0].widgets_values);
    assert.deepEqual(saved, ["a cat, [late:0.5-0:1]", 20, "dog"]);
    const sent = await page.evaluate(async () => Object.keys((await app.graphToPrompt()).output["1"].inputs));
    assert.deepEqual(sent, ["df_text", "steps", "df_negative"]);
    return page.evaluate(() => {
      const ours = performance.getEntriesByType("resource").filter((one) => one.name.includes("/extensions/negopt/"));
      return { files: ours.length, bytes: ours.reduce((sum, one) => sum + one.encodedBodySize, 0) };
    });
  },

  async a_drag_that_changes_nothing_leaves_a_broken_bracket_as_it_was_typed({ page }) {
    await load(page, timeline("a cat, [oops:2:1]", 20, ""));
    const box = await settled(page.locator(".negopt-bar").nth(1));
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 + 6, box.y + box.height / 2, { steps: 3 });
    await page.mouse.up();
    await page.waitForTimeout(400);
    assert.equal(await widget(page, 1, "df_text"), "a cat, [oops:2:1]");
  },

  async an_encoder_shows_bars_for_its_windows_and_a_run_tells_their_percent({ page, shot }) {
    await load(page, example("scheduled_negative"));
    const lane = page.locator(".negopt-lane[data-side=negative]:visible").first();
    await lane.waitFor();
    assert.equal(await lane.locator(".negopt-bar").count(), 3);
    await page.evaluate(() => {
      const sampler = app.graph.nodes.find((node) => node.type === "KSampler");
      sampler.widgets.find((one) => one.name === "seed").value = Date.now(); // a cached picture has no run to tell of
    });
    await finished(page);
    await waitFor(page, () => [...document.querySelectorAll(".negopt-bar")].some((bar) => /percent 0/.test(bar.title)));
    const title = await lane.locator(".negopt-bar").nth(1).getAttribute("title");
    assert.match(title, /steps 0 to 9 of 20/);
    assert.match(title, /percent 0(\.00\d+)? to 0\.\d+/);
    await shot("encoder");
  },

  async a_copied_node_keeps_its_text_and_its_bars_are_its_own({ page }) {
    await load(page, timeline("a cat, [late:0.5-0:1]", 20, ""));
    await page.evaluate(() => {
      app.canvas.selectNode(app.graph.nodes[0]);
      app.canvas.copyToClipboard();
      app.canvas.pasteFromClipboard();
    });
    await waitFor(page, () => app.graph.nodes.length === 2 && document.querySelectorAll(".negopt-bar").length >= 4);
    const made = await page.evaluate(() => {
      const copy = app.graph.nodes[1];
      copy.widgets.find((one) => one.name === "df_text").value = "a dog";
      return app.graph.nodes[0].widgets.find((one) => one.name === "df_text").value;
    });
    assert.equal(made, "a cat, [late:0.5-0:1]");
    await waitFor(page, () => document.querySelectorAll(".negopt-bar").length === 3);
  },
};
