// Keeps what a prompt-writing node wrote in the node itself, so that it is saved with the workflow and can be edited.

const WRITERS = new Set(["NegOptSuggest", "NegOptOneClick"]);
const TEXTS = { locked_positive: "negopt_positive", locked_negative: "negopt_negative" };

export const widgetOf = (node, name) => node.widgets?.find((widget) => widget.name === name);

export const isWriter = (node) => WRITERS.has(node.comfyClass);

/** Whether a node is locked; where a link or a subgraph's widget says it, only the run knows. */
const mayBeLocked = (node) =>
  Boolean(widgetOf(node, "locked")?.value || node.inputs?.some((input) => input.name === "locked" && input.link != null));

/** Show written texts in an unlocked node. */
export function showTexts(node, texts) {
  if (widgetOf(node, "locked")?.value) return;
  for (const [name, text] of Object.entries(texts)) {
    const widget = widgetOf(node, name);
    if (!widget) continue;
    widget.value = text;
    widget.callback?.(text);
  }
}

/** Hook a node so that its texts follow each run; `onRecord(node, record)` is told where they come from. */
export function keepTexts(node, onRecord) {
  if (!isWriter(node)) return;
  for (const name of Object.keys(TEXTS)) {
    const widget = widgetOf(node, name);
    if (!widget) continue;
    if (widget.element && widget.label) widget.element.placeholder = widget.label; // the classic canvas shows it while empty
    // An unlocked node ignores these texts. Sent empty, they cannot make ComfyUI run the graph again.
    widget.serializeValue = () => (mayBeLocked(node) ? widget.value : "");
  }
  const before = node.onExecuted;
  node.onExecuted = function (output) {
    before?.apply(this, arguments);
    const told = Object.entries(TEXTS).filter(([, key]) => output?.[key]);
    showTexts(node, Object.fromEntries(told.map(([name, key]) => [name, output[key][0]])));
    if (output?.negopt_record) onRecord(node, output.negopt_record[0]);
  };
}
