// What a person does in the page, checked in a real Chromium: `node run.mjs URL classic|vue FOLDER [PATTERN]`.
// Prints one line of JSON for each check; pictures go into FOLDER.
import { open } from "./browser.mjs";

const FILES = ["click", "graphs", "texts", "timeline", "review", "side", "newcomer", "templates", "audit"];

const [url, mode, folder, pattern = ""] = process.argv.slice(2);
const { browser, context, page, errors } = await open(url, { "Comfy.VueNodes.Enabled": mode === "vue" });

const PATIENCE = 300_000; // ms for one check; most take three seconds on a quiet machine

const tooLong = () => new Promise((_, fail) => setTimeout(() => fail(new Error("the check hangs")), PATIENCE).unref());

async function run(name, check) {
  let fault = null;
  const began = performance.now();
  let told;
  try {
    const given = { page, context, url, shot: (what) => page.screenshot({ path: `${folder}/${mode}-${what}.png` }) };
    told = await Promise.race([check(given), tooLong()]);
  } catch (error) {
    fault = String(error?.stack ?? error).slice(0, 1500);
    await page.screenshot({ path: `${folder}/${mode}-FAULT-${name}.png` }).catch(() => {});
  }
  // where a refusal is wanted, the browser lists it; where the server is taken away, the page's own requests fail
  const ours = errors.filter((error) => !name.includes("gone") && !/status of 4(00|04|09|22)/.test(error));
  if (!fault && ours.length) fault = `the console shows: ${ours.join("\n")}`;
  errors.length = 0;
  console.log(`@${JSON.stringify({ check: name, fault, told, seconds: Math.round(performance.now() - began) / 1000 })}`);
}

for (const file of FILES) {
  const { checks } = await import(`./checks_${file}.mjs`);
  for (const [name, check] of Object.entries(checks)) {
    if (new RegExp(pattern).test(name)) await run(name, check);
  }
}
await browser.close();
