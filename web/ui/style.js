// Our style sheet; colours are ComfyUI's own, so that light and dark themes both work.

const SHEET = `
.negopt-timeline, .negopt-meter, .negopt-panel { color: var(--input-text, #ddd); font: 12px/1.3 Inter, Arial, sans-serif; box-sizing: border-box; }
.negopt-timeline[hidden], .negopt-lane[hidden] { display: none; }
.negopt-timeline { display: flex; flex-direction: column; gap: 4px; width: 100%; height: 100%; overflow: hidden auto;
  background: var(--comfy-input-bg, #222); border: 1px solid var(--border-color, #4e4e4e); border-radius: 6px; padding: 6px; }
.negopt-head { display: flex; justify-content: space-between; gap: 8px; color: var(--descrip-text, #999); flex: none; }
.negopt-timeline .negopt-head { flex-wrap: wrap; row-gap: 0; } .negopt-timeline .negopt-head span { min-width: 0; }
.negopt-lane { position: relative; flex: none; border-left: 3px solid var(--negopt-lane); padding: 2px 0; }
.negopt-lane[data-side=positive] { --negopt-lane: #4c9a6a; }
.negopt-lane[data-side=negative] { --negopt-lane: #b5604f; }
.negopt-rows { position: relative; margin: 0 6px;
  background: repeating-linear-gradient(to right, var(--border-color, #4e4e4e) 0 1.5px, transparent 1.5px var(--negopt-tick)); }
.negopt-row { position: relative; height: 22px; contain: strict; }
.negopt-bar { position: absolute; bottom: 1px; box-sizing: border-box; border-radius: 4px; overflow: hidden; min-width: 6px;
  background: color-mix(in srgb, var(--negopt-lane) 55%, var(--comfy-input-bg, #222)); border: 1px solid var(--negopt-lane);
  cursor: grab; touch-action: none; user-select: none; display: flex; align-items: center; }
.negopt-bar:focus-visible, .negopt-bar:focus { outline: 2px solid var(--p-primary-color, #4a9eff); outline-offset: -1px; }
.negopt-bar[aria-readonly=true] { cursor: default; border-style: dashed; }
.negopt-bar[data-never=true] { background: transparent; border-color: #d0a030; }
.negopt-label { position: absolute; left: 8px; bottom: 1px; max-width: calc(100% - 12px); white-space: pre; overflow: hidden;
  text-overflow: ellipsis; pointer-events: none; line-height: 15px; text-shadow: 0 0 3px var(--comfy-input-bg, #222); }
.negopt-label .pi { font-size: 10px; margin-right: 4px; }
.negopt-edge { position: absolute; top: 0; bottom: 0; width: 7px; cursor: ew-resize; }
.negopt-edge[data-edge=start] { left: 0; } .negopt-edge[data-edge=end] { right: 0; }
.negopt-hooks { flex: none; display: flex; flex-direction: column; gap: 3px; }
.negopt-hooks .negopt-finding { flex-wrap: wrap; }
.negopt-problem { display: block; width: 100%; text-align: left; font: inherit; color: inherit; background: none; cursor: pointer; flex: none;
  border: 0; border-left: 3px solid #d0a030; padding: 1px 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
.negopt-problem mark { background: #d0a030; color: #111; }
.negopt-empty { color: var(--descrip-text, #999); padding: 2px 8px; }
.negopt-meter { display: flex; flex-direction: column; gap: 2px; height: 100%; overflow: hidden auto;
  padding: 2px 4px; contain: size; }
.negopt-meter > * { flex: none; }
.negopt-finding { display: flex; gap: 6px; align-items: baseline; overflow-wrap: anywhere; }
.negopt-finding > span { flex: 1; }
.negopt-finding[data-severity=warning]::before { content: "▲"; color: #d0a030; }
.negopt-finding[data-severity=info]::before { content: "ℹ"; color: var(--descrip-text, #999); }
.negopt-finding[data-severity=good]::before { content: "✓"; color: #4c9a6a; }
.negopt-finding[data-severity=none] { align-items: center; }
.negopt-phrases { display: flex; flex-wrap: wrap; gap: 3px; }
.negopt-chip { display: inline-flex; gap: 3px; align-items: center; border-radius: 8px; padding: 0 2px 0 7px; max-width: 100%;
  overflow: hidden; background: var(--comfy-input-bg, #222); border: 1px solid #4c9a6a; }
.negopt-chip[data-side=negative] { border-color: #b5604f; }
.negopt-chip > span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.negopt-chip .negopt-button { padding: 0 3px; border: 0; background: none; }
.negopt-button { font: inherit; color: var(--input-text, #ddd); background: var(--comfy-menu-secondary-bg, var(--comfy-menu-bg, #353535));
  border: 1px solid var(--border-color, #4e4e4e); border-radius: 4px; padding: 1px 8px; cursor: pointer; flex: none; }
.negopt-button:hover { filter: brightness(1.2); }
.negopt-panel { padding: 12px; display: flex; flex-direction: column; gap: 8px; height: 100%; overflow: auto; }
.negopt-panel h3 { margin: 0; font-size: 14px; }
.negopt-list { display: flex; flex-direction: column; gap: 8px; }
.negopt-form { display: flex; flex-wrap: wrap; gap: 4px; }
.negopt-field { flex: 1 1 120px; min-width: 0; font: inherit; color: inherit; background: var(--comfy-input-bg, #222);
  border: 1px solid var(--border-color, #4e4e4e); border-radius: 4px; padding: 2px 6px; }
.negopt-progress progress { width: 100%; accent-color: var(--p-primary-color, #4a9eff); }
.negopt-origin { color: var(--descrip-text, #999); overflow-wrap: anywhere; display: flex; gap: 4px; align-items: center; }
.negopt-origin > span { flex: 1; min-width: 0; } .negopt-origin .negopt-button { padding: 0 5px; border: 0; background: none; }
.negopt-origin[hidden], .negopt-more[hidden] { display: none; } .negopt-more { margin-left: auto; border: 0; background: none; text-decoration: underline; }
.negopt-dialog { max-width: 440px; padding: 16px 18px; color: var(--input-text, #ddd); font: 14px/1.4 Inter, Arial, sans-serif;
  background: var(--comfy-menu-bg, #353535); border: 1px solid var(--border-color, #4e4e4e); border-radius: 10px; margin: auto; }
.negopt-dialog::backdrop { background: rgb(0 0 0 / 45%); } .negopt-dialog h3 { margin: 0 0 8px; font-size: 16px; }
.negopt-dialog p { margin: 0 0 14px; overflow-wrap: anywhere; white-space: pre-wrap; } .negopt-dialog .negopt-form { justify-content: flex-end; gap: 8px; }
.negopt-dialog .negopt-button { padding: 5px 12px; } .negopt-dialog .negopt-button:last-child { border-color: var(--p-primary-color, #4a9eff); }
.negopt-card { border: 1px solid var(--border-color, #4e4e4e); border-radius: 6px; padding: 8px; }
.negopt-card .negopt-head { color: inherit; align-items: center; } .negopt-name { overflow-wrap: anywhere; min-width: 0; }
.negopt-about { margin: 4px 0; } .negopt-used, .negopt-card summary { color: var(--descrip-text, #999); cursor: default; }
.negopt-card summary, .negopt-further > summary { cursor: pointer; } .negopt-further[open] > summary { margin-bottom: 8px; }
.negopt-card dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 10px; margin: 6px 0 0; overflow-wrap: anywhere; }
.negopt-learn { /* left: on the right are ComfyUI's own notices */ position: fixed; top: 96px; left: 76px; bottom: 24px; width: min(520px, 46vw); z-index: 900; overflow: hidden;
  background: var(--comfy-menu-bg, #353535); border: 1px solid var(--border-color, #4e4e4e); border-radius: 8px; height: auto; }
.negopt-learn[hidden] { display: none; } .negopt-learn > .negopt-head { align-items: center; color: inherit; }
.negopt-learn-body { display: flex; flex-direction: column; gap: 8px; overflow: auto; min-height: 0; align-items: stretch; }
.negopt-learn .negopt-chip { padding: 0 7px; } .negopt-learn-body > .negopt-button { align-self: flex-start; } .negopt-learn-body > * { flex: none; }
.negopt-learn-row { display: flex; flex-direction: column; gap: 3px; } .negopt-learn-row > .negopt-field { flex: none; }
.negopt-learn-progress progress { width: 100%; accent-color: var(--p-primary-color, #4a9eff); }
.negopt-learn-earlier .negopt-head { margin-top: 4px; }
.negopt-effects { display: flex; flex-direction: column; gap: 2px; }
.negopt-effect > summary { display: grid; grid-template-columns: 34% 1fr 24%; gap: 8px; align-items: center; cursor: pointer; }
.negopt-effect .negopt-verdict { color: var(--descrip-text, #999); } .negopt-effect { --negopt-effect: #8a8a8a; }
.negopt-effect[data-verdict=helps] { --negopt-effect: #4c9a6a; } .negopt-effect[data-verdict=hurts] { --negopt-effect: #b5604f; }
.negopt-track { position: relative; height: 14px; background: linear-gradient(to right, transparent calc(50% - .5px),
  var(--descrip-text, #999) 0 calc(50% + .5px), transparent 0), var(--comfy-input-bg, #222); border-radius: 3px; }
.negopt-track i { position: absolute; top: 4px; height: 6px; border-radius: 3px; background: var(--negopt-effect); opacity: .55; }
.negopt-track b { position: absolute; top: 2px; width: 4px; height: 10px; margin-left: -2px; border-radius: 2px; background: var(--negopt-effect); }
.negopt-wall { display: grid; grid-template-columns: repeat(auto-fill, minmax(64px, 1fr)); gap: 3px; }
.negopt-shot { width: 100%; display: block; border-radius: 3px; } .negopt-pair { display: grid; grid-template-columns: 1fr 1fr; gap: 6px; }
.negopt-pairs { display: flex; gap: 10px; padding: 4px 0; } .negopt-pair figure { margin: 0; } .negopt-pairs .negopt-pair { flex: 1; }
.negopt-pair figcaption { color: var(--descrip-text, #999); } .negopt-choice { padding: 3px; }
.negopt-clickable { display: flex; flex-direction: column; gap: 6px; } .negopt-clickable .negopt-form { align-items: center; justify-content: space-between; }
.negopt-outcome { display: flex; flex-direction: column; gap: 4px; border: 1px solid var(--border-color, #4e4e4e); border-radius: 6px; padding: 8px; }
.negopt-outcome .negopt-button { align-self: flex-start; }
.negopt-card dt { color: var(--descrip-text, #999); } .negopt-card dd { margin: 0; white-space: pre-wrap; }
`;

/** Put the sheet into the page, once. */
export function addStyle() {
  if (document.getElementById("negopt-style")) return;
  const sheet = make("style");
  sheet.id = "negopt-style";
  sheet.textContent = SHEET;
  document.head.append(sheet);
}

/** An element with a class and text; text is never read as HTML. */
export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** A button that says what it does, and that the canvas under it does not see. */
export function button(label, act, title = "") {
  const element = make("button", "negopt-button", label);
  element.type = "button";
  if (title) {
    element.title = title;
    element.setAttribute("aria-label", title);
  }
  element.addEventListener("click", (event) => {
    event.stopPropagation();
    act();
  });
  return element;
}

/** Do `work`; what goes wrong is told in words. */
export async function guarded(work, tell) {
  try {
    await work();
  } catch (error) {
    tell("error", String(error?.message ?? error));
  }
}
