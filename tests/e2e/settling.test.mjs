// What a request costs in the end, told by its origin, and what comes back where the origin fails.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Response, start } from "./harness.mjs";
import { HOST, from, policyOf, window } from "./support/policies.mjs";

/** More than it takes to settle behind an answer. */
const SETTLED_MS_MAX = 5_000;

/** A limit of 40 units by address, and an origin that answers as `answer` says. */
async function priced(route, answer) {
  const policy = policyOf({ limits: { units: window("ip", 40) }, routes: [route] });
  const gateway = await start({ policy, origin: () => answer() });
  const ask = () => gateway.fetch(`${HOST}/orders`, { headers: from("192.0.2.1") });
  return { gateway, ask };
}

test("the origin's word on a cost is settled, told to nobody, and stands in the line", async () => {
  let used = "1";
  const answer = () => new Response("ok", { headers: { "x-tokens-used": used, "x-other": "kept" } });
  const cost = { reserve: 30, header: "x-tokens-used" };
  const { gateway, ask } = await priced({ cost }, answer);
  // Each reserves 30 of 40: the next has room only once the rest of the one before is back.
  for (let number = 0; number < 3; number += 1) {
    const until = Date.now() + SETTLED_MS_MAX;
    let response = await ask();
    while (response.status === 429 && Date.now() < until) {
      await sleep(50);
      response = await ask();
    }
    assert.equal(response.status, 200, `request ${number}`);
    assert.deepEqual([response.headers.get("x-tokens-used"), response.headers.get("x-other")], [null, "kept"]);
    const { cost: told, limits } = await gateway.decisionOf(response);
    assert.deepEqual(told, { reserved: 30, told: 1 });
    assert.equal(limits[0].charged, 1);
  }
  used = "500";
  let last = await ask();
  const until = Date.now() + SETTLED_MS_MAX;
  while (last.status === 429 && Date.now() < until) {
    await sleep(50);
    last = await ask();
  }
  assert.equal(last.status, 200);
  await sleep(500);
  assert.equal((await ask()).status, 429, "more than there is room for is owed");
  await gateway.stop();
});

test("what a cost over the content refuses is charged nothing", async () => {
  const match = { methods: ["POST"], path: "/orders" };
  const { gateway } = await priced({ match, cost: "size(request.body.lines)" }, () => new Response("ok"));
  const post = (lines) =>
    gateway.fetch(`${HOST}/orders`, {
      method: "POST",
      headers: from("192.0.2.1", { "content-type": "application/json" }),
      body: JSON.stringify({ lines: Array(lines).fill(0) }),
    });
  const dear = await post(41);
  assert.deepEqual([dear.status, dear.headers.get("retry-after")], [413, null]);
  assert.equal((await dear.json()).code, "payload-too-large");
  await sleep(500);
  assert.deepEqual([(await post(40)).status, (await post(1)).status], [200, 429]);
  await gateway.stop();
});

test("a failure that the policy names is refunded", async () => {
  const route = { cost: 4, refund_on: ["503"] };
  const { gateway, ask } = await priced(route, () => new Response("no", { status: 503 }));
  const response = await ask();
  assert.equal(response.status, 503);
  assert.equal((await gateway.decisionOf(response)).refund, "503");
  await sleep(500);
  const again = await ask();
  assert.match(again.headers.get("ratelimit"), /r=36/);
  await gateway.stop();
});
