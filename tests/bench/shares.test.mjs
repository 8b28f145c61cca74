// From profiles to shares of time.
import assert from "node:assert/strict";
import test from "node:test";
import { selfTimes, shares } from "../../benches/profile/shares.mjs";

const node = (id, functionName, hitCount, children = []) => ({ id, hitCount, children, callFrame: { functionName, url: "worker.js", lineNumber: 4, columnNumber: 0 } });

/** `outer` calls itself and `inner`; half of the time nothing runs. */
const nodes = [
  node(1, "(root)", 0, [2, 5]),
  node(2, "outer", 2, [3, 4]),
  node(3, "outer", 4, []),
  node(4, "<crate[0123456789abcdef]::Type>::inner", 2, []),
  node(5, "(idle)", 8, []),
];

test("time is what was not idle, by the function it was spent in", () => {
  assert.deepEqual(selfTimes({ nodes }), [
    { name: "outer", share: 0.75 },
    { name: "<crate::Type>::inner", share: 0.25 },
  ]);
});

test("with what it calls, a function that calls itself counts once", () => {
  assert.deepEqual(shares({ nodes }), [
    { name: "outer", share: 1 },
    { name: "<crate::Type>::inner", share: 0.25 },
  ]);
});

test("a function without a name is told by its place", () => {
  const [found] = selfTimes({ nodes: [node(1, "(root)", 0, [2]), node(2, "", 3)] });
  assert.equal(found.name, "(worker.js:5:1)");
});
