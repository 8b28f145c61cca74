// Leases under the real runtime: several processes share one counter, its object is evicted under load, a process
// dies with what it was lent; never one over.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { buildFolder } from "../../scripts/place.mjs";
import { LOCAL_CF } from "../../scripts/serve/worker.mjs";
import { Response, start } from "./harness.mjs";
import { overRate, overWindow } from "./support/audit.mjs";
import { objectName } from "./support/objects.mjs";
import { startIsolates } from "./support/isolates.mjs";
import { HOST, PEPPER, from, keyFor, policyOf, tally, window } from "./support/policies.mjs";
import { startProcesses } from "./support/processes.mjs";

const LOAD_MS = 9_000;
const EVICT_EVERY_MS = 300;
const CLIENTS = 4;
/** A window, a lease, and what the alarm waits. */
const CLEARED_MS = 12_000;
const origin = () => new Response("ok");
const bucket = { by: "ip", algorithm: "token_bucket", rate_per_s: 40, burst: 60, on_error: "refuse" };

const routeOf = (id, limit) => ({ id, match: { methods: ["GET"], path: `/${id}` }, limits: [limit] });

/** Each route has one limit. `over`: units admitted beyond it, for certain. */
const CASES = {
  shared: { rule: window("ip", 90, 2), over: (admitted) => overWindow(admitted, 2_000, 90) },
  leased: { rule: window("ip", 200, 6), over: (admitted) => overWindow(admitted, 6_000, 200) },
  bucket: { rule: bucket, over: (admitted) => overRate(admitted, 60, 40 / 1_000) },
};

test("processes that share a counter never admit one over, whatever dies meanwhile", async (context) => {
  const routes = Object.keys(CASES).map((name) => routeOf(name, name));
  const limits = Object.fromEntries(Object.entries(CASES).map(([name, { rule }]) => [name, rule]));
  const policy = policyOf({
    limits: { ...limits, wide: window("ip", 1_000_000) },
    routes: [...routes, routeOf("health", "wide")],
  });
  const gateways = await startProcesses({ count: 3, policy, origin });
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
    assert.ok(admitted.length > 0, `${name}: nobody was admitted`);
  }
  await gateways.stop();
});

/** The built entry, whose `Limiter` also tells how many tables it has. */
function tellingEntry() {
  const folder = process.env.EDGEWARD_BUILD ?? buildFolder("release");
  return `${readFileSync(join(folder, "entry.js"), "utf8")}
Limiter.prototype.tables = function () {
  const query = "SELECT count(*) AS n FROM sqlite_master WHERE name IN ('rows', 'notes')";
  return this.ctx.storage.sql.exec(query).one().n;
};
`;
}

test("an object in which nothing counts any more clears its storage", async () => {
  const policy = policyOf({ limits: { short: window("ip", 5, 1) } });
  const gateway = await start({ policy, entry: tellingEntry(), origin });
  assert.equal((await gateway.fetch(`${HOST}/orders`, { headers: from("192.0.2.1") })).status, 200);
  const namespace = await gateway.miniflare.getDurableObjectNamespace("LIMITER");
  const object = namespace.get(namespace.idFromName(objectName("network", "192.0")));
  assert.equal(await object.tables(), 2);
  const until = Date.now() + CLEARED_MS;
  while ((await object.tables()) > 0 && Date.now() < until) await sleep(100);
  assert.equal(await object.tables(), 0);
  await gateway.stop();
});

test("whoever shows no good credential makes no objects but that of its network", async () => {
  const rule = (by) => ({ [by]: window(by, 5) });
  const policy = policyOf({
    limits: { ...rule("caller"), ...rule("tenant"), ...rule("ip") },
    authenticators: { keys: { kind: "api_key" } },
    routes: [
      { auth: ["keys"], limits: ["caller", "tenant"] },
      { id: "shielded", match: { methods: ["GET"], path: "/shielded" }, auth: ["keys"], limits: ["ip", "caller"] },
    ],
  });
  const gateway = await start({ policy, vars: { KEY_PEPPER: PEPPER }, origin });
  const ask = (path, index) => {
    const headers = from(`192.0.2.${index}`, { "x-api-key": keyFor(`nobody-${index}`).text });
    return gateway.fetch(HOST + path, { headers }).then((answer) => answer.status);
  };
  const many = Array.from({ length: 30 }, (_, index) => index);
  assert.deepEqual(tally(await Promise.all(many.map((index) => ask("/orders", index)))), { 401: 30 });
  assert.deepEqual(await gateway.miniflare.listDurableObjectIds("LIMITER"), []);
  assert.deepEqual(tally(await Promise.all(many.map((index) => ask("/shielded", index)))), { 401: 30 });
  assert.equal((await gateway.miniflare.listDurableObjectIds("LIMITER")).length, 1);
  await gateway.stop();
});

test("brokers between isolates and a counter add nothing to the limit", async () => {
  const policy = policyOf({ limits: { all: window("service", 70, 60, { brokers: 3 }) } });
  const { isolates, stop } = await startIsolates({ count: 4, policy, origin });
  const colos = ["DFW", "FRA", "SIN", "GRU"];
  const ask = async (index) => {
    const cf = { ...LOCAL_CF, colo: colos[index % 4] };
    const answer = await isolates[index % 4](`${HOST}/orders`, { headers: from("192.0.2.1"), cf });
    await answer.arrayBuffer();
    return answer.status;
  };
  const told = await Promise.all(Array.from({ length: 200 }, (_, index) => ask(index)));
  const { 200: admitted, 429: refused } = tally(told);
  assert.ok(admitted <= 70 && admitted > 30, `${admitted} of 70 admitted`);
  assert.equal(admitted + refused, 200);
  await stop();
});

test("a broker refuses nobody as long as there is room", async () => {
  const policy = policyOf({ limits: { all: window("service", 100, 60, { brokers: 2 }) } });
  const gateway = await start({ policy, origin });
  const statuses = [];
  for (let index = 0; index < 60; index += 1) {
    const answer = await gateway.fetch(`${HOST}/orders`, { headers: from("192.0.2.1") });
    await answer.arrayBuffer();
    statuses.push(answer.status);
  }
  assert.deepEqual(tally(statuses), { 200: 60 });
  await gateway.stop();
});
