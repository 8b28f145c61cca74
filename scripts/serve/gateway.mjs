// A gateway on this machine: the local build under miniflare, with the demo beside it.
import { existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Log, LogLevel, Miniflare } from "miniflare";
import { buildFolder, root } from "../place.mjs";
import { Hint, say } from "../progress.mjs";
import { localAdmin } from "./admin.mjs";
import { withDocuments } from "./documents.mjs";
import { firstPolicy, followPolicy, putPolicy } from "./policy.mjs";
import { workerOptions } from "./worker.mjs";

const HOST = "127.0.0.1";

/** The port asked for, or a free one for 0; a `Hint` when another program has it. */
export function freePort(port) {
  return new Promise((settle, fail) => {
    const server = createServer();
    server.once("error", (error) => fail(new Hint(inUse(port, error))));
    server.listen(port, HOST, () => {
      const found = server.address().port;
      server.close(() => settle(found));
    });
  });
}

function inUse(port, error) {
  if (error.code !== "EADDRINUSE") return `port ${port}: ${error.message}`;
  return `port ${port} on ${HOST} is in use, perhaps by another gateway: stop it, or take another with --port N`;
}

/**
 * Starts the build in `folder` and gives `{ url, store, lines, adminLines, stop() }`: `store` is its KV namespace
 * STORE, `lines` are the demo's, for the person who looks, and `adminLines` likewise for the admin API.
 */
export async function serve(flags, port, folder = buildFolder("local")) {
  const url = `http://${HOST}:${port}`;
  mkdirSync(flags.state, { recursive: true });
  const demo = flags.demo ? await startDemo(port, url, flags) : null;
  const { policy, files } = await withDocuments(firstPolicy(flags, demo), flags.policyFile, folder);
  const admin = demo ? localAdmin(flags.state, flags.vars, url) : { vars: {}, lines: [] };
  const vars = { ...demo?.vars, ...admin.vars, ...flags.vars, EDGEWARD_LOOPBACK_LISTENER: "1" };
  const { cf, state } = flags;
  const miniflare = new Miniflare({
    ...workerOptions({ folder, vars, cf, state, host: HOST, port, onLog: show }),
    log: new Log(LogLevel.WARN),
  });
  await miniflare.ready;
  const store = await miniflare.getKVNamespace("STORE");
  for (const [key, value] of demo?.kv ?? []) await seed(store, key, value);
  if (policy) await putPolicy(store, policy);
  else say("no policy given: the one that the local KV holds is served, if any");
  const unfollow = flags.policyFile ? followPolicy(flags, store, files, folder) : () => {};
  const status = await warmUp(url);
  if (status === 503) say("no policy is in force: every request is answered 503 until one loads, see its faults above");
  return {
    url,
    store,
    // Of the demo's own policy: they fit no other.
    lines: (!flags.policyFile && demo?.lines) || [],
    // Of the gateway itself, whatever its policy.
    adminLines: admin.lines.flatMap((line) => ["# the keys of this gateway, from its admin API", line, ""]),
    async stop() {
      unfollow();
      await Promise.all([miniflare.dispose(), demo?.stop()]);
    },
  };
}

/** Puts a key of the demo, unless its record is there: what was done to it since is not undone. */
async function seed(store, key, value) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const known = await store.get(key, "json");
  if (known?.hash !== JSON.parse(text).hash) await store.put(key, text);
}

async function startDemo(port, gatewayUrl, { state: stateDir, policyFile }) {
  const module = join(root, "examples", "demo", "demo.mjs");
  if (!existsSync(module)) {
    say("there is no demo here (examples/demo/demo.mjs)");
    return null;
  }
  const { startDemo: begin } = await import(pathToFileURL(module).href);
  // Another policy may send the demo's origin no statement.
  return begin({ port, gatewayUrl, stateDir, verifyIdentity: !policyFile });
}

/** The runtime compiles the wasm at the first request: before "ready", and not while a person waits for an answer. */
async function warmUp(url) {
  const response = await fetch(`${url}/.edgeward/health`, { signal: AbortSignal.timeout(30_000) });
  await response.arrayBuffer();
  return response.status;
}

function show({ level, message }) {
  if (level === "error" || level === "warn") console.error(message);
  else console.log(message);
}
