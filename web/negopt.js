// Keeps what a prompt-writing node wrote in the node itself, so that it is saved with the workflow and can be edited.
import { app } from "../../scripts/app.js";

const WRITERS = new Set(["NegOptSuggest", "NegOptOneClick"]);
const TEXTS = { locked_positive: "negopt_positive", locked_negative: "negopt_negative" };

const widgetOf = (node, name) => node.widgets?.find((widget) => widget.name === name);

app.registerExtension({
  name: "negopt.writers",

  nodeCreated(node) {
    if (!WRITERS.has(node.comfyClass)) return;
    for (const name of Object.keys(TEXTS)) {
      const widget = widgetOf(node, name);
      if (!widget) continue;
      // An unlocked node ignores these texts. Sent empty, they cannot make ComfyUI run the graph again.
      widget.serializeValue = () => (widgetOf(node, "locked")?.value ? widget.value : "");
    }
    const before = node.onExecuted;
    node.onExecuted = function (output) {
      before?.apply(this, arguments);
      if (widgetOf(node, "locked")?.value) return;
      for (const [name, key] of Object.entries(TEXTS)) {
        const widget = widgetOf(node, name);
        if (widget && output?.[key]) widget.value = output[key][0];
      }
    };
  },
});
