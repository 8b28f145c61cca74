// Edgeward as a system like the others (see `systems.mjs`): the built gateway under workerd, as several isolates that
// share their Durable Objects, each with a port of its own, before an origin on loopback.
import { Agent, createServer, request } from "node:http";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { workerOptions } from "../../scripts/serve/worker.mjs";

const HOST = "127.0.0.1";
const WARM_ADDRESS = "10.0.0.1";
const CALLS_PATH = "/bench-calls";

/**
 * Gives `{ system, stop() }`.
 * - `folder`: a build. - `isolates`: how many. - `cases`: `[{ limit, windowMs }]`, each a route of its own.
 */
export async function startEdgeward({ folder, isolates, cases }) {
  const origin = await startOrigin();
  const miniflare = new Miniflare(options(folder, isolates));
  await miniflare.ready;
  const stop = () => Promise.all([miniflare.dispose(), origin.stop()]);
  const names = workerNames(isolates);
  const store = await miniflare.getKVNamespace("STORE", names[0]);
  await store.put("policy/active", JSON.stringify(policy(cases, origin.url)));
  const clients = await Promise.all(names.map(async (name) => client(await miniflare.unsafeGetDirectURL(name))));
  const counted = async () => Number((await clients[0](CALLS_PATH, WARM_ADDRESS)).text);
  let runs = 0;
  const open = async ({ limit, windowMs, vantages }) => {
    const path = pathOf({ limit, windowMs });
    const used = clients.slice(0, vantages);
    for (const ask of used) await ask(path, WARM_ADDRESS);
    runs += 1;
    // A network of its own, and with it a Durable Object of its own.
    const address = `10.${runs % 256}.${1 + (runs >> 8)}.1`;
    const before = await counted();
    const askers = used.map((ask) => async () => {
      const { status } = await ask(path, address);
      if (status !== 200 && status !== 429) throw new Error(`status ${status}`);
      return status === 200;
    });
    return { askers, calls: async () => (await counted()) - before };
  };
  return { system: { name: "edgeward", note: `sliding window, ${isolates} isolates`, open }, stop };
}

const workerNames = (count) => Array.from({ length: count }, (_, index) => `edgeward-${index}`);

function options(folder, isolates) {
  const base = workerOptions({ folder, onLog: () => {} });
  const [worker] = base.workers;
  const names = workerNames(isolates);
  const elsewhere = Object.entries(worker.durableObjects).map(([binding, object]) => [
    binding,
    { ...object, scriptName: names[0] },
  ]);
  const counting = { type: "ESModule", path: join(folder, "bench.js"), contents: COUNTING };
  base.workers = names.map((name, index) => ({
    ...worker,
    name,
    unsafeDirectSockets: [{ host: HOST, port: 0 }],
    // The objects live in the first.
    ...(index ? { durableObjects: Object.fromEntries(elsewhere) } : { modules: [counting, ...worker.modules] }),
  }));
  return base;
}

/** Counts what isolates ask of the limiter's objects: each call of a method, whatever its name. */
const COUNTING = `
  import gateway, * as parts from "./entry.js";
  let calls = 0;
  export class Limiter extends parts.Limiter {}
  for (const name of Object.getOwnPropertyNames(parts.Limiter.prototype)) {
    if (name === "constructor" || name === "alarm") continue;
    Limiter.prototype[name] = function (...args) {
      calls += 1;
      return parts.Limiter.prototype[name].apply(this, args);
    };
  }
  export const Replay = parts.Replay;
  export default {
    fetch(request, env, context) {
      if (new URL(request.url).pathname === "${CALLS_PATH}") return new Response(String(calls));
      return gateway.fetch(request, env, context);
    },
  };
`;

const nameOf = ({ limit, windowMs }) => `limit_${limit}_${windowMs}`;
const pathOf = (entry) => `/${nameOf(entry)}`;

function policy(cases, originUrl) {
  const named = (valueOf) => Object.fromEntries(cases.map((entry) => [nameOf(entry), valueOf(entry)]));
  return {
    name: "bench",
    profile: "development",
    transport: { https_only: false },
    origins: { bench: { url: originUrl, timeout_ms: 5_000 } },
    limits: named(({ limit, windowMs }) => ({
      by: "ip",
      algorithm: "sliding_window",
      limit,
      window_s: windowMs / 1_000,
      on_error: "refuse",
    })),
    routes: cases.map((entry) => ({
      id: nameOf(entry),
      match: { methods: ["GET"], path: pathOf(entry) },
      origin: "bench",
      auth: "public",
      limits: [nameOf(entry)],
    })),
  };
}

/** Requests to one isolate, over connections that stay open. */
function client(url) {
  const agent = new Agent({ keepAlive: true });
  const ask = (path, address) =>
    new Promise((settle, fail) => {
      const headers = { "cf-connecting-ip": address };
      const sent = request(new URL(path, url), { agent, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (more) => (text += more));
        response.on("end", () => settle({ status: response.statusCode, text }));
        response.on("error", fail);
      });
      // A connection that was closed while it waited took nothing: the same again, on another.
      sent.on("error", (error) => (sent.reusedSocket && error.code === "ECONNRESET" ? settle(ask(path, address)) : fail(error)));
      sent.end();
    });
  return ask;
}

async function startOrigin() {
  const server = createServer((_, response) => response.end("ok"));
  await new Promise((listening) => server.listen(0, HOST, listening));
  return {
    url: `http://${HOST}:${server.address().port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
