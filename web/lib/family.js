// The family of models that a graph paints with: from file names, loaders, sampling, latent and encoder nodes. What none of
// them tells is unknown. Plain data, no page.
// @ts-check
import { above } from "./runs.js";
import { valueOf } from "./values.js";

/** @typedef {import("./flat.js").Flat} Flat */
/** @typedef {import("./flat.js").FlatNode} FlatNode */

/**
 * Names as files have them, the narrower first: a fine-tune is told before what it was made of.
 * @type {[string, RegExp][]}
 */
const FILES = [
  ["pony", /pony/i],
  ["noobai", /noob/i],
  ["illustrious", /illustrious|illus(xl|_)|animagine-?_?xl-?_?4|wai[-_ ]?(illu|nsfw|ani)/i],
  ["flux2", /flux[-_. ]?2|klein/i],
  ["chroma", /chroma/i],
  ["krea2", /krea[-_]?2/i],
  ["flux", /flux/i],
  ["sd3", /sd[-_]?3|stable[-_]diffusion[-_]3/i],
  ["hidream", /hidream/i],
  ["qwen-image", /qwen[-_]?image/i],
  ["z-image", /z[-_]?image/i],
  ["lumina2", /lumina|neta[-_]?yume/i],
  ["anima", /(^|[^a-z])anima([^a-z]|$)/i],
  ["wan", /(^|[^a-z])wan[-_ ]?\d/i],
  ["hunyuandit", /hunyuan[-_]?dit/i],
  ["hunyuan-image", /hunyuan[-_]?image/i],
  ["hunyuan-video", /hunyuan[-_]?video/i],
  ["cosmos", /cosmos/i],
  ["ernie", /ernie/i],
  ["ltx", /ltx/i],
  ["kandinsky5", /kandinsky[-_]?5/i],
  ["omnigen2", /omnigen[-_]?2/i],
  ["pixart", /pixart/i],
  ["auraflow", /aura[-_]?flow/i],
  ["sdxl", /sd[-_]?xl|[a-z]xl([^a-z]|$)|(^|[^a-z])xl([^a-z]|$)/i],
  ["sd2", /sd[-_]?2[-_.]?[01]|stable[-_]?diffusion[-_]2|(^|[^a-z0-9])v2[-_.][01]|512-base-ema|768-v-ema/i],
  ["sd15", /sd[-_]?1[-_.]?[45]|stable[-_]?diffusion[-_]v?1|(^|[^a-z0-9])v1[-_.][45]/i],
];

/** What loaders of text encoders call a model, where it is not our name; `stable_diffusion` is also what others are loaded with. */
const CLIP_TYPES = /** @type {Record<string, string>} */ ({
  ltxv: "ltx", hunyuan_video_15: "hunyuan-video", kandinsky5_image: "kandinsky5",
});
const NO_TYPE = new Set(["stable_diffusion", "undefined"]);

/** Nodes that only one family has. @type {[string, RegExp][]} */
const NODES = [
  ["world", /^NegOptDemoModel$/],
  ["sdxl", /^CLIPTextEncodeSDXL/],
  ["sd3", /^CLIPTextEncodeSD3$|^TripleCLIPLoader$/],
  ["hidream", /^CLIPTextEncodeHiDream$|^QuadrupleCLIPLoader$/],
  ["lumina2", /^CLIPTextEncodeLumina2$/],
  ["kandinsky5", /^CLIPTextEncodeKandinsky5$/],
  ["hunyuandit", /^CLIPTextEncodeHunyuanDiT$/],
  ["pixart", /^CLIPTextEncodePixArtAlpha$/],
  ["qwen-image", /^TextEncodeQwenImageEdit/],
  ["z-image", /^TextEncodeZImageOmni$/],
  ["flux", /^CLIPTextEncodeFlux$|^ModelSamplingFlux$/],
  ["hunyuan-image", /^EmptyHunyuanImageLatent$/],
  ["flux2", /^EmptyFlux2LatentImage$|^Flux2Scheduler$/],
  ["ltx", /^EmptyLTXVLatentVideo$|^LTXVConditioning$/],
  ["cosmos", /^EmptyCosmosLatentVideo$/],
  ["chroma", /^EmptyChromaRadianceLatentImage$/],
];
const MODEL_FILE = /\.(safetensors|sft|ckpt|gguf|pt|pth|bin)$/i;
/** A text encoder that Z-Image uses under the name of Lumina. */
const Z_ENCODER = /qwen[-_]?3[-_]?4b/i;

/**
 * The family that the graph tells; undefined if it does not.
 * @param {Flat} flat @param {string} samplerKey
 * @returns {string | undefined}
 */
export function familyOf(flat, samplerKey) {
  const sampler = flat.get(samplerKey);
  if (!sampler) return undefined;
  const models = above(flat, sampler, "MODEL");
  if (models.some((node) => node.type === "NegOptDemoModel")) return "world";
  const loader = models.at(-1);
  const named = loader && familyOfFiles(flat, loader);
  if (named) return named;
  const clips = upstream(flat, sampler, ["CONDITIONING", "CLIP"]);
  return clips.map((node) => familyOfLoader(flat, node)).find(Boolean) ?? familyOfNodes([...models, ...clips, ...upstream(flat, sampler, ["LATENT"])]);
}

/** @param {Flat} flat @param {FlatNode} loader */
function familyOfFiles(flat, loader) {
  const files = namesIn(flat, loader).filter((name) => MODEL_FILE.test(name));
  return FILES.find(([, pattern]) => files.some((name) => pattern.test(name.split(/[\\/]/).pop() ?? "")))?.[0];
}

/** The texts that a node's widgets are set to, through a subgraph's widget too. @param {Flat} flat @param {FlatNode} node */
const namesIn = (flat, node) =>
  Object.keys(node.widgets).map((name) => valueOf(flat, node, name).value).filter((value) => typeof value === "string");

/** @param {Flat} flat @param {FlatNode} node */
function familyOfLoader(flat, node) {
  if (!/CLIPLoader/i.test(node.type)) return undefined;
  const { value: type } = valueOf(flat, node, "type");
  if (type === "lumina2") return namesIn(flat, node).some((name) => Z_ENCODER.test(name)) ? "z-image" : "lumina2";
  return NO_TYPE.has(String(type)) ? undefined : (CLIP_TYPES[String(type)] ?? String(type).replaceAll("_", "-"));
}

/** @param {FlatNode[]} nodes */
const familyOfNodes = (nodes) => NODES.find(([, pattern]) => nodes.some((node) => pattern.test(node.type)))?.[0];

/** Every node above, along links of these types. @param {Flat} flat @param {FlatNode} start @param {string[]} types */
function upstream(flat, start, types) {
  const found = new Set([start]);
  for (const node of found) {
    for (const input of node.inputs) {
      const next = types.includes(input.type) && input.origin ? flat.get(input.origin.key) : undefined;
      if (next) found.add(next);
    }
  }
  return [...found];
}
