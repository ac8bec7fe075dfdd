// How people wire the models of today, as small graphs of our own: nodes and wires as `build` takes them, and what one click
// on a node has to do. `own`: the user's words by "id.widget", which must stay in front; `negative`: which of them the words go
// to, or "made" for an encoder that has to be made; `says`: a refusal; `family`: what the policy is told.

const sampler = (cfg, more = {}) => ["KSampler", { cfg, steps: 8, control_after_generate: "fixed", ...more }, [3, 0]];
const text = (words, place) => ["CLIPTextEncode", { text: words }, place];
const BOTH = (positive, negative, end) => [`${positive}.CONDITIONING > ${end}.positive`, `${negative}.CONDITIONING > ${end}.negative`];
const CLIPS = (from, ...to) => to.map((one) => `${from}.CLIP > ${one}.clip`);

/** Loaders of a model and of its text encoder; ids 1 and 2. */
const split = (file, type, clip = "encoder.safetensors") => [
  ["UNETLoader", { unet_name: file }, [0, 0]],
  ["CLIPLoader", { clip_name: clip, type }, [0, 1]],
];
const checkpoint = (file) => ["CheckpointLoaderSimple", { ckpt_name: file }, [0, 0]];

export const CORE = {
  sd15: {
    nodes: [checkpoint("v1-5-pruned-emaonly-fp16.safetensors"), text("a cat", [1, 0]), text("ugly", [1, 1]), sampler(7)],
    wires: ["1.MODEL > 4.model", ...CLIPS(1, 2, 3), ...BOTH(2, 3, 4)],
    click: 2, own: { "3.text": "ugly" }, negative: ["3.text"], family: "sd15",
  },
  sdxl_base_and_refiner: {
    nodes: [
      checkpoint("sd_xl_base_1.0.safetensors"), checkpoint("sd_xl_refiner_1.0.safetensors"),
      ["PrimitiveStringMultiline", { value: "a cat" }, [0, 2]], ["PrimitiveStringMultiline", { value: "ugly" }, [0, 3]],
      text("", [1, 0]), text("", [1, 1]), text("", [1, 2]), text("", [1, 3]),
      ["KSamplerAdvanced", { steps: 25, cfg: 8, start_at_step: 0, end_at_step: 20 }, [3, 0]],
      ["KSamplerAdvanced", { steps: 25, cfg: 8, start_at_step: 20, end_at_step: 10000 }, [3, 2]],
    ],
    wires: [
      "1.MODEL > 9.model", "2.MODEL > 10.model", ...CLIPS(1, 5, 6), ...CLIPS(2, 7, 8), "3.STRING > 5.text", "4.STRING > 6.text", "3.STRING > 7.text",
      "4.STRING > 8.text", ...BOTH(5, 6, 9), ...BOTH(7, 8, 10), "9.LATENT > 10.latent_image",
    ],
    click: 5, own: { "4.value": "ugly" }, negative: ["4.value"], family: "sdxl",
  },
  sdxl_turbo: {
    nodes: [checkpoint("sd_xl_turbo_1.0_fp16.safetensors"), text("a cat", [1, 0]), text("", [1, 1]), ["SamplerCustom", { cfg: 1 }, [3, 0]], ["SDTurboScheduler", { steps: 1 }, [2, 2]]],
    wires: ["1.MODEL > 4.model", "1.MODEL > 5.model", "5.SIGMAS > 4.sigmas", ...CLIPS(1, 2, 3), ...BOTH(2, 3, 4)],
    click: 2, own: { "3.text": "" }, negative: ["3.text"], family: "sdxl",
  },
  sd3_with_a_text_for_each_encoder: {
    nodes: [
      checkpoint("sd3.5_large_fp8_scaled.safetensors"), ["CLIPTextEncodeSD3", { clip_l: "cat", clip_g: "a cat", t5xxl: "A cat sits." }, [1, 0]],
      ["CLIPTextEncodeSD3", { clip_l: "ugly", clip_g: "bad, ugly", t5xxl: "An ugly picture." }, [1, 2]], sampler(4),
    ],
    wires: ["1.MODEL > 4.model", ...CLIPS(1, 2, 3), ...BOTH(2, 3, 4)],
    click: 2, own: { "3.clip_l": "ugly", "3.clip_g": "bad, ugly", "3.t5xxl": "An ugly picture." }, negative: ["3.clip_l", "3.clip_g", "3.t5xxl"], family: "sd3",
  },
  flux_dev_with_zeros: {
    nodes: [
      ["UNETLoader", { unet_name: "flux1-dev.safetensors" }, [0, 0]], ["DualCLIPLoader", { type: "flux" }, [0, 1]],
      ["CLIPTextEncodeFlux", { clip_l: "tags", t5xxl: "A sentence." }, [1, 0]], ["ConditioningZeroOut", {}, [2, 1]], sampler(1),
    ],
    wires: ["1.MODEL > 5.model", ...CLIPS(2, 3), "3.CONDITIONING > 5.positive", "3.CONDITIONING > 4.conditioning", "4.CONDITIONING > 5.negative"],
    click: 3, own: { "3.clip_l": "tags", "3.t5xxl": "A sentence." }, negative: "made", family: "flux",
  },
  flux2_klein_with_a_guider: {
    nodes: [
      ...split("flux-2-klein-4b.safetensors", "flux2"), text("a cat", [1, 0]), text("ugly", [1, 1]), ["CFGGuider", { cfg: 5 }, [2, 0]],
      ["Flux2Scheduler", { steps: 20 }, [2, 1]], ["SamplerCustomAdvanced", {}, [3, 0]],
    ],
    wires: ["1.MODEL > 5.model", ...CLIPS(2, 3, 4), ...BOTH(3, 4, 5), "5.GUIDER > 7.guider", "6.SIGMAS > 7.sigmas"],
    click: 3, own: { "4.text": "ugly" }, negative: ["4.text"], family: "flux2",
  },
  hidream_with_four_fields: {
    nodes: [
      ["UNETLoader", { unet_name: "model.safetensors" }, [0, 0]], ["QuadrupleCLIPLoader", {}, [0, 1]],
      ["CLIPTextEncodeHiDream", { clip_l: "cat", clip_g: "cat", t5xxl: "A cat.", llama: "A cat on a mat." }, [1, 0]],
      ["CLIPTextEncodeHiDream", { llama: "ugly" }, [1, 2]], ["ModelSamplingSD3", {}, [2, 0]], sampler(5),
    ],
    wires: ["1.MODEL > 5.model", "5.MODEL > 6.model", ...CLIPS(2, 3, 4), ...BOTH(3, 4, 6)],
    click: 3, own: { "4.llama": "ugly" }, negative: ["4.llama"], family: "hidream",
  },
  chroma: {
    nodes: [...split("Chroma1-HD.safetensors", "chroma"), text("a cat", [1, 0]), text("ugly", [1, 1]), ["CFGGuider", { cfg: 3.5 }, [3, 0]]],
    wires: ["1.MODEL > 5.model", ...CLIPS(2, 3, 4), ...BOTH(3, 4, 5)],
    click: 4, own: { "4.text": "ugly" }, negative: ["4.text"], family: "chroma",
  },
  lumina2_with_its_system_prompt_in_front: {
    nodes: [
      checkpoint("NetaYumev35.safetensors"), ["PrimitiveStringMultiline", { value: "You are an assistant that draws. <Prompt Start> " }, [0, 1]],
      ["PrimitiveStringMultiline", { value: "a cat" }, [0, 2]], ["PrimitiveStringMultiline", { value: "ugly" }, [0, 3]],
      ["StringConcatenate", {}, [1, 1]], ["StringConcatenate", {}, [1, 2]], text("", [2, 1]), text("", [2, 2]), sampler(4),
    ],
    wires: [
      "1.MODEL > 9.model", ...CLIPS(1, 7, 8), "2.STRING > 5.string_a", "3.STRING > 5.string_b", "2.STRING > 6.string_a", "4.STRING > 6.string_b",
      "5.STRING > 7.text", "6.STRING > 8.text", ...BOTH(7, 8, 9),
    ],
    click: 7, own: { "2.value": "You are an assistant that draws. <Prompt Start> ", "3.value": "a cat", "4.value": "ugly" }, negative: ["4.value"], family: "lumina2",
  },
  lumina2_encoder: {
    nodes: [...split("model.safetensors", "lumina2"), ["CLIPTextEncodeLumina2", { user_prompt: "a cat" }, [1, 0]], ["CLIPTextEncodeLumina2", { user_prompt: "ugly" }, [1, 1]], sampler(4)],
    wires: ["1.MODEL > 5.model", ...CLIPS(2, 3, 4), ...BOTH(3, 4, 5)],
    click: 3, own: { "4.user_prompt": "ugly" }, negative: ["4.user_prompt"], family: "lumina2",
  },
  z_image_turbo: {
    nodes: [...split("z_image_turbo_bf16.safetensors", "lumina2", "qwen_3_4b.safetensors"), text("a cat", [1, 0]), ["ConditioningZeroOut", {}, [2, 1]], sampler(1)],
    wires: ["1.MODEL > 5.model", ...CLIPS(2, 3), "3.CONDITIONING > 5.positive", "3.CONDITIONING > 4.conditioning", "4.CONDITIONING > 5.negative"],
    click: 3, own: { "3.text": "a cat" }, negative: "made", family: "z-image",
  },
  qwen_image_with_a_lightning_switch: {
    nodes: [
      ...split("qwen_image_fp8.safetensors", "qwen_image"), text("a cat", [1, 0]), text("低分辨率，低画质", [1, 1]), sampler(7),
      ["PrimitiveFloat", { value: 4 }, [1, 2]], ["PrimitiveFloat", { value: 1 }, [1, 3]], ["PrimitiveBoolean", { value: false }, [2, 3]], ["ComfySwitchNode", {}, [2, 2]],
    ],
    wires: ["1.MODEL > 5.model", ...CLIPS(2, 3, 4), ...BOTH(3, 4, 5), "6.FLOAT > 9.on_false", "7.FLOAT > 9.on_true", "8.BOOLEAN > 9.switch", "9.* > 5.cfg"],
    click: 3, own: { "4.text": "低分辨率，低画质" }, negative: ["4.text"], family: "qwen-image", tells: /4 now, 1 when/,
  },
  anima: {
    nodes: [...split("anima-base-v1.0.safetensors", "stable_diffusion"), text("1girl", [1, 0]), text("worst quality", [1, 1]), sampler(4)],
    wires: ["1.MODEL > 5.model", ...CLIPS(2, 3, 4), ...BOTH(3, 4, 5)],
    click: 3, own: { "4.text": "worst quality" }, negative: ["4.text"], family: "anima",
  },
  ernie_with_an_enhancer_that_is_off: {
    nodes: [
      ...split("ernie-image.safetensors", "flux2"), ["PrimitiveStringMultiline", { value: "a cat" }, [0, 2]], ["StringReplace", { string: "Enhance: {it}", find: "{it}" }, [1, 3]],
      ["TextGenerate", {}, [2, 3]], ["ComfySwitchNode", { switch: false }, [2, 2]], text("", [1, 0]), text("ugly", [1, 1]), sampler(4),
    ],
    wires: [
      "1.MODEL > 9.model", ...CLIPS(2, 7, 8), "2.CLIP > 5.clip", "3.STRING > 4.replace", "4.STRING > 5.prompt", "3.STRING > 6.on_false", "5.STRING > 6.on_true",
      "6.* > 7.text", ...BOTH(7, 8, 9),
    ],
    click: 7, own: { "8.text": "ugly", "3.value": "a cat" }, negative: ["8.text"], family: "ernie", refusesSchedule: /would take windows for words/,
  },
  kandinsky5: {
    nodes: [
      ["UNETLoader", { unet_name: "model.safetensors" }, [0, 0]], ["DualCLIPLoader", { type: "kandinsky5_image" }, [0, 1]],
      ["CLIPTextEncodeKandinsky5", { clip_l: "cat", qwen25_7b: "A cat." }, [1, 0]], ["CLIPTextEncodeKandinsky5", { clip_l: "bad", qwen25_7b: "An ugly one." }, [1, 2]], sampler(3.5),
    ],
    wires: ["1.MODEL > 5.model", ...CLIPS(2, 3, 4), ...BOTH(3, 4, 5)],
    click: 3, own: { "4.clip_l": "bad", "4.qwen25_7b": "An ugly one." }, negative: ["4.clip_l", "4.qwen25_7b"], family: "kandinsky5",
  },
  hunyuandit: {
    nodes: [checkpoint("hunyuan_dit_1.2.safetensors"), ["CLIPTextEncodeHunyuanDiT", { bert: "a cat", mt5xl: "a cat" }, [1, 0]], ["CLIPTextEncodeHunyuanDiT", { bert: "ugly", mt5xl: "bad" }, [1, 2]], sampler(5)],
    wires: ["1.MODEL > 4.model", ...CLIPS(1, 2, 3), ...BOTH(2, 3, 4)],
    click: 2, own: { "3.bert": "ugly", "3.mt5xl": "bad" }, negative: ["3.bert", "3.mt5xl"], family: "hunyuandit",
  },
  omnigen2_with_two_negative_sockets: {
    nodes: [...split("omnigen2_fp16.safetensors", "omnigen2"), text("a cat", [1, 0]), text("ugly", [1, 1]), ["DualCFGGuider", { cfg_conds: 5, cfg_cond2_negative: 2 }, [3, 0]]],
    wires: ["1.MODEL > 5.model", ...CLIPS(2, 3, 4), "3.CONDITIONING > 5.cond1", "4.CONDITIONING > 5.cond2", "4.CONDITIONING > 5.negative"],
    click: 3, own: { "4.text": "ugly" }, negative: ["4.text"], family: "omnigen2",
  },
  boogu_edit_with_both_prompts_in_one_encoder: {
    nodes: [...split("boogu_image_edit.safetensors", "boogu"), ["TextEncodeBooguEdit", { prompt: "a cat", negative_prompt: "ugly" }, [1, 0]], sampler(3.5)],
    wires: ["1.MODEL > 4.model", ...CLIPS(2, 3), "3.CONDITIONING > 4.positive", "3.CONDITIONING/1 > 4.negative"],
    click: 3, own: { "3.prompt": "a cat", "3.negative_prompt": "ugly" }, negative: ["3.negative_prompt"], family: "boogu",
  },
  wan_high_and_low_noise: {
    nodes: [
      ...split("wan2.2_t2v_high_noise_14B.safetensors", "wan"), ["UNETLoader", { unet_name: "wan2.2_t2v_low_noise_14B.safetensors" }, [0, 2]], text("a cat", [1, 0]), text("ugly", [1, 1]),
      ["KSamplerAdvanced", { steps: 20, cfg: 3.5, start_at_step: 0, end_at_step: 10 }, [3, 0]], ["KSamplerAdvanced", { steps: 20, cfg: 1, start_at_step: 10, end_at_step: 10000 }, [3, 2]],
    ],
    wires: ["1.MODEL > 6.model", "3.MODEL > 7.model", ...CLIPS(2, 4, 5), ...BOTH(4, 5, 6), ...BOTH(4, 5, 7), "6.LATENT > 7.latent_image"],
    click: 4, own: { "5.text": "ugly" }, negative: ["5.text"], family: "wan", tells: /#7 \(10-19 \/ 20\)/,
  },
};

/** Definitions of nodes as other packs have them, written by us: what /object_info would tell. */
const definition = (name, required, output, output_name = output) => ({
  name, display_name: name, category: "tests", python_module: "custom_nodes.other", description: "", input: { required }, output, output_name,
  output_is_list: output.map(() => false), output_node: false,
});
const LONG = ["STRING", { multiline: true }];
export const OTHERS = [
  definition("WildcardEncode (test)", { model: ["MODEL"], clip: ["CLIP"], wildcard_text: LONG, populated_text: LONG, seed: ["INT", {}] }, ["MODEL", "CLIP", "CONDITIONING", "STRING"]),
  definition("Loader (test)", { ckpt_name: ["STRING", {}], positive: LONG, negative: LONG }, ["MODEL", "CONDITIONING", "CONDITIONING", "CLIP"], ["MODEL", "CONDITIONING+", "CONDITIONING-", "CLIP"]),
  definition("FromPipe (test)", { pipe: ["PIPE_LINE"] }, ["MODEL", "CONDITIONING", "CONDITIONING"], ["model", "positive", "negative"]),
  definition("OddEncode (test)", { clip: ["CLIP"], system_prompt: LONG, scene: LONG, artist: LONG }, ["CONDITIONING"]),
];

const END = (from, output) => [`1.MODEL > 4.model`, ...CLIPS(1, 2), "2.CONDITIONING > 4.positive", `${from}.${output} > 4.negative`];
const START = [checkpoint("v1-5-pruned-emaonly.safetensors"), text("a cat", [1, 0])];
export const PACKS = {
  a_wildcard_encoder: {
    nodes: [...START, ["WildcardEncode (test)", { wildcard_text: "__bad__, ugly", populated_text: "ugly" }, [1, 1]], sampler(7)],
    wires: ["1.MODEL > 3.model", "1.CLIP > 3.clip", ...END(3, "CONDITIONING")],
    click: 2, own: { "3.wildcard_text": "__bad__, ugly" }, says: /WildcardEncode \(test\) #3 makes the negative/,
  },
  a_loader_that_encodes: {
    nodes: [...START, ["Loader (test)", { positive: "a dog", negative: "ugly" }, [1, 1]], sampler(7)],
    wires: END(3, "CONDITIONING/1"),
    click: 2, own: { "3.negative": "ugly" }, says: /Loader \(test\) #3 makes the negative/,
  },
  a_pipe: {
    nodes: [...START, ["FromPipe (test)", {}, [1, 1]], sampler(7)],
    wires: END(3, "CONDITIONING/1"),
    click: 2, own: {}, says: /FromPipe \(test\) #3 makes the negative/,
  },
  a_language_model: {
    nodes: [...START, text("", [2, 1]), sampler(7), ["TextGenerate", { prompt: "say what is ugly" }, [1, 1]]],
    wires: ["1.CLIP > 5.clip", "5.STRING > 3.text", ...CLIPS(1, 3), ...END(3, "CONDITIONING")],
    click: 2, own: { "5.prompt": "say what is ugly" }, says: /#5 makes the negative/,
  },
  an_encoder_with_odd_fields_is_asked_about: {
    nodes: [...START, ["OddEncode (test)", { system_prompt: "You draw", scene: "ugly", artist: "nobody" }, [1, 1]], sampler(7)],
    wires: [...CLIPS(1, 3), ...END(3, "CONDITIONING")],
    click: 2, own: { "3.system_prompt": "You draw", "3.scene": "ugly", "3.artist": "nobody" }, negative: ["3.scene", "3.artist"], asks: /OddEncode \(test\) #3: scene, artist/,
  },
  an_empty_conditioning: {
    nodes: [...START, text("ugly", [1, 1]), ["PerpNegGuider", {}, [3, 0]], text("", [1, 2])],
    wires: [...CLIPS(1, 3, 5), ...END(3, "CONDITIONING"), "5.CONDITIONING > 4.empty_conditioning"],
    click: 2, own: { "3.text": "ugly", "5.text": "" }, negative: ["3.text"],
  },
  a_box_and_a_main_text: {
    nodes: [...START, text("ugly", [1, 1]), sampler(7), ["GLIGENTextBoxApply", { text: "a red hat" }, [2, 0]]],
    wires: ["1.MODEL > 4.model", ...CLIPS(1, 2, 3, 5), "2.CONDITIONING > 5.conditioning_to", "5.CONDITIONING > 4.positive", "3.CONDITIONING > 4.negative"],
    click: 3, own: { "3.text": "ugly", "5.text": "a red hat" }, negative: ["3.text"], reads: "a cat, a red hat",
  },
};
