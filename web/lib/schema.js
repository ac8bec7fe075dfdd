// What a node's schema tells, as ComfyUI's /object_info gives it and the page keeps it. Plain data, no page.
// @ts-check

const CORE = /^(nodes|comfy_extras\.|comfy_api_nodes\.)/;

/**
 * Which inputs take words (`long`), in order, and whether the node is ComfyUI's own. Words go into text of several lines, or
 * come in through a text socket; where a schema marks some of them for wildcards, as ComfyUI's own does, only those are words.
 * @param {any} data the definition; undefined for nodes of the page alone
 * @returns {{ long: string[], isCore: boolean }}
 */
export function describe(data) {
  const inputs = Object.entries({ ...data?.input?.required, ...data?.input?.optional });
  const texts = inputs.filter(([, spec]) => spec?.[0] === "STRING" && (spec[1]?.multiline || spec[1]?.forceInput));
  const marked = texts.filter(([, spec]) => spec[1]?.dynamicPrompts);
  const long = (marked.length ? marked : texts).map(([name]) => name);
  return { long, isCore: CORE.test(String(data?.python_module ?? "")) };
}
