// Requests that are open at once, against the built wasm: a permit is back when its request is over, however it ends.
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { httpOrigin, start } from "./harness.mjs";
import { policyOf } from "./support/policies.mjs";

/** More than any permit here takes to come back; far less than its lifetime. */
const BACK_MS_MAX = 8_000;
const CLIENT = { "cf-connecting-ip": "192.0.2.1" };

/** One request of a client at a time; the origin has two seconds. */
async function one(handler, route = {}) {
  const origin = await httpOrigin(handler);
  const open = { by: "ip", algorithm: "concurrency", limit: 1, on_error: "refuse" };
  const policy = policyOf({
    profile: "development",
    transport: { https_only: false },
    origins: { orders: { url: origin.url, timeout_ms: 2_000 } },
    limits: { open },
    routes: [{ match: { methods: ["GET", "HEAD"], path: "/{*rest}" }, ...route }],
  });
  const gateway = await start({ policy });
  const ask = (path) => gateway.fetch(path, { headers: CLIENT });
  return {
    gateway,
    ask,
    /** A client of its own, which can go away. */
    client: (path) => request(new URL(path, gateway.url), { headers: CLIENT, agent: false }).end(),
    /** Whether a permit is to be had before `BACK_MS_MAX`. */
    async isBack() {
      const until = Date.now() + BACK_MS_MAX;
      while (Date.now() < until) {
        const answer = await ask("/quick");
        await answer.arrayBuffer();
        if (answer.status === 200) return true;
        assert.equal(answer.status, 429);
        await sleep(50);
      }
      return false;
    },
    async stop() {
      await gateway.stop();
      await origin.stop();
    },
  };
}

test("a permit is held until the body has ended, and is back then", async () => {
  let finish;
  const its = await one(({ url }, response) => {
    if (url === "/quick") return response.end("quick");
    response.write("first ");
    finish = () => response.end("last");
  });
  const slow = await its.ask("/slow");
  assert.equal(slow.status, 200);
  const refused = await its.ask("/quick");
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "1"]);
  await refused.arrayBuffer();
  finish();
  assert.equal(await slow.text(), "first last");
  assert.ok(await its.isBack());
  await its.stop();
});

test("a client that goes away while its answer comes, or before, takes no permit along", async () => {
  const waiting = [];
  const its = await one(({ url }, response) => {
    if (url === "/quick") return response.end("quick");
    if (url === "/silent") return waiting.push(response);
    // That a client is gone shows where something is sent to it.
    const more = setInterval(() => response.write("more "), 200);
    response.on("close", () => clearInterval(more));
    response.write("first ");
  });
  const streaming = its.client("/slow");
  const [answer] = await once(streaming, "response");
  await once(answer, "data");
  assert.equal((await its.ask("/quick")).status, 429);
  streaming.on("error", () => {});
  streaming.destroy();
  assert.ok(await its.isBack(), "while the body came");

  // The origin says nothing: the request ends at its timeout, though nobody waits for it.
  const early = its.client("/silent");
  early.on("error", () => {});
  while (waiting.length === 0) await sleep(10);
  early.destroy();
  assert.ok(await its.isBack(), "before the head");
  await its.stop();
});

test("an origin that breaks off, refuses or says nothing takes no permit along", async () => {
  const its = await one(({ url }, response) => {
    if (url === "/quick") return response.end("quick");
    if (url === "/cut") return response.destroy();
    if (url === "/broken") {
      response.writeHead(200, { "content-length": "100" });
      response.write("some");
      return setTimeout(() => response.destroy(), 50);
    }
    if (url === "/silent") return undefined;
    response.writeHead(503).end();
  });
  for (const [path, status] of [
    ["/cut", 503],
    ["/silent", 504],
    ["/broken", 200],
    ["/failing", 503],
  ]) {
    const answer = await its.ask(path);
    await answer.arrayBuffer().catch(() => {});
    assert.equal(answer.status, status, path);
    assert.ok(await its.isBack(), path);
  }
  await its.stop();
});

test("a watched answer is the origin's, byte by byte: with its length, coded, empty, or none", async () => {
  const bytes = Buffer.alloc(300_000, "edgeward ");
  const its = await one(({ url }, response) => {
    if (url === "/known") return response.writeHead(200, { "content-length": bytes.length }).end(bytes);
    if (url === "/coded") return response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(bytes));
    if (url === "/empty") return response.writeHead(200, { "content-length": 0 }).end();
    if (url === "/none") return response.writeHead(204).end();
    return response.end("quick");
  });
  for (const [path, status, expected] of [
    ["/known", 200, bytes],
    ["/coded", 200, bytes],
    ["/empty", 200, Buffer.alloc(0)],
    ["/none", 204, Buffer.alloc(0)],
  ]) {
    const answer = await its.ask(path);
    assert.equal(answer.status, status, path);
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(expected), path);
    if (path === "/known") {
      // Behind a server of its own, the answer shows as it leaves.
      const [raw] = await once(its.client(path), "response");
      assert.equal(raw.headers["content-length"], String(bytes.length), path);
      await raw.resume().toArray();
    }
    assert.ok(await its.isBack(), path);
  }
  const head = await its.gateway.fetch("/known", { method: "HEAD", headers: CLIENT });
  assert.equal(head.status, 200);
  assert.ok(await its.isBack(), "HEAD");
  await its.stop();
});
