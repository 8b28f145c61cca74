// Several gateways, each a process of its own, that share the Durable Objects of the first: miniflare's registry
// of local workers carries the calls between them.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Miniflare } from "miniflare";
import { buildFolder } from "../../../scripts/place.mjs";
import { LOCAL_CF, workerOptions } from "../../../scripts/serve/worker.mjs";

const READY_MS = 10_000;
const running = new Set();
after(() => Promise.all([...running].map((miniflare) => miniflare.dispose())));

/**
 * Starts `count` processes with one policy: `{ ask, evictAll, kill, stop }`.
 *
 * - `ask(index, path, headers)`: the status that process `index` answers, and when it was asked and answered.
 * - `evictAll()`: drops every `Limiter` object out of memory; what it wrote stays. Tells how many there were.
 * - `kill(index)`: ends a process at once, with all that was lent to it.
 */
export async function startProcesses({ count, policy, origin }) {
  const registry = await mkdtemp(join(tmpdir(), "edgeward-registry-"));
  const processes = [];
  for (let index = 0; index < count; index += 1) processes.push(await startOne(index, { registry, policy, origin }));
  const [first] = processes;
  const ask = async (index, path, headers) => {
    const began = performance.now();
    const request = { headers, redirect: "manual", cf: LOCAL_CF };
    const answer = await processes[index].dispatchFetch(`https://gateway.test${path}`, request);
    await answer.arrayBuffer();
    return { status: answer.status, began, ended: performance.now() };
  };
  await Promise.all(processes.map((_, index) => served(() => ask(index, "/health", { "cf-connecting-ip": "192.0.2.250" }))));
  return {
    ask,
    async evictAll() {
      const ids = await first.listDurableObjectIds("LIMITER");
      const evicted = ids.map((id) => first.unsafeEvictDurableObject("edgeward", "Limiter", { id }).then(() => 1, isOut));
      return (await Promise.all(evicted)).reduce((sum, one) => sum + one, 0);
    },
    kill: (index) => running.delete(processes[index]) && processes[index].dispose(),
    async stop() {
      await Promise.all(processes.map((one) => running.delete(one) && one.dispose()));
      await rm(registry, { recursive: true, force: true });
    },
  };
}

/** An object that nobody asked lately is out of memory as it is. */
function isOut(error) {
  if (/not currently running/.test(error.message)) return 0;
  throw error;
}

async function startOne(index, { registry, policy, origin }) {
  const folder = process.env.EDGEWARD_BUILD ?? buildFolder("release");
  const options = workerOptions({ folder, vars: { POLICY: policy }, outbound: origin, onLog: () => {} });
  const [worker] = options.workers;
  if (index > 0) {
    const elsewhere = { scriptName: worker.name };
    const objects = Object.entries(worker.durableObjects).map(([name, object]) => [name, { ...object, ...elsewhere }]);
    worker.name = `${worker.name}-${index}`;
    worker.durableObjects = Object.fromEntries(objects);
  }
  const miniflare = new Miniflare({ ...options, unsafeDevRegistryPath: registry });
  running.add(miniflare);
  await miniflare.ready;
  return miniflare;
}

/** Waits until a process finds the objects of the first. */
async function served(ask) {
  const until = performance.now() + READY_MS;
  while ((await ask()).status !== 200) {
    if (performance.now() > until) throw new Error("a process does not find the objects of the first");
    await sleep(50);
  }
}
