// What has to move down when nodes grow.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pushedDown } from "../../../web/lib/room.js";

const box = (id, left, top, height, width = 100) => ({ id, left, top, width, height });

test("nothing moves where nothing is covered", () => {
  assert.deepEqual(pushedDown([box(1, 0, 0, 100), box(2, 0, 110, 100), box(3, 200, 0, 400)], [1], 10), []);
});

test("what is covered moves below, and pushes on", () => {
  const boxes = [box(1, 0, 0, 150), box(2, 50, 100, 100), box(3, 0, 220, 50), box(4, 200, 100, 50)];
  assert.deepEqual(pushedDown(boxes, [1], 10), [[2, 160], [3, 270]]);
});

test("what stands higher stays", () => {
  assert.deepEqual(pushedDown([box(1, 0, 0, 150), box(2, 0, 100, 100)], [2], 10), []);
});

test("two that grew: the lower goes below the upper, and its own neighbour below that", () => {
  const boxes = [box("lower", 0, 100, 200), box("upper", 0, 0, 150), box("last", 0, 250, 20)];
  assert.deepEqual(pushedDown(boxes, ["lower", "upper"], 10), [["lower", 160], ["last", 370]]);
});

test("the boxes that were handed in are not changed", () => {
  const boxes = [box(1, 0, 0, 150), box(2, 0, 100, 100)];
  pushedDown(boxes, [1], 10);
  assert.equal(boxes[1].top, 100);
});
