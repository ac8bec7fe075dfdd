"use strict";
const report = JSON.parse(document.getElementById("data").textContent);
const state = { metric: (report.metrics[0] || {}).name, sort: null, down: true };
const LEAST_P = 0.05;

function el(tag, attributes, ...children) {
  const svg = ["svg", "line", "circle", "path", "text", "g", "title"].includes(tag);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

const number = (value, digits = 3) => (value == null ? "–" : (+value.toFixed(digits)).toFixed(digits));
const signed = (value) => (value == null ? "–" : (value > 0 ? "+" : "") + number(value));
const span = (found) => (found && found.low != null ? ` [${number(found.low)}, ${number(found.high)}]` : "");
const rowsOf = (metric) => report.results.filter((row) => row.metric === metric);

const COLUMNS = [
  ["arm", (row) => row.arm, (row) => [row.arm]],
  ["mean", (row) => row.mean.value, (row) => [number(row.mean.value), el("small", {}, span(row.mean))]],
  ["difference", (row) => row.difference?.value, (row) => row.difference ? [mark(row), el("small", {}, span(row.difference))] : ["(reference)"]],
  ["effect (d)", (row) => row.effect, (row) => [row.difference ? number(row.effect, 2) : ""]],
  ["win rate", (row) => row.win_rate?.value, (row) => row.win_rate ? [number(row.win_rate.value, 2), el("small", {}, span(row.win_rate))] : [""]],
  ["p (Holm)", (row) => row.p_holm, (row) => [row.difference ? number(row.p_holm, 4) : ""]],
  ["pictures", (row) => row.pictures, (row) => [row.excluded ? `${row.pictures} (${row.excluded} left out)` : `${row.pictures}`]],
];

function mark(row) {
  const clear = row.p_holm != null && row.p_holm < LEAST_P;
  return el("span", { class: clear ? (row.difference.value > 0 ? "good" : "bad") : false }, signed(row.difference.value));
}

function table() {
  const rows = rowsOf(state.metric).slice();
  if (state.sort != null) {
    const value = COLUMNS[state.sort][1];
    rows.sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      if (a == null || b == null) return (a == null) - (b == null);
      return (typeof a === "string" ? a.localeCompare(b) : a - b) * (state.down ? -1 : 1);
    });
  }
  const head = COLUMNS.map(([name], index) => el("th", { "aria-sort": state.sort === index ? (state.down ? "descending" : "ascending") : "none" },
    el("button", { onclick: () => { state.down = state.sort === index ? !state.down : index > 0; state.sort = index; draw(); } },
      name + (state.sort === index ? (state.down ? " ▾" : " ▴") : ""))));
  return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ...head)),
    el("tbody", {}, ...rows.map((row) => el("tr", {}, ...COLUMNS.map(([, , cells]) => el("td", {}, ...cells(row))))))));
}

function scaler(values, from, to) {
  const low = Math.min(...values), high = Math.max(...values), width = high - low || 1;
  const scale = (value) => from + ((value - (low - 0.06 * width)) / (1.12 * width)) * (to - from);
  return Object.assign(scale, { low, high });
}

function ticks(low, high) {
  const step = [1, 2, 5, 10].map((n) => n * 10 ** Math.floor(Math.log10((high - low || 1) / 4))).find((n) => (high - low) / n <= 5.5);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-6; at += step) found.push(+at.toPrecision(10));
  return found;
}

function forest() {
  const rows = rowsOf(state.metric).filter((row) => row.difference && row.difference.low != null);
  if (!rows.length) return null;
  const height = 34 + 26 * rows.length, left = 330, right = 880;
  const x = scaler([0, ...rows.flatMap((row) => [row.difference.low, row.difference.high])], left, right);
  const parts = ticks(x.low, x.high).flatMap((at) => [el("line", { x1: x(at), x2: x(at), y1: 8, y2: height - 24 }), el("text", { x: x(at), y: height - 8, "text-anchor": "middle", class: "soft" }, `${at}`)]);
  parts.push(el("line", { x1: x(0), x2: x(0), y1: 4, y2: height - 24, "stroke-width": 2 }));
  rows.forEach((row, index) => {
    const y = 20 + 26 * index, found = row.difference;
    const name = row.arm.length > 46 ? row.arm.slice(0, 45) + "…" : row.arm;
    parts.push(el("text", { x: left - 12, y: y + 4, "text-anchor": "end" }, el("title", {}, row.arm), name), el("line", { class: "mark", x1: x(found.low), x2: x(found.high), y1: y, y2: y }),
      el("circle", { cx: x(found.value), cy: y, r: 4.5 }));
  });
  return el("svg", { viewBox: `0 0 900 ${height}`, width: 900, role: "img", "aria-label": `difference in ${state.metric} to ${report.reference}` }, ...parts);
}

function curve(sweep) {
  const rows = Object.fromEntries(rowsOf(state.metric).map((row) => [row.arm, row]));
  const points = sweep.points.map((point) => [100 * point.start, rows[point.arm]?.difference]).filter(([, found]) => found && found.low != null);
  if (points.length < 2) return null;
  const x = scaler(points.map(([at]) => at), 60, 620), y = scaler([0, ...points.flatMap(([, found]) => [found.low, found.high])], 230, 12);
  const line = (pick) => points.map(([at, found]) => `${x(at)},${y(pick(found))}`);
  const parts = ticks(y.low, y.high).flatMap((at) => [el("line", { x1: 60, x2: 620, y1: y(at), y2: y(at) }), el("text", { x: 52, y: y(at) + 4, "text-anchor": "end", class: "soft" }, `${at}`)]);
  parts.push(el("line", { x1: 60, x2: 620, y1: y(0), y2: y(0), "stroke-width": 2 }));
  parts.push(el("path", { class: "band", d: `M${line((found) => found.high).join("L")}L${line((found) => found.low).reverse().join("L")}Z` }));
  parts.push(el("path", { class: "mark", d: `M${line((found) => found.value).join("L")}` }));
  for (const [at, found] of points) parts.push(el("circle", { cx: x(at), cy: y(found.value), r: 4 }), el("text", { x: x(at), y: 252, "text-anchor": "middle", class: "soft" }, `${at} %`));
  return el("figure", { style: "width:auto" }, el("svg", { viewBox: "0 0 640 262", width: 640, role: "img" }, ...parts),
    el("figcaption", {}, `${sweep.arm}: its ${sweep.side === "negative" ? "negative phrases" : "modifiers"} begin at this share of the run. Difference in ${state.metric} to "${report.reference}", with its 95 % interval.`));
}

function setTable() {
  if (!report.sets.length) return [];
  const names = [...new Set(report.sets.map((row) => row.metric))];
  const cell = (arm, metric) => { const row = report.sets.find((one) => one.arm === arm && one.metric === metric); return row ? number(row.value) + (row.spread == null ? "" : ` ± ${number(row.spread)}`) : ""; };
  const arms = [...new Set(report.sets.map((row) => row.arm))];
  return [el("h2", {}, "Measures of whole sets"), el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, el("th", {}, "arm"), ...names.map((name) => el("th", {}, name)))),
    el("tbody", {}, ...arms.map((arm) => el("tr", {}, el("td", {}, arm), ...names.map((name) => el("td", {}, cell(arm, name))))))))];
}

/** Each kind of prompt of the set: the reference's mean, and the others' paired difference to it. */
function groupTable() {
  const rows = (report.groups || []).filter((row) => row.metric === state.metric);
  if (!rows.length) return [];
  const counts = new Map(rows.map((row) => [row.group, row.prompts]));
  const cells = (row) => row.difference ? [signed(row.difference.value), el("small", {}, span(row.difference))] : [number(row.mean.value), el("small", {}, span(row.mean))];
  const arms = [...new Set(rows.map((row) => row.arm))].map((arm) => [arm, new Map(rows.filter((row) => row.arm === arm).map((row) => [row.group, row]))]);
  return [el("h2", {}, "By kind of prompt"), el("p", {}, `${state.metric}: mean of "${report.reference}", difference to it of the other arms; in brackets the 95 % interval, which is not adjusted for the number of kinds.`),
    el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ...["kind (prompts)", ...arms.map(([arm]) => arm)].map((name) => el("th", {}, name)))),
      el("tbody", {}, ...[...counts].map(([group, count]) => el("tr", {}, el("td", {}, `${group || "(none)"} (${count})`), ...arms.map(([, found]) => el("td", {}, ...cells(found.get(group)))))))))];
}

function absent() {
  const names = Object.keys(report.absent);
  return names.length ? [el("h2", {}, "Not measured"), el("ul", {}, ...names.map((name) => el("li", {}, `${name}: ${report.absent[name]}`)))] : [];
}

function humans() {
  if (!report.votes || !report.votes.length) return [];
  const row = (one) => el("tr", {}, el("td", {}, one.arm), el("td", {}, number(one.win_rate.value, 2), el("small", {}, span(one.win_rate))), el("td", {}, `${one.ballots}`));
  return [el("h2", {}, `People's votes: preferred to "${report.reference}"`), el("table", {}, el("thead", {}, el("tr", {}, ...["arm", "win rate", "ballots"].map((name) => el("th", {}, name)))), el("tbody", {}, ...report.votes.map(row)))];
}

function draw() {
  const chooser = el("select", { "aria-label": "metric", onchange: (event) => { state.metric = event.target.value; draw(); } },
    ...report.metrics.map((metric) => el("option", { selected: metric.name === state.metric }, metric.name)));
  const curves = report.sweeps.map(curve).filter(Boolean);
  document.getElementById("numbers")?.remove();
  const numbers = el("section", { id: "numbers" }, el("h2", {}, "Scores"), el("div", { class: "bar" }, el("label", {}, "metric "), chooser), table(),
    ...(forest() ? [el("h2", {}, `Difference in ${state.metric} to "${report.reference}"`), el("div", { class: "scroll" }, forest())] : []),
    ...(curves.length ? [el("h2", {}, "When words begin to act"), ...curves] : []),
    ...groupTable(), ...setTable(), ...humans(), ...absent(), el("h2", {}, "How to read this"), el("ul", {}, ...report.notes.map((note) => el("li", {}, note))));
  document.getElementById("main").prepend(numbers);
}

document.getElementById("about").textContent = report.about;
draw();
wall();
