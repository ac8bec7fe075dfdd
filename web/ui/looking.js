// Looking at a node a few times a second: texts also change where no callback tells (undo, load, another tab).
import { keyOf, nodeAt } from "../host.js";

/**
 * Call `look` every `every` ms while the state's node is in a graph and its element is shown. Undo and load make new node
 * objects, and the Vue renderer keeps showing the old element for the new one: `state.node` follows by its place in the graph.
 */
export function keepLooking(state, look, every) {
  const { node } = state;
  let timer = 0;
  let isRemoved = false;
  const tick = () => {
    if (state.root.isConnected) {
      attach(state);
      look();
    } else if (isRemoved) {
      clearInterval(timer);
      timer = 0;
    }
  };
  chain(node, "onAdded", () => {
    isRemoved = false;
    timer ||= setInterval(tick, every);
  });
  chain(node, "onRemoved", () => {
    isRemoved = true;
  });
}

/** Make sure that `state.node` is the live node. */
export function attach(state) {
  const key = keyOf(state.node);
  if (key) state.key = key;
  const now = !key && state.key ? nodeAt(state.key) : null;
  if (now?.comfyClass === state.node.comfyClass) state.node = now;
}

function chain(node, name, act) {
  const before = node[name];
  node[name] = function () {
    act();
    return before?.apply(this, arguments);
  };
}
