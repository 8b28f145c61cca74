// Content that is larger than memory, or comes bit by bit, against the built wasm over its real port: by each way through
// the gateway, as it comes or under watch.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { httpOrigin, start } from "./harness.mjs";
import { drain, memoryDuring, open, pour, runtimes, until } from "./support/streams.mjs";
import { policyOf } from "./support/policy.mjs";

const MEGABYTES = 100;
const BYTES = MEGABYTES * 1_048_576;
/** Far under what is sent: buffers of connections, and what a garbage collector has not taken yet. */
const GROWN_BYTES_MAX = 64_000_000;
/** More than buffers on the way hold, and far from all. */
const AHEAD_BYTES_MAX = 48_000_000;
const EVENTS = 5;
/** How long the origin may still be asked after the client has gone. */
const GONE_MS_MAX = 5_000;
/** Without a byte more for so long, an origin is held up. */
const STILL_MS = 200;
/** Ways through: natively, watched for the end of its permit, and counted. */
const WAYS = ["plain", "watched", "bounded"];

const seen = new Map();
let origin;
let gateway;

const ANSWERS = {
  known(request, response) {
    response.writeHead(200, { "content-length": BYTES });
    pour(response, MEGABYTES);
  },
  chunked: (request, response) => pour(response, MEGABYTES),
  async count(request, response) {
    response.end(String(await drain(request).catch(() => -1)));
  },
  events(request, response) {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    response.flushHeaders();
  },
  silent() {},
  drips(request, response) {
    const drip = setInterval(() => response.write("drip "), 20);
    response.on("close", () => clearInterval(drip));
  },
  parts(request, response) {
    const { range } = request.headers;
    response.setHeader("x-range", range ?? "none");
    if (!range) return response.end("0123456789");
    response.writeHead(206, { "content-range": "bytes 2-4/10", "content-length": 3 }).end("234");
  },
  trailers(request, response) {
    response.writeHead(200, { trailer: "x-late", "transfer-encoding": "chunked" });
    request.resume().on("end", () => {
      response.write(JSON.stringify(request.trailers));
      response.addTrailers({ "x-late": "leak" });
      response.end();
    });
  },
};

before(async () => {
  origin = await httpOrigin((request, response) => {
    const [, , what, id] = request.url.split("/");
    const told = { request, response, closed: false, before: response.socket.bytesWritten };
    response.on("close", () => (told.closed = true));
    response.on("error", () => {});
    request.on("error", () => {});
    seen.set(id, told);
    ANSWERS[what](request, response);
  });
  const by = { cel: "request.headers['x-device']" };
  const ways = { plain: {}, watched: { limits: ["open"] }, bounded: { answer: { total_timeout_ms: 600_000 } } };
  const routes = Object.entries(ways).map(([way, fields]) => [
    `GET,POST /${way}/{*rest}`,
    { request: { max_bytes: BYTES }, ...fields },
  ]);
  const policy = policyOf(Object.fromEntries(routes), {
    url: origin.url,
    limits: { open: { by, algorithm: "concurrency", limit: 1, lifetime_s: 600, on_error: "refuse" } },
  });
  gateway = await start({ policy });
});

after(async () => {
  await gateway?.stop();
  await origin?.stop();
});

let count = 0;
/** A request that is like no other, by its path and by who has its permit. */
function ask(way, what, { headers, ...more } = {}) {
  count += 1;
  const id = String(count);
  const told = open(gateway.url, `/${way}/${what}/${id}`, { ...more, headers: { "x-device": id, ...headers } });
  return { ...told, id, origin: () => seen.get(id) };
}

for (const way of WAYS) {
  test(`large content comes whole while the memory stays as it is: ${way}`, async (context) => {
    const [pid] = runtimes();
    const first = ask(way, "known");
    await drain(await first.answer); // what the first of them costs stays
    for (const what of ["known", "chunked"]) {
      const { grown, result } = await memoryDuring(pid, async () => {
        const answer = await ask(way, what).answer;
        return [answer.headers["content-length"], await drain(answer)];
      });
      context.diagnostic(`${what}: ${(grown / 1e6).toFixed(0)} MB more`);
      assert.deepEqual(result, [what === "known" ? String(BYTES) : undefined, BYTES]);
      assert.ok(grown < GROWN_BYTES_MAX, `${grown} bytes more while ${what} came`);
    }
    const { grown, result } = await memoryDuring(pid, async () => {
      const { sent, answer } = ask(way, "count", { method: "POST", headers: { "content-length": BYTES }, body: null });
      pour(sent, MEGABYTES);
      return Number(Buffer.concat(await (await answer).toArray()).toString());
    });
    context.diagnostic(`up: ${(grown / 1e6).toFixed(0)} MB more`);
    assert.equal(result, BYTES);
    assert.ok(grown < GROWN_BYTES_MAX, `${grown} bytes more while it went up`);
  });

  test(`an origin is read no faster than its caller reads: ${way}`, async () => {
    const asked = ask(way, "known");
    const answer = await asked.answer;
    answer.pause();
    const { response, before } = asked.origin();
    let sent = 0;
    const isStill = await until(async () => {
      const now = response.socket.bytesWritten - before;
      const same = now === sent && now > 0;
      sent = now;
      await sleep(STILL_MS);
      return same;
    }, GONE_MS_MAX);
    assert.ok(isStill && sent < AHEAD_BYTES_MAX, `${sent} bytes left the origin`);
    assert.equal(await drain(answer), BYTES);
  });

  test(`events come one by one, each before the next is sent: ${way}`, async () => {
    const asked = ask(way, "events");
    const answer = await asked.answer;
    assert.equal(answer.headers["content-type"], "text/event-stream");
    const parts = answer[Symbol.asyncIterator]();
    for (let number = 0; number < EVENTS; number += 1) {
      const event = `id: ${number}\ndata: event ${number}\n\n`;
      asked.origin().response.write(event);
      let text = "";
      while (text.length < event.length) text += (await parts.next()).value;
      assert.equal(text, event);
    }
    asked.origin().response.end();
    assert.equal((await parts.next()).done, true);
  });

  test(`an origin is left alone when its caller goes: ${way}`, async () => {
    for (const [what, when] of [
      ["silent", (asked) => until(() => asked.origin(), GONE_MS_MAX)],
      ["drips", (asked) => asked.answer.then((answer) => new Promise((first) => answer.once("data", first)))],
      ["known", (asked) => asked.answer],
    ]) {
      const asked = ask(way, what);
      await when(asked);
      // The platform sees a reset before it answers, the end of a connection when it does.
      if (what === "silent") asked.sent.socket.resetAndDestroy();
      else asked.sent.destroy();
      assert.ok(await until(() => asked.origin().closed, GONE_MS_MAX), `${what} is still asked for`);
    }
    const up = ask(way, "count", { method: "POST", headers: { "content-length": BYTES }, body: null });
    up.sent.write(Buffer.alloc(1_048_576));
    assert.ok(await until(() => up.origin(), GONE_MS_MAX));
    up.sent.destroy();
    assert.ok(await until(() => up.origin().closed, GONE_MS_MAX), "the origin still waits for content");
  });

  test(`a part is asked for and passed, and of more than ten the whole: ${way}`, async () => {
    for (const [range, told, status] of [
      ["bytes=2-4", "bytes=2-4", 206],
      [`bytes=${Array(10).fill("2-4").join(",")}`, `bytes=${Array(10).fill("2-4").join(",")}`, 206],
      [`bytes=${Array(11).fill("2-4").join(",")}`, "none", 200],
      [`bytes=${Array(1_000).fill("0-").join(",")}`, "none", 200],
    ]) {
      const answer = await ask(way, "parts", { headers: { range } }).answer;
      const text = Buffer.concat(await answer.toArray()).toString();
      assert.deepEqual([answer.statusCode, answer.headers["x-range"]], [status, told]);
      const part = status === 206;
      assert.deepEqual([text, answer.headers["content-range"]], part ? ["234", "bytes 2-4/10"] : ["0123456789", undefined]);
    }
  });

  test(`trailers stay behind, both ways: ${way}`, async () => {
    const headers = { "transfer-encoding": "chunked", trailer: "x-role" };
    const { sent, answer } = ask(way, "trailers", { method: "POST", headers, body: null });
    sent.write("content");
    sent.addTrailers({ "x-role": "admin" });
    sent.end();
    const told = await answer;
    assert.equal(Buffer.concat(await told.toArray()).toString(), "{}");
    assert.deepEqual([told.trailers, told.headers.trailer], [{}, undefined]);
  });
}
