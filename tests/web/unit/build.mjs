// Saved workflows in ComfyUI's own format, from a short description.

/** Input sockets, output sockets and widget names of the nodes that the tests use. */
const KINDS = {
  CLIPTextEncode: [["clip:CLIP", "text:STRING"], ["CONDITIONING"], ["text"]],
  NegOptEncode: [["clip:CLIP", "df_text:STRING"], ["CONDITIONING", "report:STRING"], ["df_text", "weighting", "same_length"]],
  NegOptSuggest: [[], ["positive_text:STRING", "negative_text:STRING"], ["prompt", "negative", "mode"]],
  CLIPTextEncodeSDXL: [["clip:CLIP", "text_g:STRING", "text_l:STRING"], ["CONDITIONING"], ["text_g", "text_l", "width"]],
  CLIPTextEncodeFlux: [["clip:CLIP", "clip_l:STRING", "t5xxl:STRING"], ["CONDITIONING"], ["clip_l", "t5xxl", "guidance"]],
  FluxGuidance: [["conditioning:CONDITIONING"], ["CONDITIONING"], ["guidance"]],
  ConditioningZeroOut: [["conditioning:CONDITIONING"], ["CONDITIONING"], []],
  ConditioningCombine: [["conditioning_1:CONDITIONING", "conditioning_2:CONDITIONING"], ["CONDITIONING"], []],
  ControlNetApplyAdvanced: [
    ["positive:CONDITIONING", "negative:CONDITIONING", "image:IMAGE"],
    ["positive:CONDITIONING", "negative:CONDITIONING"],
    ["strength"],
  ],
  PrimitiveStringMultiline: [[], ["STRING"], ["value"]],
  PrimitiveInt: [[], ["INT"], ["value"]],
  MathExpression: [["a:INT"], ["INT"], ["expression"]],
  SplitSigmas: [["sigmas:SIGMAS"], ["high_sigmas:SIGMAS", "low_sigmas:SIGMAS"], ["step"]],
  PrimitiveFloat: [[], ["FLOAT"], ["value"]],
  StringConcatenate: [["string_a:STRING", "string_b:STRING"], ["STRING"], ["string_a", "string_b", "delimiter"]],
  StringReplace: [["string:STRING", "find:STRING"], ["STRING"], ["string", "find", "replace"]],
  StringTrim: [["string:STRING"], ["STRING"], ["string", "mode"]],
  TextGenerate: [["clip:CLIP", "prompt:STRING"], ["STRING"], ["prompt", "max_length"]],
  GeminiNode: [["prompt:STRING"], ["STRING"], ["prompt", "model", "seed"]],
  AnySwitch: [["a:CONDITIONING", "b:CONDITIONING"], ["*"], ["select"]],
  OllamaSimple: [["prompt:STRING"], ["STRING"], ["prompt"]],
  "Text box": [["text:STRING"], ["STRING"], ["text"]],
  Reroute: [["in:*"], ["out:*"], []],
  WanVideoNAG: [["model:MODEL", "conditioning:CONDITIONING"], ["MODEL"], ["nag_scale", "nag_alpha", "nag_tau"]],
  NAGuidance: [["model:MODEL"], ["patched:MODEL"], ["nag_scale"]],
  LoadModel: [[], ["MODEL", "CLIP"], []],
  KSampler: [
    ["model:MODEL", "positive:CONDITIONING", "negative:CONDITIONING", "cfg:FLOAT", "steps:INT"],
    ["LATENT"],
    ["seed", "control", "steps", "cfg"],
  ],
  KSamplerAdvanced: [
    ["model:MODEL", "positive:CONDITIONING", "negative:CONDITIONING", "steps:INT", "start_at_step:INT", "end_at_step:INT"],
    ["LATENT"],
    ["add_noise", "noise_seed", "control", "steps", "cfg", "sampler_name", "scheduler", "start_at_step", "end_at_step"],
  ],
  NegOptSamplerHook: [["model:MODEL"], ["MODEL"], ["unit", "step_offset", "total_steps"]],
  CFGGuider: [["model:MODEL", "positive:CONDITIONING", "negative:CONDITIONING"], ["GUIDER"], ["cfg"]],
  BasicGuider: [["model:MODEL", "conditioning:CONDITIONING"], ["GUIDER"], []],
  BasicScheduler: [["model:MODEL"], ["SIGMAS"], ["scheduler", "steps", "denoise"]],
  SamplerCustomAdvanced: [["guider:GUIDER", "sigmas:SIGMAS"], ["LATENT"], []],
};

/** "name:type"; "name:type:widget" for an input that shows a widget, as the promoted ones of a subgraph node. */
const socket = (text) => {
  const [name, type = name, shown] = text.split(":");
  return { name, type, ...(shown ? { widget: { name } } : {}) };
};

export const namesOf = (type) => KINDS[type]?.[2] ?? [];

/**
 * `nodes`: id -> [type, widget values, mode]; `wires`: "from.slot > to.input".
 * `kinds` adds node types (subgraphs): type -> [inputs, outputs, widget names].
 */
export function workflow(nodes, wires, kinds = {}) {
  const saved = Object.entries(nodes).map(([id, [type, values = [], mode = 0]]) => {
    const [inputs, outputs] = kinds[type] ?? KINDS[type];
    return {
      id: Number(id),
      type,
      mode,
      inputs: inputs.map((one) => ({ ...socket(one), link: null })),
      outputs: outputs.map((one) => ({ ...socket(one), links: [] })),
      widgets_values: values,
    };
  });
  const links = wires.map((wire, index) => {
    const [from, to] = wire.split(" > ").map((end) => end.split("."));
    const target = saved.find((one) => one.id === Number(to[0]));
    const place = target ? target.inputs.findIndex((one) => one.name === to[1]) : Number(to[1]);
    if (target) target.inputs[place].link = index + 1;
    return [index + 1, Number(from[0]), Number(from[1]), Number(to[0]), place, "*"];
  });
  return { nodes: saved, links };
}

/** A subgraph's definition: links are objects there, -10 is its inlet and -20 its outlet. */
export function definition(id, nodes, wires, kinds = {}) {
  const { nodes: saved, links } = workflow(nodes, wires, kinds);
  const named = links.map(([link, from, slot, to, toSlot]) => ({
    id: link,
    origin_id: from,
    origin_slot: slot,
    target_id: to,
    target_slot: toSlot,
    type: "*",
  }));
  return { id, nodes: saved, links: named };
}
