// Limits against the built wasm and real Durable Objects: never one over, and every failure as written.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Response, start } from "./harness.mjs";
import { entryWithObject } from "./support/entry.mjs";
import { HOST, PEPPER, from, keyFor, policyOf, tally, window } from "./support/policies.mjs";

const origin = () => new Response("ok");

async function statuses(gateway, count, headersOf, path = "/orders") {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, index) => gateway.fetch(HOST + path, { headers: headersOf(index) })),
  );
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  return answers.map((answer) => answer.status);
}

test("of many parallel requests exactly the limit reaches the origin, by address, caller and tenant", async () => {
  const [alice, bob] = [keyFor("alice", { tenant: "acme" }), keyFor("bob", { tenant: "acme" })];
  const only = (name, rule) =>
    policyOf({
      limits: { [name]: rule },
      authenticators: { keys: { kind: "api_key" } },
      routes: [{ auth: ["keys"] }],
    });
  const withKey = (key) => from("192.0.2.1", { "x-api-key": key.text });
  const cases = [
    ["ip", only("ip", window("ip", 13)), () => withKey(alice), 13],
    ["caller", only("caller", window("caller", 7)), () => withKey(alice), 7],
    ["tenant", only("tenant", window("tenant", 9)), (index) => withKey(index % 2 ? alice : bob), 9],
    ["two callers", only("caller", window("caller", 4)), (index) => withKey(index % 2 ? alice : bob), 8],
  ];
  for (const [name, policy, headersOf, admitted] of cases) {
    const kv = Object.fromEntries([alice.entry, bob.entry]);
    const gateway = await start({ policy, kv, vars: { KEY_PEPPER: PEPPER }, origin });
    const counts = tally(await statuses(gateway, 60, headersOf));
    assert.deepEqual(counts, { 200: admitted, 429: 60 - admitted }, name);
    assert.equal(gateway.originRequests.length, admitted, name);
    await gateway.stop();
  }
});

test("several limits of one caller are charged all or none", async () => {
  const policy = policyOf({ limits: { wide: window("ip", 50), narrow: window("ip", 5) } });
  const gateway = await start({ policy, origin });
  assert.deepEqual(tally(await statuses(gateway, 40, () => from("192.0.2.1"))), { 200: 5, 429: 35 });
  const refused = await gateway.fetch(`${HOST}/orders`, { headers: from("192.0.2.1") });
  const problem = await refused.json();
  assert.deepEqual(problem["violated-policies"], ["narrow"]);
  const fields = refused.headers.get("ratelimit-policy");
  assert.equal(fields, '"wide";q=50;w=60, "narrow";q=5;w=60');
  await gateway.stop();
});

test("a refused request costs nothing, and a retry after exactly Retry-After passes", async () => {
  const gateway = await start({ policy: policyOf({ limits: { tight: window("ip", 2, 1) } }), origin });
  const ask = () => gateway.fetch(`${HOST}/orders`, { headers: from("192.0.2.1") });
  const first = await ask();
  assert.equal(first.headers.get("ratelimit"), '"tight";r=1;t=1');
  assert.equal(first.headers.get("x-ratelimit-remaining"), "1");
  await statuses(gateway, 30, () => from("192.0.2.1"));
  const refused = await ask();
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("content-type"), "application/problem+json");
  // The one wait for a real clock: the promise is about real time.
  await sleep(Number(refused.headers.get("retry-after")) * 1_000);
  assert.deepEqual(tally(await statuses(gateway, 10, () => from("192.0.2.1"))), { 200: 2, 429: 8 });
  await gateway.stop();
});

test("an IPv6 client is its /64, and IPv4 in IPv6 clothes is IPv4", async () => {
  const gateway = await start({ policy: policyOf({ limits: { ip: window("ip", 3) } }), origin });
  const of = async (address) => (await statuses(gateway, 1, () => from(address)))[0];
  const addresses = ["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:DB8:0:1:ffff::", "2001:db8:0:1:a::b", "2001:db8:0:2::1"];
  const seen = [];
  for (const address of addresses) seen.push(await of(address));
  assert.deepEqual(seen, [200, 200, 200, 429, 200]);
  const mapped = [];
  for (const address of ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207", "192.0.2.7", "192.0.2.8"]) mapped.push(await of(address));
  assert.deepEqual(mapped, [200, 200, 200, 429, 200]);
  await gateway.stop();
});

test("what was granted is stored: a restart gives nobody a second limit", async () => {
  const state = await mkdtemp(join(tmpdir(), "edgeward-"));
  const policy = policyOf({ limits: { ip: window("ip", 4) } });
  const first = await start({ policy, origin, state });
  assert.deepEqual(tally(await statuses(first, 3, () => from("192.0.2.1"))), { 200: 3 });
  await first.stop();
  const second = await start({ policy, origin, state });
  assert.deepEqual(tally(await statuses(second, 10, () => from("192.0.2.1"))), { 200: 1, 429: 9 });
  await second.stop();
  await rm(state, { recursive: true });
});

test("one limit for all routes that name it, or one for each, as its scope says", async () => {
  const routes = [{}, { match: { methods: ["GET"], path: "/more" } }];
  for (const [scope, more] of [["service", 429], ["route", 200]]) {
    const policy = policyOf({ limits: { ip: window("ip", 1, 60, { scope }) }, routes });
    const gateway = await start({ policy, origin });
    assert.deepEqual(await statuses(gateway, 1, () => from("192.0.2.1")), [200]);
    assert.deepEqual(await statuses(gateway, 1, () => from("192.0.2.1"), "/more"), [more], scope);
    await gateway.stop();
  }
});

test("a limit in observe mode lets pass and says so", async () => {
  const policy = policyOf({ limits: { ip: window("ip", 1, 60, { mode: "observe" }) } });
  const gateway = await start({ policy, origin });
  for (let count = 0; count < 3; count += 1) {
    assert.deepEqual(await statuses(gateway, 1, () => from("192.0.2.1")), [200]);
  }
  const lines = await gateway.decisions(3);
  assert.deepEqual(lines.map((line) => [line.verdict, line.reason]), [
    ["admitted", undefined],
    ["observed", "over_limit"],
    ["observed", "over_limit"],
  ]);
  await gateway.stop();
});

const BROKEN = {
  "throws": "charge() { throw new Error('broken'); }",
  "never answers": "charge() { return new Promise(() => {}); }",
  "answers another question": `charge() { return '{"granted":[]}'; }`,
  "answers nonsense": "charge() { return '{'; }",
  "answers nothing": "charge() {}",
  "answers a number": "charge() { return 0; }",
};

for (const [how, method] of Object.entries(BROKEN)) {
  test(`a counter that ${how} means what on_error says, in bounded time`, async () => {
    const entry = entryWithObject("Limiter", method);
    for (const [on_error, expected] of [
      ["refuse", { 503: 6 }],
      ["admit", { 200: 6 }],
      ["local", { 200: 2, 429: 4 }],
    ]) {
      const policy = policyOf({ limits: { ip: window("ip", 2, 60, { on_error }) } });
      const gateway = await start({ policy, origin, entry });
      const began = performance.now();
      assert.deepEqual(tally(await statuses(gateway, 6, () => from("192.0.2.1"))), expected, on_error);
      assert.ok(performance.now() - began < 10_000, "a silent counter is not waited for");
      const [line] = await gateway.decisions(6);
      if (on_error === "refuse") assert.equal(line.reason, "counter_down");
      await gateway.stop();
    }
  });
}
