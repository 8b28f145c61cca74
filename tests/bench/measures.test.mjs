// What is made of samples.
import assert from "node:assert/strict";
import test from "node:test";
import { addedRatio, inTurn, median, ratio, spread } from "../../benches/runtime/measures.mjs";

test("a median is the middle one, or halfway between the two", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([1, 5, 9, 7]), 6);
});

test("a spread names the least, the most and the median of a field", () => {
  assert.deepEqual(spread([{ cpu: 3 }, { cpu: 9 }, { cpu: 4 }], "cpu"), { median: 4, least: 3, most: 9 });
});

test("what is added is compared within each round, so that a slow round changes nothing", () => {
  const calm = { floor: 100, one: 200, other: 300 };
  const slow = { floor: 1_000, one: 2_000, other: 3_000 };
  assert.equal(addedRatio([calm, slow, calm]), 0.5);
  assert.equal(ratio([{ one: 1, other: 2 }, { one: 10, other: 20 }]), 0.5);
});

test("every other round goes the other way around", () => {
  assert.deepEqual(inTurn([1, 2, 3], 0), [1, 2, 3]);
  assert.deepEqual(inTurn([1, 2, 3], 1), [3, 2, 1]);
});
