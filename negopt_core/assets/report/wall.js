"use strict";
function picture(entry, extra) {
  const image = report.images[entry.key];
  return el("img", { src: image.src, class: image.small && "small", alt: extra || "", loading: "lazy", draggable: "false" });
}

function wall() {
  const shown = [...new Set(report.pictures.filter((one) => report.images[one.key]).map((one) => `${one.prompt} ${one.seed}`))];
  const section = el("section", {});
  document.getElementById("main").append(section);
  const dialog = el("dialog", { onclick: () => dialog.close() });
  let blind = false, query = "";
  const list = el("div", {});
  const entries = (place) => report.pictures.filter((one) => `${one.prompt} ${one.seed}` === place && report.images[one.key]);
  const texts = (entry) => report.arms.find((arm) => arm.name === entry.arm).texts[entry.prompt];

  function open(entry) {
    const written = texts(entry);
    dialog.replaceChildren(picture(entry), el("p", {}, `${entry.arm}, seed ${entry.seed}`), el("p", {}, `positive: ${written.positive}`), el("p", {}, `negative: ${written.negative || "(none)"}`),
      el("p", {}, Object.entries(entry.scores).map(([name, value]) => `${name} ${number(value)}`).join("  ")));
    dialog.showModal();
  }
  function browse() {
    const rows = shown.filter((place) => report.prompts[+place.split(" ")[0]].toLowerCase().includes(query.toLowerCase()));
    list.replaceChildren(...rows.map((place) => {
      const cells = entries(place).map((entry) => el("figure", {},
        el("button", { class: "pick", onclick: () => open(entry), "aria-label": `enlarge ${entry.arm}` }, picture(entry, entry.arm)),
        el("figcaption", {}, entry.arm, state.metric ? `, ${state.metric} ${number(entry.scores[state.metric], 2)}` : "")));
      return el("div", { class: "row" }, el("p", {}, report.prompts[+place.split(" ")[0]]), el("div", { class: "cells" }, ...cells));
    }));
  }
  const search = el("input", { type: "search", placeholder: "find a prompt", oninput: (event) => { query = event.target.value; browse(); } });
  const toggle = el("button", { "aria-pressed": "false", onclick: () => { blind = !blind; toggle.setAttribute("aria-pressed", `${blind}`); search.hidden = blind; blind ? rank(list, shown, entries) : browse(); } }, "Rank blind");
  const omitted = new Set(report.pictures.map((one) => `${one.prompt} ${one.seed}`)).size - shown.length;
  section.append(el("h2", {}, "Pictures"), el("p", {}, omitted ? `The first ${shown.length} rows; ${omitted} more are in the folder beside this page.` : ""), el("div", { class: "bar" }, search, toggle), list, dialog);
  document.addEventListener("change", () => { if (!blind) browse(); });
  browse();
}

// The arms of a row in an order of their own: it depends on the page and the row, so that a reload changes nothing.
function shuffled(items, text) {
  let hash = 2166136261;
  const next = () => { hash ^= hash << 13; hash ^= hash >>> 17; hash ^= hash << 5; return (hash >>> 0) / 4294967296; };
  for (const letter of text) hash = Math.imul(hash ^ letter.codePointAt(0), 16777619);
  hash = hash || 1;
  for (let skip = 0; skip < 8; skip++) next();
  const found = items.slice();
  for (let i = found.length - 1; i > 0; i--) { const j = Math.floor(next() * (i + 1)); [found[i], found[j]] = [found[j], found[i]]; }
  return found;
}

function rank(list, places, entries) {
  const slot = `negopt-votes-${report.id}`, voterSlot = `negopt-voter-${report.id}`;
  const anybody = () => [...crypto.getRandomValues(new Uint8Array(8))].map((one) => one.toString(16).padStart(2, "0")).join("");
  let votes = {}, at = 0, order = [], voter = anybody();  // a random number for this page only: it tells ballots of one voter, not who that is
  try { votes = JSON.parse(localStorage.getItem(slot)) || {}; voter = localStorage.getItem(voterSlot) || voter; } catch { votes = {}; }
  const chosen = new Set(report.arms.slice(0, 4).map((arm) => arm.name));
  const keep = () => { try { localStorage.setItem(slot, JSON.stringify(votes)); localStorage.setItem(voterSlot, voter); } catch { /* a page opened from disk may have no storage: votes live until it is closed */ } };
  const isOpen = (place) => !votes[place];
  const seek = () => { const next = places.findIndex(isOpen); at = next < 0 ? places.length : next; order = []; };

  function save(place, ranking, cards) {
    const [prompt, seed] = place.split(" ").map(Number);
    votes[place] = { prompt, seed, shown: cards.map((card) => card.arm), ranking };
    keep(); seek(); show();
  }
  function exported() {
    keep();
    const content = JSON.stringify({ kind: "negopt-votes", schema: 1, report: report.id, voter, votes: Object.values(votes) }, null, 1);
    const link = el("a", { href: URL.createObjectURL(new Blob([content], { type: "application/json" })), download: `votes-${report.id}.json` });
    link.click(); URL.revokeObjectURL(link.href);
  }
  function bar(buttons) {
    const arms = el("details", {}, el("summary", {}, `${chosen.size} arms`), ...report.arms.map((arm) => el("div", {}, el("label", {}, el("input", { type: "checkbox", checked: chosen.has(arm.name), onchange: (event) => { event.target.checked ? chosen.add(arm.name) : chosen.delete(arm.name); order = []; show(); } }), ` ${arm.name}`))));
    const count = Object.keys(votes).length;
    return el("div", { class: "bar" }, ...buttons, el("span", {}, `${count} of ${places.length} voted`), el("button", { disabled: !count, onclick: exported }, "Export votes"),
      el("button", { disabled: !count, onclick: () => { if (confirm("Forget all votes of this page?")) { votes = {}; voter = anybody(); keep(); seek(); show(); } } }, "Start over"), arms);
  }
  function show() {
    if (at >= places.length) { list.replaceChildren(el("p", {}, "Every row has a vote. Export them, and give the file to `eval --votes`."), bar([])); return; }
    const place = places[at];
    const cards = shuffled(entries(place).filter((entry) => chosen.has(entry.arm)), `${report.id} ${place}`);
    const pick = (card) => { order = order.includes(card.arm) ? order.filter((arm) => arm !== card.arm) : [...order, card.arm]; show(); };
    const cells = cards.map((card, index) => el("figure", {}, el("button", { class: "pick", onclick: () => pick(card), "aria-label": `picture ${index + 1}` }, picture(card),
      order.includes(card.arm) ? el("span", { class: "rank" }, `${order.indexOf(card.arm) + 1}`) : null)));
    list.replaceChildren(el("p", {}, "Click the pictures from best to worst; names are hidden and the order is shuffled. Pictures left over count as equal last."),
      bar([el("button", { disabled: !order.length, onclick: () => save(place, order, cards) }, "Save vote"), el("button", { onclick: () => save(place, [], cards) }, "No difference")]),
      el("div", { class: "row" }, el("p", {}, report.prompts[+place.split(" ")[0]]), el("div", { class: "cells" }, ...cells)));
  }
  seek(); show();
}
