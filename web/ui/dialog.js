// A question with buttons that say what they do. Our own, because ComfyUI's has "Confirm" on them; the same on every page.
import { say } from "../host.js";
import { button, make } from "./style.js";

/**
 * Ask; the place of the chosen label, or -1 for cancel, Esc and a click beside it.
 * @param {string} title @param {string} message plain text @param {string[]} labels the last is what most people want
 */
export function choose(title, message, labels) {
  const dialog = make("dialog", "negopt-dialog");
  dialog.setAttribute("role", "dialog");
  dialog.setAttribute("aria-label", title);
  const row = make("div", "negopt-form");
  dialog.append(make("h3", "", title), make("p", "", message), row);
  return new Promise((answer) => {
    const end = (place) => {
      dialog.remove();
      answer(place);
    };
    row.append(...[say("dialog-cancel"), ...labels].map((label, place) => button(label, () => end(place - 1))));
    dialog.addEventListener("cancel", () => end(-1));
    dialog.addEventListener("click", (event) => event.target === dialog && end(-1)); // the dimmed page around it
    dialog.addEventListener("keydown", (event) => event.stopPropagation()); // keys are not the canvas's
    document.body.append(dialog);
    dialog.showModal();
    row.lastChild.focus();
  });
}

/** Ask whether to do what `label` says. */
export const confirm = async (title, message, label) => (await choose(title, message, [label])) === 0;
