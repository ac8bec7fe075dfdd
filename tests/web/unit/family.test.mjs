// The model family, from whatever in the graph tells it; where nothing does, it is unknown.
import assert from "node:assert/strict";
import { test } from "node:test";
import { familyOf } from "../../../web/lib/family.js";
import { graph } from "./build.mjs";

const NODES = { 2: ["CLIPTextEncode", ["a cat"]], 4: ["KSampler", [0, "fixed", 20, 7]] };
const WIRES = ["1.0 > 4.model", "9.0 > 2.clip", "2.0 > 4.positive"];
const family = (nodes, wires = []) => familyOf(graph({ ...NODES, ...nodes }, [...WIRES, ...wires]), "4");
const byFile = (name) => family({ 1: ["UNETLoader", [name, "default"]], 9: ["CLIPLoader", ["x.safetensors", "stable_diffusion"]] });
const byClip = (type, file = "x.safetensors") => family({ 1: ["UNETLoader", ["model.safetensors", "default"]], 9: ["CLIPLoader", [file, type]] });

const FILES = {
  "ponyDiffusionV6XL.safetensors": "pony", "Illustrious-XL-v1.0.safetensors": "illustrious", "noobaiXLNAIXL_vPred.safetensors": "noobai",
  "sd_xl_base_1.0.safetensors": "sdxl", "juggernautXL_v9.safetensors": "sdxl", "v1-5-pruned-emaonly-fp16.safetensors": "sd15", "SD1.5/my-sd15.ckpt": "sd15",
  "v2-1_768-ema-pruned.safetensors": "sd2", "sd3.5_large_fp8_scaled.safetensors": "sd3", "flux1-dev-Q4_K_S.gguf": "flux", "flux1-krea-dev.safetensors": "flux",
  "flux2_dev_fp8mixed.safetensors": "flux2", "flux-2-klein-4b.safetensors": "flux2", "Chroma1-HD.safetensors": "chroma", "krea2_turbo.safetensors": "krea2",
  "qwen_image_2512_fp8.safetensors": "qwen-image", "z_image_turbo_bf16.safetensors": "z-image", "NetaYumev35.safetensors": "lumina2",
  "anima-base-v1.0.safetensors": "anima", "wan2.2_t2v_high_noise_14B.safetensors": "wan", "Wan21-Move.safetensors": "wan", "ernie-image.safetensors": "ernie",
  "hidream_i1_full_fp8.safetensors": "hidream", "kandinsky5lite_t2i.safetensors": "kandinsky5", "hunyuan_dit_1.2.safetensors": "hunyuandit",
  "hunyuanvideo1.5_720p.safetensors": "hunyuan-video", "ltx-2-19b-dev.safetensors": "ltx", "omnigen2_fp16.safetensors": "omnigen2",
  "dreamshaper_8.safetensors": undefined, "my_model.safetensors": undefined, "swan_lake.safetensors": undefined, "animationStyle.safetensors": undefined,
};
for (const [name, expected] of Object.entries(FILES)) {
  test(`${name} is ${expected ?? "unknown"}`, () => assert.equal(byFile(name), expected));
}

const TYPES = {
  qwen_image: "qwen-image", lumina2: "lumina2", wan: "wan", flux2: "flux2", sd3: "sd3", chroma: "chroma", ltxv: "ltx", krea2: "krea2", lens: "lens",
  stable_diffusion: undefined,
};
for (const [type, expected] of Object.entries(TYPES)) {
  test(`a text encoder loaded as ${type} is ${expected ?? "unknown"}`, () => assert.equal(byClip(type), expected));
}

test("Z-Image's text encoder tells it from Lumina, whose type it is loaded with", () => assert.equal(byClip("lumina2", "qwen_3_4b.safetensors"), "z-image"));

test("two text encoders, a sampling node, a latent node and an encoder each tell what only one family has", () => {
  const unnamed = { 1: ["UNETLoader", ["model.safetensors", "default"]], 9: ["LoadModel"] };
  assert.equal(family({ ...unnamed, 9: ["DualCLIPLoader", ["a", "b", "hunyuan_video_15"]] }), "hunyuan-video");
  assert.equal(familyOf(graph({ ...NODES, ...unnamed, 5: ["ModelSamplingFlux", [1.15]] }, ["1.0 > 5.model", "5.0 > 4.model"]), "4"), "flux");
  assert.equal(family({ ...unnamed, 5: ["EmptyHunyuanImageLatent", [1024]] }, ["5.0 > 4.latent_image"]), "hunyuan-image");
  assert.equal(family({ ...unnamed, 2: ["CLIPTextEncodeHiDream", ["", "", "", ""]] }), "hidream");
});

test("a checkpoint is told through a LoRA, whose own name tells nothing", () => {
  const nodes = { ...NODES, 1: ["CheckpointLoaderSimple", ["ponyRealism.safetensors"]], 5: ["LoraLoaderModelOnly", ["flux_style.safetensors", 1]], 9: ["LoadModel"] };
  assert.equal(familyOf(graph(nodes, ["1.0 > 5.model", "5.0 > 4.model"]), "4"), "pony");
});

test("nothing known is unknown, and never the oldest family", () => {
  assert.equal(family({ 1: ["LoadModel"], 9: ["LoadModel"] }), undefined);
  assert.equal(familyOf(graph(NODES, []), "4"), undefined);
});
