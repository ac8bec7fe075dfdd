// ComfyUI lists the templates of a node pack in the order of its file system, which may be any. Ours are numbered.
import { api } from "../host.js";

const OURS = decodeURIComponent(new URL(import.meta.url).pathname.split("/extensions/").pop().split("/")[0]);

/** Have our templates listed in the order of their numbers. */
export function orderTemplates() {
  const before = api.getWorkflowTemplates;
  if (!before) return;
  api.getWorkflowTemplates = async function () {
    const told = await before.apply(this, arguments);
    told?.[OURS]?.sort?.();
    return told;
  };
}
