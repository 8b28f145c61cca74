// Leases under the real runtime: several processes share one counter, its object is evicted under load, a process
// dies with what it was lent; never one over.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Response } from "./harness.mjs";
import { overRate, overWindow } from "./support/audit.mjs";
import { from, policyOf, window } from "./support/policies.mjs";
import { startProcesses } from "./support/processes.mjs";

const LOAD_MS = 9_000;
const EVICT_EVERY_MS = 300;
const CLIENTS = 4;
const bucket = { by: "ip", algorithm: "token_bucket", rate_per_s: 40, burst: 60, on_error: "refuse" };

const routeOf = (id, limit) => ({ id, match: { methods: ["GET"], path: `/${id}` }, limits: [limit] });

/** Each route has one limit. `over`: units admitted beyond it, for certain. */
const CASES = {
  shared: { rule: window("ip", 90, 2), over: (admitted) => overWindow(admitted, 2_000, 90) },
  leased: { rule: window("ip", 400, 6), over: (admitted) => overWindow(admitted, 6_000, 400) },
  bucket: { rule: bucket, over: (admitted) => overRate(admitted, 60, 40 / 1_000) },
};

test("processes that share a counter never admit one over, whatever dies meanwhile", async (context) => {
  const routes = Object.keys(CASES).map((name) => routeOf(name, name));
  const limits = Object.fromEntries(Object.entries(CASES).map(([name, { rule }]) => [name, rule]));
  const policy = policyOf({
    limits: { ...limits, wide: window("ip", 1_000_000) },
    routes: [...routes, routeOf("health", "wide")],
  });
  const gateways = await startProcesses({ count: 3, policy, origin: () => new Response("ok") });
  const ends = performance.now() + LOAD_MS;
  const dies = performance.now() + LOAD_MS / 2;
  const asked = Object.fromEntries(Object.keys(CASES).map((name) => [name, []]));

  const client = async (index, name) => {
    // The last process dies in the middle.
    while (performance.now() < (index === 2 ? dies : ends)) {
      const told = await gateways.ask(index, `/${name}`, from("192.0.2.1")).catch(() => null);
      if (told) asked[name].push(told);
    }
  };
  const clients = [0, 1, 2].flatMap((index) =>
    Object.keys(CASES).flatMap((name) => Array.from({ length: CLIENTS }, () => client(index, name))),
  );
  const evictions = (async () => {
    let count = 0;
    while (performance.now() < ends) {
      await sleep(EVICT_EVERY_MS);
      count += await gateways.evictAll();
    }
    return count;
  })();
  const death = sleep(LOAD_MS / 2).then(() => gateways.kill(2));
  await Promise.all([...clients, death]);
  const evicted = await evictions;
  context.diagnostic(`${evicted} evictions`);
  assert.ok(evicted > 5);
  for (const [name, { over }] of Object.entries(CASES)) {
    const admitted = asked[name].filter(({ status }) => status === 200);
    const refused = asked[name].filter(({ status }) => status === 429);
    context.diagnostic(`${name}: ${admitted.length} admitted, ${refused.length} refused, over by ${over(admitted)}`);
    assert.equal(admitted.length + refused.length, asked[name].length, `${name}: another status`);
    assert.ok(over(admitted) <= 0, `${name} is over by ${over(admitted)}`);
    assert.ok(admitted.length > 0 && refused.length > 0, `${name}: no pressure`);
  }
  await gateways.stop();
});
