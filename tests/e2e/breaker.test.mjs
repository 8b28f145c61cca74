// An origin that is not well, against the built wasm: it is left alone, its places are bounded, requests are sent
// again.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "./harness.mjs";
import { adminOf, rootKey } from "./support/admin.mjs";
import { ask, faultyOrigin } from "./support/faults.mjs";
import { startIsolates } from "./support/isolates.mjs";
import { policyOf } from "./support/policy.mjs";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const UNWELL = "HTTP/1.1 503 Unwell\r\nContent-Length: 0\r\n\r\n";
const CLIENT = { "cf-connecting-ip": "192.0.2.1" };

/** A gateway before one origin with `rules`; `its.answer` is what it does with a request. */
async function gatewayWith(rules, extra = {}) {
  const its = { answer: (socket) => socket.write(OK) };
  const origin = await faultyOrigin({ default: (socket, path) => its.answer(socket, path) });
  const policy = policyOf({ "GET,POST /{*rest}": extra }, { url: origin.url, timeout_ms: 10_000 });
  Object.assign(policy.origins.api, rules);
  const root = rootKey();
  const gateway = await start({ policy, vars: root.vars });
  const admin = adminOf((url, init) => gateway.fetch(url, init), root.text);
  return Object.assign(its, {
    origin,
    url: gateway.url,
    /** Waits until `count` decision lines are as `isSo` says. */
    async told(isSo, count) {
      const until = Date.now() + 5_000;
      while ((await gateway.decisions(0)).filter(isSo).length < count) {
        assert.ok(Date.now() < until, "no such line");
        await sleep(20);
      }
    },
    ask: (path = "/orders", init = {}) => ask(gateway.url, path, { headers: CLIENT, ...init }),
    status: async () => (await admin("status")).origins[0],
    /** Waits until so many requests are open. */
    async isOpen(count) {
      const until = Date.now() + 5_000;
      for (;;) {
        const { open } = await this.status();
        if (open === count) return;
        assert.ok(Date.now() < until, `${open} are open`);
        await sleep(50);
      }
    },
    asked: () => Object.values(origin.counts).reduce((sum, count) => sum + count, 0),
    async stop() {
      await gateway.stop();
      await origin.stop();
    },
  });
}

test("an origin that fails is left alone for its time, told as such, and taken back", async () => {
  const its = await gatewayWith({ circuit_breaker: { consecutive: 3, open_s: 1, probes: 2 } });
  its.answer = (socket) => socket.resetAndDestroy();
  for (let count = 0; count < 3; count += 1) assert.equal((await its.ask()).status, 503);
  const asked = its.asked();
  const refused = await its.ask();
  assert.deepEqual([refused.status, refused.code, refused.headers["retry-after"]], [503, "origin-unavailable", "1"]);
  assert.equal(its.asked(), asked, "an open breaker sent something");
  const told = await its.status();
  assert.deepEqual([told.breaker, told.refused_open], ["open", 1]);
  its.answer = (socket) => socket.write(OK);
  await sleep(1_050);
  for (let count = 0; count < 5; count += 1) assert.equal((await its.ask()).status, 200);
  assert.equal((await its.status()).breaker, "closed");
  await its.stop();
});

test("an origin's 404 and 429 never close it", async () => {
  const its = await gatewayWith({ circuit_breaker: { consecutive: 1 } });
  for (const status of [400, 404, 429, 500]) {
    its.answer = (socket) => socket.write(`HTTP/1.1 ${status} Odd\r\nContent-Length: 0\r\n\r\n`);
    for (let count = 0; count < 5; count += 1) assert.equal((await its.ask()).status, status === 500 ? 502 : status);
  }
  await its.stop();
});

test("another isolate hears of it within seconds, and gives up at its own first failure", async () => {
  const its = { answer: (socket) => socket.resetAndDestroy() };
  const origin = await faultyOrigin({ default: (socket) => its.answer(socket) });
  const policy = policyOf({ "GET /{*rest}": {} }, { url: origin.url });
  policy.origins.api.circuit_breaker = { consecutive: 5, open_s: 30 };
  const gateways = await startIsolates({ count: 2, policy });
  const [here, there] = gateways.isolates.map((fetch) => async () => {
    const answer = await fetch("https://gateway.test/orders", { headers: CLIENT });
    await answer.arrayBuffer();
    return answer.status;
  });
  for (let count = 0; count < 6; count += 1) assert.equal(await here(), 503);
  its.answer = (socket) => socket.write(OK);
  const until = Date.now() + 3_000;
  while (Date.now() < until) {
    assert.equal(await there(), 200, "a word from elsewhere opened a breaker");
    await sleep(200);
  }
  its.answer = (socket) => socket.resetAndDestroy();
  const before = origin.counts["/orders"];
  for (let count = 0; count < 4; count += 1) assert.equal(await there(), 503);
  assert.equal(origin.counts["/orders"] - before, 1);
  await gateways.stop();
  await origin.stop();
});

test("one more than may be open is refused at once, and a place is back when its answer has left", async () => {
  const its = await gatewayWith({ max_concurrent: 2 });
  const waiting = new Map();
  its.answer = (socket, path) => waiting.set(path, socket);
  const open = [its.ask("/a"), its.ask("/b")];
  while (waiting.size < 2) await sleep(10);
  const refused = await its.ask("/c");
  assert.deepEqual([refused.status, refused.code, refused.headers["retry-after"]], [503, "overloaded", "1"]);
  assert.ok(refused.ms < 5_000, `${refused.ms} ms`);
  assert.equal((await its.status()).open, 2);

  // A long answer holds its place until its end.
  const first = waiting.get("/a");
  first.write("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n");
  waiting.get("/b").write(OK);
  assert.equal((await open[1]).status, 200);
  its.answer = (socket) => socket.write(OK);
  await its.isOpen(1);
  assert.equal((await its.ask("/d")).status, 200);
  first.write(Buffer.alloc(200_000, "x"));
  assert.equal((await open[0]).bytes, 200_000);
  await its.isOpen(0);
  await its.stop();
});

test("one who waits gets the place that is given back, in its turn", async () => {
  const its = await gatewayWith({ max_concurrent: 1, max_waiting: 1, wait_ms: 3_000 });
  const sockets = [];
  its.answer = (socket) => sockets.push(socket);
  const first = its.ask("/a");
  while (sockets.length < 1) await sleep(10);
  const second = its.ask("/b");
  await sleep(100);
  assert.equal((await its.ask("/c")).status, 503, "the line is full");
  sockets[0].write(OK);
  while (sockets.length < 2) await sleep(10);
  sockets[1].write(OK);
  assert.deepEqual([(await first).status, (await second).status], [200, 200]);
  const third = its.ask("/d");
  while (sockets.length < 3) await sleep(10);
  const late = await its.ask("/e");
  assert.equal(late.status, 503);
  sockets[2].write(OK);
  assert.ok(late.ms >= 2_990 && late.ms < 9_000, `${late.ms} ms`);
  await third;
  await its.stop();
});

test("a request that failed is sent again where that is allowed, and only once", async () => {
  const its = await gatewayWith({ retry: { attempts: 1, methods: ["GET"], on: ["connect", "503"] } });
  let count = 0;
  its.answer = (socket) => ((count += 1) % 2 ? socket.write(UNWELL) : socket.write(OK));
  const again = await its.ask();
  assert.deepEqual([again.status, its.asked()], [200, 2]);
  count = 0;
  const post = await its.ask("/orders", { method: "POST", body: "x" });
  assert.deepEqual([post.status, its.asked()], [503, 3]);
  const { retries } = await its.status();
  assert.equal(retries, 1);
  await its.stop();
});

/** A connection over which `text` was written. */
async function written(its, text) {
  const socket = connect({ host: its.url.hostname, port: its.url.port });
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

const UPLOAD = "POST /up HTTP/1.1\r\nHost: gateway.test\r\ncf-connecting-ip: 192.0.2.1\r\nContent-Length: 100\r\n\r\nten bytes.";

/** How clients stop in the middle of their content. */
const STOPS = {
  "closes its connection": (socket) => socket.end(),
  "resets its connection": (socket) => socket.resetAndDestroy(),
  "sends no more": () => sleep(600),
};

for (const [way, stop] of Object.entries(STOPS)) {
  test(`a client that ${way} in the middle of its content closes the origin to nobody`, async () => {
    const its = await gatewayWith({ timeout_ms: 400, circuit_breaker: { consecutive: 1, open_s: 30 } });
    its.answer = (socket, path) => path === "/orders" && socket.write(OK);
    for (let count = 0; count < 2; count += 1) {
      const socket = await written(its, UPLOAD);
      while (its.asked() <= count) await sleep(10);
      await stop(socket);
      // The gateway has to have noticed.
      await its.told((line) => line.method === "POST", count + 1);
      socket.destroy();
    }
    assert.equal((await its.ask()).status, 200);
    assert.equal((await its.status()).breaker, "closed");
    await its.stop();
  });
}

test("a client that goes away while the origin is tried keeps no other from trying", async () => {
  const its = await gatewayWith({ circuit_breaker: { consecutive: 1, open_s: 1, probes: 1 } });
  its.answer = (socket) => socket.resetAndDestroy();
  assert.equal((await its.ask()).status, 503);
  await sleep(1_050);
  its.answer = (socket, path) => path === "/orders" && socket.write(OK);
  const socket = await written(its, "GET /hangs HTTP/1.1\r\nHost: gateway.test\r\ncf-connecting-ip: 192.0.2.1\r\n\r\n");
  while (!its.origin.counts["/hangs"]) await sleep(10);
  assert.equal((await its.ask()).status, 503, "one probe at a time");
  socket.resetAndDestroy();
  await its.told((line) => line.reason === "client_gone", 1);
  assert.equal((await its.ask()).status, 200);
  await its.stop();
});

test("a try that is given up at its timeout has ended at the origin before the next one is answered", async () => {
  const its = await gatewayWith({ timeout_ms: 400, retry: { attempts: 1, methods: ["GET"], on: ["timeout"] } });
  let left;
  its.answer = async (socket) => {
    if (its.asked() === 1) return;
    const until = Date.now() + 300;
    while (its.origin.open() > 1 && Date.now() < until) await sleep(10);
    left = its.origin.open();
    socket.write(OK);
  };
  assert.equal((await its.ask()).status, 200);
  assert.deepEqual([its.asked(), left], [2, 1]);
  await its.stop();
});
