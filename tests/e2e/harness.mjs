// Starts the built worker for a test: its own KV, its own Durable Objects, an origin made by the test.
//
//   const gateway = await start({ policy, vars, origin: (request) => new Response("hello") });
//   const response = await gateway.fetch("/orders", { headers: { authorization: "Bearer …" } });
//   const [decision] = await gateway.decisions();
//   await gateway.stop();
import { createServer } from "node:http";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Miniflare, Response } from "miniflare";
import { buildFolder } from "../../scripts/place.mjs";
import { LOCAL_CF, workerOptions } from "../../scripts/serve/worker.mjs";

export { Response };

const HOST = "http://gateway.test";
const LOG_DELAY_MS = 2_000;
/** More than the gateway lets through, so that it is never the origin of a test that refuses. */
const ORIGIN_HEADER_BYTES_MAX = 65_536;

// A test that fails before it stops its gateway must not keep the run from ending.
const running = new Set();
after(() => Promise.all([...running].map(dispose)));

async function dispose(miniflare) {
  if (running.delete(miniflare)) await miniflare.dispose();
}

/**
 * - `policy`: an object, put into KV as `policy/active`. For the var instead: `vars: { POLICY: policy }`.
 * - `vars`: vars and secrets by name.
 * - `kv`: further entries of STORE; a value that is not a string is stored as JSON.
 * - `cf`: laid over the default `request.cf`; a single request may lay its own over that.
 * - `origin`: `(request) => Response`, for every fetch of the worker, whatever its host. Without it the worker
 *   fetches over the network: loopback servers of the test (see `httpOrigin`).
 * - `state`: a folder, to start again on what was stored.
 * - `services`, `beside`: bindings that requests can be sent by, and further workers, as miniflare takes them.
 * - `entry`: the text of another entry module: what the gateway does when its counters fail.
 */
export async function start({ policy, vars = {}, kv = {}, cf = {}, origin, state, services, beside, entry } = {}) {
  const lines = [];
  const originRequests = [];
  const folder = process.env.EDGEWARD_BUILD ?? buildFolder("release");
  const outbound = origin && ((request) => recorded(request, originRequests, origin));
  const onLog = (line) => void lines.push(line);
  const miniflare = new Miniflare(workerOptions({ folder, vars, cf, state, services, beside, outbound, entry, onLog }));
  running.add(miniflare);
  const url = await miniflare.ready;
  const store = await miniflare.getKVNamespace("STORE");
  const seeds = policy ? { "policy/active": policy, ...kv } : kv;
  for (const [key, value] of Object.entries(seeds)) await store.put(key, asText(value));
  let asked = 0;

  return {
    /** The worker's address on loopback, for what `fetch` cannot say. */
    url,
    miniflare,
    kv: store,
    /** Every console line so far: `{ level, message }`. */
    lines,
    /** What reached `origin`: `{ method, url, headers, body }`, the body as a Buffer. */
    originRequests,

    /** A request to the worker. `path` may be a whole URL. No redirect is followed; `init.cf` as in `start`. */
    fetch(path, { cf: own = {}, headers, ...init } = {}) {
      asked += 1;
      const sent = new Headers(headers);
      // Else miniflare puts its own page in the place of the answer to an uncaught error.
      sent.set("MF-Disable-Pretty-Error", "true");
      const answer = miniflare.dispatchFetch(new URL(path, HOST).href, {
        redirect: "manual",
        ...init,
        headers: sent,
        cf: { ...LOCAL_CF, ...cf, ...own },
      });
      return answer.then(kept);
    },

    /** The decision lines, once there are `atLeast` of them: by default, one for each request made here. */
    async decisions(atLeast = asked) {
      const until = Date.now() + LOG_DELAY_MS;
      // Lines come over a pipe, after the answer they belong to.
      while (decisionsIn(lines).length < atLeast && Date.now() < until) await sleep(5);
      return decisionsIn(lines);
    },

    /** The decision line of one answer. */
    async decisionOf(response) {
      const id = response.headers.get("x-request-id");
      const until = Date.now() + LOG_DELAY_MS;
      for (;;) {
        const line = decisionsIn(lines).find((decision) => decision.request_id === id);
        if (line || Date.now() > until) return line;
        await sleep(5);
      }
    },

    stop: () => dispose(miniflare),
  };
}

/** A server on loopback, for what a `Response` cannot express: broken framing, slow bodies, raw headers. */
export async function httpOrigin(handler) {
  const requests = [];
  const server = createServer({ maxHeaderSize: ORIGIN_HEADER_BYTES_MAX }, (request, response) => {
    requests.push({ method: request.method, url: request.url, headers: request.headers, raw: request.rawHeaders });
    handler(request, response);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/**
 * The same answer, read by nobody else: miniflare makes it of another one, and when that is collected as garbage, its
 * library ends the content of both.
 */
function kept(answer) {
  if (!answer.body) return answer;
  const { status, statusText, headers } = answer;
  return new Response(answer.body.pipeThrough(new TransformStream()), { status, statusText, headers });
}

async function recorded(request, originRequests, origin) {
  const body = Buffer.from(await request.clone().arrayBuffer());
  const { method, url, headers } = request;
  originRequests.push({ method, url, headers: Object.fromEntries(headers), body });
  return origin(request);
}

function decisionsIn(lines) {
  return lines.map(({ message }) => parsed(message)).filter((line) => line?.event === "decision");
}

function parsed(message) {
  try {
    return JSON.parse(message);
  } catch {
    return null; // a line for people
  }
}

const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value));
