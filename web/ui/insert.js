// Putting a node of ours or ComfyUI's between a sampler and its model. Call inside of `oneStep`.
import { nodeAt, setWidget } from "../host.js";
import { join } from "../lib/join.js";

const GAP = 150; // nodes of the Vue renderer are taller than they say when they are made, and a line comes with the run
export const NAG = "NAGuidance";
export const HOOK = "NegOptSamplerHook";

/** Whether this ComfyUI has a node. */
export const hasNode = (type) => Boolean(window.LiteGraph.registered_node_types[type]);

/** Put a node with one model input and output before the sampler; returns it, or null if there is no model. */
export function insertBefore(samplerKey, type, values = {}) {
  const sampler = nodeAt(samplerKey);
  const slot = sampler?.inputs.findIndex((input) => input.type === "MODEL") ?? -1;
  const linkId = sampler?.inputs[slot]?.link;
  if (linkId == null) return null;
  const { graph } = sampler;
  const link = graph.getLink?.(linkId) ?? graph.links[linkId];
  const origin = graph.getNodeById(link.origin_id);
  const made = window.LiteGraph.createNode(type);
  graph.add(made);
  made.pos = [sampler.pos[0], sampler.pos[1] - made.size[1] - GAP];
  const input = made.inputs.findIndex((one) => one.type === "MODEL");
  if (origin) join(origin, link.origin_slot, made, input);
  else join(graph.inputNode?.slots?.[link.origin_slot], made.inputs[input], made);
  join(made, 0, sampler, slot);
  for (const [name, value] of Object.entries(values)) setWidget(made, name, value);
  return made;
}
