// Saved workflows in ComfyUI's own format, from a short description.
import { flatten } from "../../../web/lib/flat.js";
import { levelOfWorkflow } from "../../../web/lib/levels.js";

/** Input sockets, output sockets and widget names of the nodes that the tests use; `name...` is text of several lines. */
const KINDS = {
  CLIPTextEncode: [["clip:CLIP", "text:STRING"], ["CONDITIONING"], ["text..."]],
  NegOptEncode: [["clip:CLIP", "df_text:STRING", "sigmas:SIGMAS"], ["CONDITIONING", "report:STRING"], ["df_text...", "weighting", "same_length"]],
  NegOptSuggest: [[], ["positive_text:STRING", "negative_text:STRING"], ["prompt...", "negative...", "mode"]],
  CLIPTextEncodeSDXL: [["clip:CLIP", "text_g:STRING", "text_l:STRING"], ["CONDITIONING"], ["text_g...", "text_l...", "width"]],
  CLIPTextEncodeFlux: [["clip:CLIP", "clip_l:STRING", "t5xxl:STRING"], ["CONDITIONING"], ["clip_l...", "t5xxl...", "guidance"]],
  FluxGuidance: [["conditioning:CONDITIONING"], ["CONDITIONING"], ["guidance"]],
  ConditioningZeroOut: [["conditioning:CONDITIONING"], ["CONDITIONING"], []],
  ConditioningCombine: [["conditioning_1:CONDITIONING", "conditioning_2:CONDITIONING"], ["CONDITIONING"], []],
  ControlNetApplyAdvanced: [
    ["positive:CONDITIONING", "negative:CONDITIONING", "image:IMAGE"],
    ["positive:CONDITIONING", "negative:CONDITIONING"],
    ["strength"],
  ],
  PrimitiveStringMultiline: [[], ["STRING"], ["value..."]],
  PrimitiveInt: [[], ["INT"], ["value"]],
  PrimitiveBoolean: [[], ["BOOLEAN"], ["value"]],
  PrimitiveNode: [[], ["*"], ["value"]],
  MathExpression: [["a:INT"], ["INT"], ["expression"]],
  ComfyMathExpression: [["values.a:FLOAT,INT", "values.b:FLOAT,INT"], ["FLOAT", "INT", "BOOLEAN"], ["expression"]],
  ComfySwitchNode: [["on_false:*", "on_true:*", "switch:BOOLEAN"], ["output:*"], ["switch"]],
  "Any Switch (rgthree)": [["any_01:*", "any_02:*"], ["*"], []],
  ImpactSwitch: [["select:INT", "input1:*", "input2:*"], ["*"], ["select"]],
  SetNode: [["in:*"], ["*"], ["name"]],
  GetNode: [[], ["*"], ["name"]],
  "Anything Everywhere": [["anything:*"], [], []],
  ConditioningAverage: [["conditioning_to:CONDITIONING", "conditioning_from:CONDITIONING"], ["CONDITIONING"], ["strength"]],
  GLIGENTextBoxApply: [["conditioning_to:CONDITIONING", "clip:CLIP", "text:STRING"], ["CONDITIONING"], ["text...", "width"]],
  CLIPTextEncodeSD3: [["clip:CLIP", "clip_l:STRING", "clip_g:STRING", "t5xxl:STRING"], ["CONDITIONING"], ["clip_l...", "clip_g...", "t5xxl...", "empty_padding"]],
  CLIPTextEncodeHiDream: [["clip:CLIP", "clip_l:STRING", "clip_g:STRING", "t5xxl:STRING", "llama:STRING"], ["CONDITIONING"], ["clip_l...", "clip_g...", "t5xxl...", "llama..."]],
  CLIPTextEncodeKandinsky5: [["clip:CLIP", "clip_l:STRING", "qwen25_7b:STRING"], ["CONDITIONING"], ["clip_l...", "qwen25_7b..."]],
  CLIPTextEncodeHunyuanDiT: [["clip:CLIP", "bert:STRING", "mt5xl:STRING"], ["CONDITIONING"], ["bert...", "mt5xl..."]],
  CLIPTextEncodeLumina2: [["clip:CLIP", "user_prompt:STRING"], ["CONDITIONING"], ["system_prompt", "user_prompt..."]],
  TextEncodeBooguEdit: [["clip:CLIP", "prompt:STRING", "negative_prompt:STRING"], ["positive:CONDITIONING", "negative:CONDITIONING"], ["prompt...", "negative_prompt..."]],
  "other:NewbieEncode": [["clip:CLIP"], ["CONDITIONING"], ["system_prompt...", "user_words...", "artist_words..."]],
  "other:ImpactWildcardEncode": [["model:MODEL", "clip:CLIP"], ["MODEL", "CLIP", "CONDITIONING", "populated_text:STRING"], ["wildcard_text...", "populated_text...", "mode", "seed"]],
  "other:Efficient Loader": [[], ["MODEL", "CONDITIONING+:CONDITIONING", "CONDITIONING-:CONDITIONING", "LATENT"], ["ckpt_name", "positive...", "negative..."]],
  "other:KSampler (Efficient)": [
    ["model:MODEL", "positive:CONDITIONING", "negative:CONDITIONING"],
    ["MODEL", "CONDITIONING+:CONDITIONING", "CONDITIONING-:CONDITIONING", "LATENT", "IMAGE"],
    ["seed", "steps", "cfg", "sampler_name"],
  ],
  "other:FromPipe": [["pipe:PIPE"], ["MODEL", "positive:CONDITIONING", "negative:CONDITIONING"], []],
  CheckpointLoaderSimple: [[], ["MODEL", "CLIP", "VAE"], ["ckpt_name"]],
  UNETLoader: [[], ["MODEL"], ["unet_name", "weight_dtype"]],
  CLIPLoader: [[], ["CLIP"], ["clip_name", "type"]],
  DualCLIPLoader: [[], ["CLIP"], ["clip_name1", "clip_name2", "type"]],
  LoraLoaderModelOnly: [["model:MODEL"], ["MODEL"], ["lora_name", "strength"]],
  ModelMergeSimple: [["model1:MODEL", "model2:MODEL"], ["MODEL"], ["ratio"]],
  ModelSamplingFlux: [["model:MODEL"], ["MODEL"], ["max_shift"]],
  EmptyHunyuanImageLatent: [[], ["LATENT"], ["width"]],
  DualCFGGuider: [["model:MODEL", "cond1:CONDITIONING", "cond2:CONDITIONING", "negative:CONDITIONING"], ["GUIDER"], ["cfg_conds", "cfg_cond2_negative", "style"]],
  PerpNegGuider: [["model:MODEL", "positive:CONDITIONING", "negative:CONDITIONING", "empty_conditioning:CONDITIONING"], ["GUIDER"], ["cfg", "neg_scale"]],
  SplitSigmas: [["sigmas:SIGMAS"], ["high_sigmas:SIGMAS", "low_sigmas:SIGMAS"], ["step"]],
  SplitSigmasDenoise: [["sigmas:SIGMAS"], ["high_sigmas:SIGMAS", "low_sigmas:SIGMAS"], ["denoise"]],
  PrimitiveFloat: [[], ["FLOAT"], ["value"]],
  StringConcatenate: [["string_a:STRING", "string_b:STRING"], ["STRING"], ["string_a...", "string_b...", "delimiter"]],
  StringReplace: [["string:STRING", "find:STRING", "replace:STRING"], ["STRING"], ["string...", "find...", "replace..."]],
  StringTrim: [["string:STRING"], ["STRING"], ["string...", "mode"]],
  TextGenerate: [["clip:CLIP", "prompt:STRING"], ["STRING"], ["prompt...", "max_length"]],
  GeminiNode: [["prompt:STRING"], ["STRING"], ["prompt...", "model", "seed"]],
  AnySwitch: [["a:CONDITIONING", "b:CONDITIONING"], ["*"], ["select"]],
  OllamaSimple: [["prompt:STRING"], ["STRING"], ["prompt..."]],
  "Text box": [["text:STRING"], ["STRING"], ["text..."]],
  Reroute: [["in:*"], ["out:*"], []],
  WanVideoNAG: [["model:MODEL", "conditioning:CONDITIONING"], ["MODEL"], ["nag_scale", "nag_alpha", "nag_tau"]],
  NAGuidance: [["model:MODEL"], ["patched:MODEL"], ["nag_scale"]],
  LoadModel: [[], ["MODEL", "CLIP"], []],
  NegOptOneClick: [["model:MODEL", "clip:CLIP"], ["MODEL", "positive:CONDITIONING", "negative:CONDITIONING"], ["policy", "weighting", "prompt..."]],
  KSampler: [
    ["model:MODEL", "positive:CONDITIONING", "negative:CONDITIONING", "cfg:FLOAT", "steps:INT", "latent_image:LATENT"],
    ["LATENT"],
    ["seed", "control", "steps", "cfg"],
  ],
  KSamplerAdvanced: [
    ["model:MODEL", "positive:CONDITIONING", "negative:CONDITIONING", "steps:INT", "cfg:FLOAT", "start_at_step:INT", "end_at_step:INT"],
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

/** A node type of the tests: "other:X" is another pack's X. */
const typeOf = (name) => name.replace(/^other:/, "");
const found = (type) => Object.entries(KINDS).find(([name]) => typeOf(name) === type);

/** What a type's schema tells; all but "other:" nodes are ComfyUI's own. */
export function kindOf(type) {
  const [name, [, , widgets]] = found(type) ?? ["", [[], [], []]];
  const bare = (one) => one.replace("...", "");
  return { names: widgets.map(bare), long: widgets.filter((one) => one.endsWith("...")).map(bare), isCore: !name.startsWith("other:") };
}

/**
 * `nodes`: id -> [type, widget values, mode]; `wires`: "from.slot > to.input".
 * `kinds` adds node types (subgraphs): type -> [inputs, outputs, widget names].
 */
export function workflow(nodes, wires, kinds = {}) {
  const saved = Object.entries(nodes).filter(([, node]) => node).map(([id, [type, values = [], mode = 0]]) => {
    const [inputs, outputs] = kinds[type] ?? found(type)[1];
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
    const [from, to] = wire.split(" > ").map((end) => /^([^.]*)\.(.*)$/.exec(end).slice(1));
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

/** The flat graph of a saved workflow. */
export const flatOf = (saved) => flatten(levelOfWorkflow(saved, kindOf));

/** The flat graph of nodes and wires as `workflow` takes them. */
export const graph = (nodes, wires) => flatOf(workflow(nodes, wires));

/** Where a text stands, in short: "3.text", "5.clip_l+5.t5xxl"; null for none. */
export const places = (text) => text && text.fields.map(({ key, name }) => `${key}.${name}`).join("+");

/** The node types that the tests know, with the names of their inputs and how many outputs and widgets they have. */
export const types = () =>
  Object.entries(KINDS).map(([name, [inputs, outputs, widgets]]) => ({
    type: typeOf(name), inputs: inputs.map((one) => socket(one).name), outputs: outputs.length, widgets: widgets.length,
  }));

/** The codes of a plan's notes. */
export const codes = (plan) => plan.notes.map((note) => note.code);
