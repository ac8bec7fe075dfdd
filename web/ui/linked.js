// On the classic canvas a text field that is linked leaves an empty hole and a socket without a name. The hole says what
// comes in there, as the Vue renderer does by itself.

const [LEFT, PADDING, LINE] = [15, 6, 15];

/** Draw, in the place of each linked text field of a node of ours, its name and where its text comes from. */
export function addLinkedLines(node) {
  if (!node.comfyClass?.startsWith("NegOpt")) return;
  const before = node.onDrawForeground;
  node.onDrawForeground = function (ctx) {
    before?.apply(this, arguments);
    if (window.LiteGraph.vueNodesMode || this.flags?.collapsed) return;
    for (const [slot, widget] of linkedFields(this)) drawField(ctx, this, { slot, widget });
  };
}

/** The text fields whose words come through a link, each with its slot. */
export function linkedFields(node) {
  return (node.inputs ?? []).flatMap((input, slot) => {
    const widget = input.link != null && input.widget && node.widgets?.find((one) => one.name === input.widget.name);
    return widget?.element?.tagName === "TEXTAREA" ? [[slot, widget]] : [];
  });
}

/** "name", and below it "← node: output". */
export function linesOf(node, slot) {
  const input = node.inputs[slot];
  const link = node.graph?.getLink?.(input.link) ?? node.graph?.links?.[input.link];
  const source = node.getInputNode?.(slot);
  const output = source?.outputs?.[link?.origin_slot];
  const from = [source?.title, output && (output.label ?? output.localized_name ?? output.name)].filter(Boolean).join(": ");
  const name = node.widgets?.find((one) => one.name === input.widget?.name)?.label ?? input.label ?? input.localized_name ?? input.name;
  return [name, ...(from ? [`← ${from}`] : [])];
}

function drawField(ctx, node, { slot, widget }) {
  const [width, height] = [node.size[0] - 2 * LEFT, (widget.computedHeight ?? 60) - 2 * PADDING];
  const top = widget.y + PADDING;
  if (!(height > LINE) || !Number.isFinite(top)) return;
  const { WIDGET_BGCOLOR, WIDGET_SECONDARY_TEXT_COLOR } = window.LiteGraph;
  ctx.save();
  ctx.fillStyle = WIDGET_BGCOLOR ?? "#222";
  ctx.beginPath();
  ctx.rect(LEFT, top, width, height);
  ctx.fill();
  ctx.clip();
  ctx.fillStyle = WIDGET_SECONDARY_TEXT_COLOR ?? "#999";
  ctx.textAlign = "left";
  ctx.font = "12px Arial";
  linesOf(node, slot).forEach((line, row) => ctx.fillText(line, LEFT + 8, top + LINE * (row + 1)));
  ctx.restore();
}
