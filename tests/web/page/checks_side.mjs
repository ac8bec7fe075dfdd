// Settings, and the sidebar with its policies.
import assert from "node:assert/strict";
import { answer } from "./browser.mjs";
import { zipOf } from "./zip.mjs";
import { HOSTILE } from "./graphs.mjs";

const TAB = ".negopt-tab-button, [aria-label*='negopt'], .side-bar-button:has(.pi-book)";

const cardOf = (page, name) =>
  page.locator(".negopt-card").filter({ has: page.locator(".negopt-name", { hasText: new RegExp(`^${name}$`) }) });

export const checks = {
  async the_sidebar_lists_policies_and_shows_a_card({ page, shot }) {
    await page.locator(TAB).first().click();
    await page.locator(".negopt-card").first().waitFor();
    assert.deepEqual((await page.locator(".negopt-list > .negopt-card .negopt-name").allInnerTexts()).slice(0, 2), ["negopt", "negopt-scheduled"]);
    await page.locator(".negopt-further > summary").click();
    const names = await page.locator(".negopt-name").allInnerTexts();
    assert.ok(names.includes("rules") && !names.some((name) => name.includes(":")), `listed: ${names}`);
    assert.equal(names[0], "negopt");
    const told = await page.locator(".negopt-about").allInnerTexts();
    assert.ok(told.length === names.length && told.every((one) => one.endsWith(".")), `said: ${told}`);
    await cardOf(page, "rules").locator("summary").click();
    await page.locator(".negopt-card dd", { hasText: "rules:sdxl" }).waitFor();
    await page.locator(".negopt-card dd", { hasText: "a negative and modifiers" }).waitFor();
    await page.locator(".negopt-card dt", { hasText: /^made by$/ }).waitFor();
    await shot("sidebar");
    const keys = await page.locator(".negopt-card dt").allInnerTexts();
    assert.ok(!keys.some((key) => /_|^(kind|polarity|caveats|provenance)$/.test(key)), `named: ${keys}`);
    await cardOf(page, "rules").getByText("use this").click();
    await cardOf(page, "rules").getByText("in use").waitFor();
    assert.equal(await page.evaluate(() => app.extensionManager.setting.get("negopt.policy")), "rules");
    await page.evaluate(() => app.extensionManager.setting.set("negopt.policy", "automatic"));
    await page.locator(TAB).first().click();
  },

  async settings_are_there_and_new_nodes_start_with_them({ page, shot }) {
    const made = await page.evaluate(async () => {
      await app.extensionManager.setting.set("negopt.policy", "rules:sdxl");
      await app.extensionManager.setting.set("negopt.mode", "negative");
      const node = LiteGraph.createNode("NegOptOneClick");
      await app.extensionManager.setting.set("negopt.policy", "");
      await app.extensionManager.setting.set("negopt.mode", "negative and modifiers");
      return ["policy", "mode"].map((name) => node.widgets.find((one) => one.name === name).value);
    });
    assert.deepEqual(made, ["rules:sdxl", "negative"]);
  },

  async a_policy_is_imported_shown_as_plain_text_and_deleted({ page, shot }) {
    const card = { format_version: 1, kind: "static", name: HOSTILE, licence: HOSTILE, settings: { negative: "blurry" } };
    await page.locator(TAB).first().click();
    await page.locator(".negopt-card").first().waitFor();
    const file = { name: "brought.zip", mimeType: "application/zip", buffer: zipOf({ "policy.json": JSON.stringify(card) }) };
    await page.locator(".negopt-form input[type=file]").setInputFiles(file);
    await page.getByText("The policy brought was imported").first().waitFor();
    const entry = cardOf(page, "brought");
    await entry.locator("summary").click();
    await entry.locator("dd").first().waitFor();
    assert.equal(await page.locator("img[src=x]").count(), 0);
    await shot("imported");
    await page.locator(".negopt-form input[type=file]").setInputFiles(file);
    await page.getByText("exists already").first().waitFor();
    await entry.locator(".negopt-button", { hasText: "delete" }).click();
    await answer(page, "Yes");
    await entry.waitFor({ state: "detached" });
    await page.locator(TAB).first().click();
  },

  async a_pull_that_cannot_work_is_said_in_words({ page }) {
    await page.locator(TAB).first().click();
    await page.locator(".negopt-field").fill("no such name");
    await page.locator(".negopt-form button[type=submit]").click();
    await answer(page, "Yes");
    await page.getByText("is written hf:owner/name").first().waitFor();
    await page.locator(TAB).first().click();
  },
};
