// Room for a node that has grown: what it now covers moves down, and so does what that covers in turn.
// @ts-check

/** @typedef {{id: number | string, left: number, top: number, width: number, height: number}} Box */

/**
 * The boxes that have to move down, as [id, new top]. A box that starts higher than a grown one stays where it is.
 * @param {Box[]} boxes
 * @param {(number | string)[]} ids of those that have grown
 * @param {number} gap
 * @returns {[number | string, number][]}
 */
export function pushedDown(boxes, ids, gap) {
  const places = boxes.map((box) => ({ ...box }));
  const moved = new Map();
  const queue = places.filter((box) => ids.includes(box.id)).sort((one, other) => one.top - other.top);
  for (const upper of queue) {
    for (const box of places) {
      if (box === upper || box.top < upper.top || !covers(upper, box)) continue;
      box.top = upper.top + upper.height + gap;
      moved.set(box.id, box.top);
      queue.push(box);
    }
  }
  return [...moved];
}

/**
 * @param {Box} one
 * @param {Box} other
 */
const covers = (one, other) =>
  one.left < other.left + other.width &&
  other.left < one.left + one.width &&
  one.top < other.top + other.height &&
  other.top < one.top + one.height;
