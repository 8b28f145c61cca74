// Requests that ask for a change, sent again to an origin that carries each key out once by itself.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "./harness.mjs";
import { HOST, PEPPER, from, keyFor, policyOf, window } from "./support/policies.mjs";

const vars = { KEY_PEPPER: PEPPER };
const alice = keyFor("alice");
const kv = Object.fromEntries([alice.entry]);

/**
 * An origin that acts once for each key, and may lose its connection after it acted. `drops`: how many more requests
 * are read and acted on, and then get no answer. `tries`: `[key, body]` of every request.
 */
async function payments() {
  const acted = new Map();
  const origin = { drops: 0, tries: [], acted: 0 };
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const key = request.headers["idempotency-key"];
    const body = Buffer.concat(parts).toString();
    origin.tries.push([key, body]);
    if (key === undefined || !acted.has(key)) {
      origin.acted += 1;
      acted.set(key, `payment ${origin.acted}`);
    }
    if (origin.drops > 0) {
      origin.drops -= 1;
      return void request.socket.destroy();
    }
    response.writeHead(201, { "content-type": "text/plain" }).end(acted.get(key));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  origin.url = `http://127.0.0.1:${server.address().port}`;
  origin.stop = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  return origin;
}

async function behind(retry, drops, test) {
  const origin = await payments();
  const policy = policyOf({
    origins: { orders: { url: origin.url, timeout_ms: 2_000, retry } },
    limits: { mine: window("caller", 1_000) },
    authenticators: { keys: { kind: "api_key" } },
    routes: [{ id: "pay", match: { methods: ["POST"], path: "/payments" }, auth: ["keys"], idempotency: "optional" }],
  });
  const gateway = await start({ policy, vars, kv });
  origin.drops = drops;
  const pay = (key, body = '{"amount":1}') =>
    gateway.fetch(`${HOST}/payments`, {
      method: "POST",
      headers: from("192.0.2.1", { "x-api-key": alice.text, "content-type": "application/json", ...(key && { "idempotency-key": key }) }),
      body,
    });
  try {
    await test({ gateway, origin, pay });
  } finally {
    await gateway.stop();
    await origin.stop();
  }
}

test("an origin that acted and lost its connection is asked again, acts once, and its caller gets the answer", () =>
  behind({ origin_knows_keys: true }, 1, async ({ gateway, origin, pay }) => {
    const answer = await pay('"a"');
    assert.deepEqual([answer.status, await answer.text()], [201, "payment 1"]);
    assert.deepEqual(origin.tries, [['"a"', '{"amount":1}'], ['"a"', '{"amount":1}']]);
    assert.equal(origin.acted, 1);
    const line = await gateway.decisionOf(answer);
    assert.deepEqual([line.status, line.origin.retries], [201, 1]);
    const again = await pay('"a"');
    assert.deepEqual([again.status, await again.text(), again.headers.get("idempotent-replayed")], [201, "payment 1", "true"]);
    assert.equal(origin.tries.length, 2, "one answer is kept");
  }));

test("without the policy's word, or without a key, it is asked once", async () => {
  await behind({}, 1, async ({ origin, pay }) => {
    assert.equal((await pay('"a"')).status, 503);
    await sleep(50); // what became of it is told behind the answer
    assert.deepEqual([(await pay('"a"')).status, origin.tries.length], [409, 1]);
  });
  await behind({ origin_knows_keys: true }, 1, async ({ origin, pay }) => {
    assert.equal((await pay(undefined)).status, 503);
    assert.equal(origin.tries.length, 1);
  });
});

test("an origin that is down gets a tenth more and one, and what nobody knows stays unknown", () =>
  behind({ origin_knows_keys: true, attempts: 3 }, Number.POSITIVE_INFINITY, async ({ origin, pay }) => {
    for (let number = 0; number < 25; number += 1) assert.equal((await pay(`"k${number}"`)).status, 503);
    assert.equal(origin.tries.length, 25 + 1 + 2);
    assert.equal(origin.acted, 25);
    origin.drops = 0;
    await sleep(50);
    assert.deepEqual([(await pay('"k0"')).status, origin.tries.length], [409, 28]);
  }));

test("while it is sent again its key is in flight, and others with it are told to wait", () =>
  behind({ origin_knows_keys: true, attempts: 3 }, 1, async ({ origin, pay }) => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => pay('"a"')));
    const statuses = new Set(answers.map(({ status }) => status));
    statuses.delete(409);
    assert.deepEqual([[...statuses], origin.acted, origin.tries.length], [[201], 1, 2]);
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  }));
