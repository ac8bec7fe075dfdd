"use strict";
const report = JSON.parse(document.getElementById("data").textContent);
const add = (parent, tag, text = "", kind = "") => {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (kind) made.className = kind;
  parent.append(made);
  return made;
};
const number = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));
const interval = (one) => `${number(one.value)} [${number(one.low)}, ${number(one.high)}]`;
const kindOf = (verdict) => (verdict === "helps" || verdict === "hurts" ? verdict : "other");
const nameOf = (key) => `${key[0]}-${key[1].join("-")}`;

const bar = (parent, effect, reach, kind) => {
  const space = "http://www.w3.org/2000/svg";
  const place = (value) => 128 + 120 * Math.max(-1, Math.min(1, (value ?? 0) / reach));
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 256 20");
  const line = (x1, x2, y1, y2, width) => {
    const one = document.createElementNS(space, "line");
    for (const [name, value] of Object.entries({ x1, x2, y1, y2 })) one.setAttribute(name, value);
    one.setAttribute("stroke", "currentColor");
    one.setAttribute("stroke-width", width);
    svg.append(one);
  };
  line(128, 128, 0, 20, 0.5);
  line(place(effect.low), place(effect.high), 10, 10, 2);
  line(place(effect.value), place(effect.value), 4, 16, 4);
  add(parent, "span", "", kind).append(svg);
};

const picture = (parent, key, caption) => {
  const figure = add(parent, "figure");
  const image = add(figure, "img");
  image.src = report.images[nameOf(key)] ?? "";
  image.alt = caption;
  add(figure, "figcaption", caption);
};

const showPhrases = () => {
  const home = document.getElementById("phrases");
  add(home, "h2", "What each phrase does");
  add(home, "p", "Effect on the reward with its 95 % interval, averaged over the prompts and over what stands beside it.");
  const reach = Math.max(...report.phrases.map((row) => Math.abs(row.effect.value ?? 0) * 1.5), 0.1);
  const table = add(home, "table");
  const head = add(table, "tr");
  for (const title of ["phrase", "", "effect", "verdict", "pictures", "with and without"]) add(head, "th", title);
  for (const row of report.phrases) {
    const line = add(table, "tr");
    const when = row.window && (row.window[0] > 0 || row.window[1] < 1) ? `, steps ${row.window[0] * 100}–${row.window[1] * 100} %` : "";
    add(line, "td", row.text + (row.weight && row.weight !== 1 ? ` (weight ${row.weight}${when})` : when ? ` (${when.slice(2)})` : ""));
    bar(add(line, "td"), row.effect, reach, kindOf(row.verdict));
    add(line, "td", interval(row.effect));
    add(line, "td", row.verdict, kindOf(row.verdict));
    add(line, "td", String(row.pictures));
    const cell = add(line, "td");
    for (const [having, lacking] of row.examples) {
      const pair = add(cell, "span", "", "pair");
      picture(pair, having, "with");
      picture(pair, lacking, "without");
    }
  }
};

const showCheck = () => {
  const home = document.getElementById("check");
  add(home, "h2", "Last check, on new noise");
  if (report.checks === 0) {
    add(home, "p", "Comes when every phrase is decided or the pictures are used up.");
    return;
  }
  const table = add(home, "table");
  for (const [name, mean] of Object.entries(report.means)) {
    const line = add(table, "tr");
    add(line, "td", name);
    add(line, "td", `reward ${interval(mean)}`);
  }
  for (const [name, row] of Object.entries(report.differences)) {
    const line = add(table, "tr");
    add(line, "td", name);
    add(line, "td", `difference ${interval(row.difference)}, wins ${interval(row.win_rate)}, ${row.pairs} pairs`);
  }
  if (report.kind === "audit") {
    add(home, "p", report.drop.length ? `Can be dropped: ${report.drop.join(", ")}.` : "Nothing to drop was found.");
    add(home, "p", `Shortened: ${report.shortened || "(nothing)"}`);
  } else {
    const told = report.kept ? "What was learned wins over all of them and is kept." : "What was learned does not win over all of them: nothing was changed.";
    add(home, "p", told);
  }
};

const showScorers = () => {
  const names = Object.keys(report.scores);
  const rows = names.length > 1 ? Object.keys(report.scores[names[0]].differences) : [];
  if (!rows.length) return;
  const home = document.getElementById("check");
  add(home, "h3", "By each scorer alone");
  add(home, "p", "The same pictures. What one scorer gains, another may pay for.");
  const table = add(home, "table");
  const head = add(table, "tr");
  for (const title of ["", ...names]) add(head, "th", title);
  for (const row of rows) {
    const line = add(table, "tr");
    add(line, "td", row);
    for (const name of names) {
      const gap = report.scores[name].differences[row]?.difference;
      add(line, "td", gap ? interval(gap) : "–", gap?.low > 0 ? "helps" : gap?.high < 0 ? "hurts" : "other");
    }
  }
};

const showClicks = () => {
  const home = document.getElementById("clicks");
  if (!report.clickable.length) return;
  add(home, "h2", "Which is better?");
  add(home, "p", "Click the better picture of each pair, then export; the same command with --clicks FILE learns from it too.");
  const clicks = new Map();
  report.clickable.forEach(([keys, names], place) => {
    const row = add(home, "p");
    const buttons = keys.map((key, side) => {
      const button = add(row, "button", "", "pick");
      add(button, "img").src = report.images[names[side]] ?? "";
      button.addEventListener("click", () => {
        clicks.set(place, [key, keys[1 - side]]);
        buttons.forEach((one, other) => one.classList.toggle("chosen", other === side));
      });
      return button;
    });
  });
  const button = add(home, "button", "Export clicks");
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify({ clicks: [...clicks.values()] })], { type: "application/json" }));
    link.download = "clicks.json";
    link.click();
  });
};

document.getElementById("about").textContent = `${report.pictures} pictures, ${report.clicks} clicks; reward ${
  Object.entries(report.reward).map(([name, weight]) => `${weight} x ${name}`).join(" + ") || "by clicks only"}.`;
showCheck();
showScorers();
showPhrases();
showClicks();
