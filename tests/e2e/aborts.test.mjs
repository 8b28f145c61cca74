// Clients that go away, against the built wasm, over its real port: a permit is back soon after, whatever the answer was like.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { httpOrigin, start } from "./harness.mjs";
import { policyOf } from "./support/policies.mjs";

/** How long a permit may stay away after its client has gone. */
const BACK_MS_MAX = 5_000;
/** How long a request may be on its way to the origin. */
const ARRIVAL_MS_MAX = 1_000;
/** Of each shape, one after the other. */
const ATTEMPTS = 4;
/** More than buffers on the way hold. */
const LARGE = Buffer.alloc(48_000_000, "edgeward ");

/** What the origin answers, by path. */
const ANSWERS = {
  "/quick": (response) => response.end("quick"),
  "/empty": (response) => response.writeHead(200, { "transfer-encoding": "chunked" }).end(),
  "/small-chunked": (response) => {
    response.write("small, ");
    response.end("of a length that nobody told");
  },
  "/small-known": (response) => response.writeHead(200, { "content-length": 5 }).end("small"),
  "/large-chunked": (response) => {
    response.write("large ");
    response.end(LARGE);
  },
  "/large-known": (response) => response.writeHead(200, { "content-length": LARGE.length }).end(LARGE),
  "/endless": (response) => {
    const drip = setInterval(() => response.write("drip "), 100);
    response.on("close", () => clearInterval(drip));
  },
};

/** One request at a time for each value of `x-device`, so that many are tried at once. */
async function each() {
  const seen = new Set();
  const origin = await httpOrigin((request, response) => {
    seen.add(request.headers["x-device"]);
    response.on("error", () => {});
    request.resume();
    ANSWERS[request.url](response);
  });
  const by = { cel: "request.headers['x-device']" };
  const limits = { open: { by, algorithm: "concurrency", limit: 1, lifetime_s: 600, on_error: "refuse" } };
  const policy = policyOf({
    profile: "development",
    transport: { https_only: false },
    origins: { orders: { url: origin.url, timeout_ms: 2_000 } },
    limits,
    routes: [{ match: { methods: ["GET", "POST"], path: "/{*rest}" } }],
  });
  const gateway = await start({ policy });
  const status = async (device) => {
    const answer = await gateway.fetch("/quick", { headers: { "x-device": device } });
    await answer.arrayBuffer();
    return answer.status;
  };
  return {
    status,
    /** Whether the origin has been asked by a device: then its permit is taken. */
    arrived: (device) => until(() => seen.has(device), ARRIVAL_MS_MAX),
    isBack: (device) => until(async () => (await status(device)) === 200),
    /** A connection over which a request has been written. */
    async open(device, { path, method, body = "" }) {
      const socket = connect({ host: gateway.url.hostname, port: gateway.url.port });
      socket.on("error", () => {});
      await new Promise((connected) => socket.once("connect", connected));
      const length = method === "POST" ? [`content-length: ${body.length}`] : [];
      const head = [`${method} ${path} HTTP/1.1`, "host: gateway.test", `x-device: ${device}`, ...length];
      socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
      return socket;
    },
    async stop() {
      await gateway.stop();
      await origin.stop();
    },
  };
}

async function until(isSo, patience_ms = BACK_MS_MAX) {
  const end = Date.now() + patience_ms;
  while (Date.now() < end) {
    if (await isSo()) return true;
    await sleep(50);
  }
  return false;
}

const data = (socket) => new Promise((first) => socket.once("data", first));

/** When clients go away. */
const MOMENTS = {
  "at once": async () => {},
  "a moment later": (its, socket, n) => sleep(n % 4),
  "with the head": (its, socket) => data(socket),
  "in the middle": async (its, socket) => {
    await data(socket);
    socket.pause();
    await sleep(100);
  },
};

/** How: the platform sees a reset before it answers, the end of a connection when it does. */
const WAYS = {
  closing: (socket) => socket.destroy(),
  resetting: (socket) => socket.resetAndDestroy(),
};

const SHAPES = Object.keys(MOMENTS).flatMap((moment) =>
  Object.keys(WAYS).flatMap((way) => ["GET", "POST"].map((method) => ({ moment, way, method }))),
);

for (const path of Object.keys(ANSWERS)) {
  test(`a client that goes away takes no permit along: ${path}`, async () => {
    const its = await each();
    const gone = [];
    const goAway = async ({ moment, way, method }) => {
      for (let n = 0; n < ATTEMPTS; n += 1) {
        const device = `${method} ${moment} ${way} ${n}`;
        const socket = await its.open(device, { path, method, body: method === "POST" ? "some content" : "" });
        await MOMENTS[moment](its, socket, n);
        WAYS[way](socket);
        gone.push(device);
      }
    };
    await Promise.all(SHAPES.map(goAway));
    const kept = [];
    let arrived = 0;
    const check = async (device) => {
      // A request that the gateway never saw has taken none.
      if (await its.arrived(device)) arrived += 1;
      if (!(await its.isBack(device))) kept.push(device);
    };
    await Promise.all(gone.map(check));
    assert.deepEqual(kept, []);
    assert.ok(arrived >= gone.length / 2, `${arrived} of ${gone.length} requests came through`);
    await its.stop();
  });
}

for (const path of ["/large-chunked", "/large-known"]) {
  test(`a client that reads slowly, or not for a while, keeps its permit: ${path}`, async () => {
    const its = await each();
    const socket = await its.open("slow", { path, method: "GET" });
    await once(socket, "readable");
    let read = 0;
    const take = () => {
      read += (socket.read(65_536) ?? socket.read())?.length ?? 0;
    };
    const begun = Date.now();
    while (Date.now() < begun + 2 * BACK_MS_MAX) {
      // At last it does not read at all, for as long as another's permit takes to be back.
      if (Date.now() < begun + BACK_MS_MAX) take();
      assert.equal(await its.status("slow"), 429);
      await sleep(50);
    }
    socket.on("data", ({ length }) => {
      read += length;
    });
    assert.ok(await its.isBack("slow"));
    assert.ok(await until(() => read >= LARGE.length));
    socket.destroy();
    await its.stop();
  });
}
