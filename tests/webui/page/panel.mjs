// The accordion in a real Chromium on a real webui: `node panel.mjs URL FOLDER`. Prints one JSON object; pictures go
// into FOLDER. No request leaves this machine.
import { createRequire } from "node:module";

const { chromium } = createRequire(process.env.NEGOPT_PLAYWRIGHT + "/")("playwright-core");
const [url, folder] = process.argv.slice(2);
const ARGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"];
const LOCAL = ["127.0.0.1", "localhost"];
const SCREEN = { width: 1500, height: 1080 };
const DOCUMENT = { width: 1360, height: 1290 };
const LONG = Array.from({ length: 25 }, (_, at) => `[a phrase of some words ${at}:${at / 26}-${(at + 2) / 26}:1.1]`).join(", ");

const browser = await chromium.launch({ executablePath: process.env.NEGOPT_CHROMIUM, headless: true, args: ARGS });
const context = await browser.newContext({ viewport: SCREEN, reducedMotion: "reduce" });
const page = await context.newPage();
page.setDefaultTimeout(120_000);
const errors = [];
page.on("pageerror", (error) => errors.push(String(error).slice(0, 500)));
await context.route("**/*", (route) => {
  const to = new URL(route.request().url());
  return LOCAL.includes(to.hostname) || ["data:", "blob:"].includes(to.protocol) ? route.continue() : route.abort();
});

const ours = (name) => `#negopt_txt2img_${name}`;
const textOf = (name) => page.textContent(ours(name)).then((text) => (text ?? "").trim());
const says = (name, words) =>
  page.waitForFunction(([id, wanted]) => document.querySelector(id)?.textContent?.includes(wanted), [ours(name), words]);
const fill = (name, text) => page.fill(`${ours(name)} textarea`, text);
const unfold = (name) => page.locator(`${ours(name)} .label-wrap`).first().click();
const height = async () => Math.round((await page.locator(ours("accordion")).boundingBox()).height);

await page.goto(url, { waitUntil: "domcontentloaded" });
await page.waitForSelector("#txt2img_prompt textarea");
await page.waitForTimeout(3000); // the page fills in what was set last after it is there
await page.fill("#txt2img_prompt textarea", "a photo of a cat in the rain");
await page.fill("#txt2img_steps input[type=number]", "20"); // Forge Neo begins with another number
await page.press("#txt2img_steps input[type=number]", "Tab");
await unfold("accordion");
await page.waitForSelector(`${ours("positive")} textarea`, { state: "visible" });
const found = { opened: await height() };

await page.click(ours("write_negative"));
await says("line", "written by");
found.negative = await page.inputValue("#txt2img_neg_prompt textarea");
found.line = await textOf("line");

await fill("positive", "[vivid colours:0.5-1:1], [sharp focus:0-0.5:0.8], film grain");
await fill("negative", "[fog:0.2-0.8:1.2]");
await page.click(`${ours("enabled")} input`);
await says("times", "steps 5 to 16 of 20: (fog:1.2)");
await page.setViewportSize(DOCUMENT);
await page.mouse.move(1200, 1000);
await page.waitForTimeout(5000); // the host counts tokens by and by
found.times = await textOf("times");
await page.screenshot({ path: `${folder}/a1111.png` });

await page.setViewportSize(SCREEN);
await unfold("more");
await fill("positive", LONG);
await fill("negative", LONG);
await says("times", "a phrase of some words 24");
await page.locator(ours("accordion")).screenshot({ path: `${folder}/panel-long.png` });
found.longest = await height();

await page.click(`${ours("others")} input`);
await page.locator(`${ours("others")} [role=option], ${ours("others")} li, ul.options li`).filter({ hasText: /^\s*✓?\s*rules\s*$/ }).first().click();
await page.waitForFunction((id) => document.querySelector(id)?.value === "rules", `${ours("policy")} input`);
found.policy = await page.inputValue(`${ours("policy")} input`);
await page.waitForFunction((id) => document.querySelector(id)?.value === "", `${ours("others")} input`); // to choose it again
found.errors = errors;
console.log(JSON.stringify(found));
await browser.close();
