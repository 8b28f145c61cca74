// A fault of the gateway itself ends one request: no other, no counter, no chain.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Response, start } from "./harness.mjs";
import { HOST, from, policyOf, window } from "./support/policies.mjs";

test("a panic in one request leaves the others, the counters and the log chain whole", async () => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const policy = policyOf({
    limits: { ip: window("ip", 8) },
    routes: [{}, { match: { methods: ["GET"], path: "/slow" } }],
  });
  const gateway = await start({
    policy,
    vars: { EDGEWARD_TEST_PANIC_PATH: "/panic", AUDIT_KEY: "a key for the chain" },
    origin: async (request) => {
      if (request.url.endsWith("/slow")) await held;
      return new Response("ok");
    },
  });
  const ask = (path) => gateway.fetch(HOST + path, { headers: from("192.0.2.1") });
  assert.equal((await ask("/orders")).status, 200);
  const slow = [ask("/slow"), ask("/slow"), ask("/slow")];
  while (gateway.originRequests.length < 4) await new Promise(setImmediate);

  for (let count = 0; count < 5; count += 1) {
    const panicked = await ask("/panic");
    assert.equal(panicked.status, 503);
    const problem = await panicked.json();
    assert.equal(problem.code, "overloaded");
    assert.ok(!JSON.stringify(problem).includes("asked to"), "the panic's own words stay inside");
  }
  release();
  assert.deepEqual((await Promise.all(slow)).map((answer) => answer.status), [200, 200, 200]);
  const after = [];
  for (let count = 0; count < 6; count += 1) after.push((await ask("/orders")).status);
  assert.deepEqual(after, [200, 200, 200, 200, 429, 429]);

  const lines = await gateway.decisions();
  assert.equal(lines.length, 15, "each request leaves one line, panicked or not");
  assert.equal(new Set(lines.map((line) => line.chain.id)).size, 1, "the isolate was not thrown away");
  assert.deepEqual(lines.map((line) => line.chain.seq), lines.map((_, index) => index));
  assert.equal(lines.filter((line) => line.reason === "panicked").length, 5);
  await gateway.stop();
});

test("a trap ends the requests of its wasm instance with an answer each, and another instance goes on", async () => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const gateway = await start({
    policy: policyOf({ routes: [{}, { match: { methods: ["GET"], path: "/slow" } }] }),
    vars: { EDGEWARD_TEST_PANIC_PATH: "/panic" },
    origin: async (request) => {
      if (request.url.endsWith("/slow")) await held;
      return new Response("ok");
    },
  });
  const ask = (path) => gateway.fetch(HOST + path, { headers: from("192.0.2.1") });
  assert.equal((await ask("/orders")).status, 200);
  const slow = [ask("/slow"), ask("/slow")];
  while (gateway.originRequests.length < 3) await new Promise(setImmediate);

  const ended = await Promise.all([ask("/panic/abort"), ...slow]);
  for (const answer of ended) {
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.equal((await answer.json()).code, "overloaded");
  }
  // Under the numbers that the old instance waited for, the new one is given nothing.
  release();
  for (let count = 0; count < 5; count += 1) assert.equal((await ask("/orders")).status, 200);
  await gateway.stop();
});
