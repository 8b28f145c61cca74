// A request with an `Idempotency-Key` is carried out once, whatever repeats it and whatever dies meanwhile.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { buildFolder } from "../../scripts/place.mjs";
import { Response, httpOrigin, start } from "./harness.mjs";
import { HOST, PEPPER, from, keyFor, policyOf, tally, window } from "./support/policies.mjs";

const vars = { KEY_PEPPER: PEPPER };
const alice = keyFor("alice", { tenant: "acme" });
const bob = keyFor("bob", { tenant: "acme" });
const kv = Object.fromEntries([alice.entry, bob.entry]);

const policyWith = (idempotency, { origins, ...route } = {}) =>
  policyOf({
    limits: { mine: window("caller", 1_000) },
    authenticators: { keys: { kind: "api_key" } },
    routes: [{ id: "pay", match: { methods: ["POST", "GET"], path: "/payments" }, auth: ["keys"], idempotency, ...route }],
    ...(origins && { origins }),
  });

/** Asks `gateway` to pay. */
const pay = (gateway, { key = '"one"', caller = alice, body = '{"amount":1}', path = "/payments", ...init } = {}) =>
  gateway.fetch(HOST + path, {
    method: "POST",
    headers: from("192.0.2.1", {
      "x-api-key": caller.text,
      "content-type": "application/json",
      ...(key !== null && { "idempotency-key": key }),
    }),
    body,
    ...init,
  });

const builtEntry = () => readFileSync(join(process.env.EDGEWARD_BUILD ?? buildFolder("release"), "entry.js"), "utf8");
const bytesOf = async (answer) => Buffer.from(await answer.arrayBuffer());
const codeOf = async (answer) => [answer.status, (await answer.json()).code];

test("a repeat gets the same answer, byte for byte, and the origin acts once", async () => {
  let acted = 0;
  const bytes = Buffer.from([0, 255, 10, 13, 128, 7]);
  const origin = () => {
    acted += 1;
    const headers = { location: "/payments/7", "content-type": "application/octet-stream", "set-cookie": "s=1", server: "secret" };
    return new Response(bytes, { status: 201, headers });
  };
  const gateway = await start({ policy: policyWith("required"), vars, kv, origin });
  const [first, again] = [await pay(gateway), await pay(gateway)];
  assert.deepEqual([first.status, again.status, acted], [201, 201, 1]);
  assert.deepEqual([await bytesOf(first), await bytesOf(again)], [bytes, bytes]);
  assert.deepEqual([first.headers.get("idempotent-replayed"), again.headers.get("idempotent-replayed")], [null, "true"]);
  for (const name of ["location", "content-type", "x-content-type-options", "content-length"])
    assert.equal(again.headers.get(name), first.headers.get(name), name);
  assert.equal(again.headers.get("set-cookie"), null);
  assert.equal(again.headers.get("server"), null);
  assert.notEqual(again.headers.get("x-request-id"), first.headers.get("x-request-id"));
  assert.equal(again.headers.get("x-ratelimit-remaining"), first.headers.get("x-ratelimit-remaining"), "costs nothing again");
  const told = await gateway.decisionOf(again);
  assert.deepEqual([told.verdict, told.status, told.idempotency, told.origin], ["admitted", 201, "replayed", undefined]);
  assert.equal(gateway.originRequests[0].headers["accept-encoding"], "identity");
  await gateway.stop();
});

test("a key may have quotes in it, and is no other for them", async () => {
  let acted = 0;
  const gateway = await start({ policy: policyWith("required"), vars, kv, origin: () => new Response(`${(acted += 1)}`) });
  for (const key of ['"say \\"one\\""', '"\\""', '"\\\\"', `"${'\\"'.repeat(255)}"`]) {
    const before = acted;
    for (const times of [1, 2]) assert.equal(await (await pay(gateway, { key })).text(), `${before + 1}`, `${key}, ${times}`);
  }
  assert.equal(acted, 4);
  for (const key of ['"a\\"", "b"', '"a\\", "b"', '"a\\\\", "b"', '"a"b"', `"${'\\"'.repeat(256)}"`])
    assert.deepEqual(await codeOf(await pay(gateway, { key })), [400, "header-invalid"], key);
  await gateway.stop();
});

test("a key is one of its caller, and of one request", async () => {
  let acted = 0;
  const gateway = await start({ policy: policyWith("required"), vars, kv, origin: () => new Response(`${(acted += 1)}`) });
  assert.equal(await (await pay(gateway)).text(), "1");
  assert.equal(await (await pay(gateway, { caller: bob })).text(), "2");
  assert.equal(await (await pay(gateway, { key: '"two"' })).text(), "3");
  assert.deepEqual(await codeOf(await pay(gateway, { body: '{"amount":2}' })), [422, "idempotency-mismatch"]);
  assert.deepEqual(await codeOf(await pay(gateway, { path: "/payments?fast" })), [422, "idempotency-mismatch"]);
  for (const [key, code] of [[null, "idempotency-key-required"], ["one", "header-invalid"], ['""', "header-invalid"]])
    assert.deepEqual(await codeOf(await pay(gateway, { key })), [400, code], key);
  const read = await gateway.fetch(`${HOST}/payments`, { headers: from("192.0.2.1", { "x-api-key": alice.text }) });
  assert.equal(await read.text(), "4", "what changes nothing needs no key");
  assert.equal(acted, 4);
  await gateway.stop();
});

test("of fifty at once one acts; the others are told to come again, and get its answer", async () => {
  let acted = 0;
  const origin = async () => {
    acted += 1;
    await sleep(300);
    return new Response("done", { status: 201 });
  };
  const gateway = await start({ policy: policyWith("required"), vars, kv, origin });
  const answers = await Promise.all(Array.from({ length: 50 }, () => pay(gateway)));
  const refused = answers.find(({ status }) => status === 409);
  assert.match(refused.headers.get("retry-after"), /^[12]$/);
  assert.deepEqual(await codeOf(refused), [409, "idempotency-conflict"]);
  const counts = tally(answers.map(({ status }) => status));
  assert.equal(acted, 1);
  assert.equal(counts[201] + counts[409], 50);
  assert.deepEqual([(await pay(gateway)).status, acted], [201, 1]);
  await Promise.all(answers.filter((answer) => !answer.bodyUsed).map((answer) => answer.arrayBuffer()));
  await gateway.stop();
});

test("failures of the origin stand, refusals before it acted do not, and what nobody knows is not tried again", async () => {
  const answers = [];
  const server = await httpOrigin((request, response) => {
    const status = answers.shift();
    if (!status) return void request.socket.destroy();
    response.writeHead(status).end(`${status}`);
  });
  const origins = { orders: { url: server.url, timeout_ms: 1_000 } };
  const gateway = await start({ policy: policyWith("optional", { origins }), vars, kv });
  const twice = async (key, first, ...rest) => {
    answers.push(...rest);
    const before = server.requests.length;
    const statuses = [(await pay(gateway, { key })).status];
    await sleep(50); // what is told of a claim is told behind the answer
    statuses.push((await pay(gateway, { key })).status);
    return [...statuses, server.requests.length - before];
  };
  assert.deepEqual(await twice('"503"', 503, 503), [503, 503, 1]);
  assert.deepEqual(await twice('"401"', 401, 401, 201), [401, 201, 2]);
  assert.deepEqual(await twice('"429"', 429, 429, 201), [429, 201, 2]);
  assert.deepEqual(await twice('"gone"', null, null), [503, 409, 1]);
  await gateway.stop();
  await server.stop();
});

test("a client that goes away before its answer finds it when it comes again, and the origin acts once", async () => {
  const answers = [];
  const server = await httpOrigin((request, response) => answers.push(response));
  const origins = { orders: { url: server.url, timeout_ms: 5_000 } };
  const transport = { https_only: false };
  const gateway = await start({ policy: { ...policyWith("required", { origins }), profile: "development", transport }, vars, kv });
  const fields = { host: "gateway.test", "x-api-key": alice.text, "content-type": "application/json", "content-length": 2 };
  for (const [number, leave] of [(socket) => socket.resetAndDestroy(), (socket) => socket.destroy()].entries()) {
    const key = `"left ${number}"`;
    const lines = Object.entries({ ...from("192.0.2.1"), ...fields, "idempotency-key": key });
    const head = lines.map(([name, value]) => `${name}: ${value}`).join("\r\n");
    const socket = connect({ host: gateway.url.hostname, port: gateway.url.port });
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write(`POST /payments HTTP/1.1\r\n${head}\r\n\r\n{}`);
    while (answers.length <= number) await sleep(10);
    leave(socket);
    await sleep(200); // the platform has to have noticed
    answers[number].writeHead(201).end("done");
    const again = async () => {
      const answer = await pay(gateway, { key, body: "{}" });
      return [answer.status, answer.headers.get("idempotent-replayed")];
    };
    const until = Date.now() + 5_000;
    let told = await again();
    while (told[0] === 409 && Date.now() < until) {
      await sleep(50);
      told = await again();
    }
    assert.deepEqual([...told, server.requests.length], [201, "true", number + 1]);
  }
  await gateway.stop();
  await server.stop();
});

test("an answer too large to keep passes whole, and its repeat is told so and does nothing", async () => {
  const sizes = [];
  const origin = (request) => {
    const size = Number(new URL(request.url).searchParams.get("size"));
    sizes.push(size);
    const stream = new ReadableStream({
      start(controller) {
        for (let left = size; left > 0; left -= 1_000) controller.enqueue(new Uint8Array(Math.min(left, 1_000)));
        controller.close();
      },
    });
    return new Response(stream, { status: 200 });
  };
  const policy = policyWith({ key: "required", answer_bytes_max: 5_000 });
  const gateway = await start({ policy, vars, kv, origin });
  for (const [size, again] of [[5_000, 200], [5_001, 409], [2_000_000, 409]]) {
    const ask = () => pay(gateway, { key: `"${size}"`, path: `/payments?size=${size}` });
    const first = await ask();
    assert.deepEqual([first.status, (await bytesOf(first)).length], [200, size]);
    const second = await ask();
    assert.equal(second.status, again);
    if (again === 409) assert.match((await second.json()).detail, /status 200.*too large/);
    else assert.equal((await bytesOf(second)).length, size);
  }
  assert.deepEqual(sizes, [5_000, 5_001, 2_000_000]);
  await gateway.stop();
});

test("an answer that is read before it leaves has no more time than its bounds say", async () => {
  const server = await httpOrigin((request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const drip = setInterval(() => response.write(" "), 50);
    response.on("close", () => clearInterval(drip));
  });
  const origins = { orders: { url: server.url, timeout_ms: 2_000, answer: { total_timeout_ms: 1_000 } } };
  const policy = policyWith("required", { origins });
  policy.routes.push({ ...policy.routes[0], id: "judged", match: { methods: ["GET"], path: "/judged" }, idempotency: "off" });
  policy.routes[1].response = { allow: "true" };
  const gateway = await start({ policy, vars, kv });
  const timed = async (asking) => {
    const begun = Date.now();
    const answer = await asking;
    await answer.arrayBuffer().catch(() => {});
    const ms = Date.now() - begun;
    assert.ok(ms >= 900 && ms < 10_000, `${ms} ms`);
    return answer.status;
  };
  assert.equal(await timed(pay(gateway)), 200);
  assert.deepEqual(await codeOf(await pay(gateway)), [409, "idempotency-conflict"]);
  const init = { headers: from("192.0.2.1", { "x-api-key": alice.text }) };
  assert.equal(await timed(gateway.fetch(`${HOST}/judged`, init)), 502);
  await gateway.stop();
  await server.stop();
});

test("without its memory of keys the gateway carries nothing out that has one", async () => {
  let acted = 0;
  const gateway = await start({
    policy: policyWith("optional"),
    vars,
    kv,
    entry: `${builtEntry()}\nIdempotency.prototype.act = () => { throw new Error("no storage"); };`,
    origin: () => new Response(`${(acted += 1)}`),
  });
  const refused = await pay(gateway);
  assert.equal(refused.status, 503);
  assert.equal((await gateway.decisionOf(refused)).reason, "idempotency_down");
  assert.deepEqual([(await pay(gateway, { key: null })).status, acted], [200, 1]);
  await gateway.stop();
});

test("a gateway that dies in the middle never has the origin act twice", async (context) => {
  const state = await mkdtemp(join(tmpdir(), "edgeward-"));
  const acted = new Map();
  const server = await httpOrigin((request, response) => {
    const key = request.headers["idempotency-key"];
    acted.set(key, (acted.get(key) ?? 0) + 1);
    setTimeout(() => response.writeHead(201).end("done"), 20 * (acted.size % 20));
  });
  const origins = { orders: { url: server.url, timeout_ms: 5_000 } };
  const keys = Array.from({ length: 50 }, (_, index) => `"${index}"`);
  const fresh = ['"a"', '"b"', '"c"'];
  const told = new Map();
  for (let life = 0; life < 4; life += 1) {
    const gateway = await start({ policy: policyWith("required", { origins }), vars, kv, state });
    const asks = life < 3 ? keys : [...keys, ...fresh];
    const asked = Promise.all(
      asks.flatMap((key) => [key, key]).map((key) =>
        pay(gateway, { key }).then(({ status }) => told.set(key, [...(told.get(key) ?? []), status]), () => {}),
      ),
    );
    if (life < 3) await sleep(60 + life * 70);
    else await asked;
    await gateway.stop();
  }
  context.diagnostic(JSON.stringify(tally([...told.values()].flat())));
  assert.deepEqual([...acted].filter(([, times]) => times !== 1), []);
  // A gateway that died between its note and the origin does not know that nothing was done: it must not ask again.
  const untouched = [...keys, ...fresh].filter((key) => !acted.has(key));
  assert.deepEqual(untouched.filter((key) => told.get(key).some((status) => status !== 409)), []);
  assert.deepEqual(fresh.filter((key) => !acted.has(key)), []);
  await server.stop();
  await rm(state, { recursive: true });
});
