// Several isolates of one gateway: workers of their own, with one store and the same Durable Objects.
import { Miniflare } from "miniflare";
import { after } from "node:test";
import { buildFolder } from "../../../scripts/place.mjs";
import { LOCAL_CF, workerOptions } from "../../../scripts/serve/worker.mjs";

const running = new Set();
after(() => Promise.all([...running].map((miniflare) => miniflare.dispose())));

/**
 * Starts `count` isolates: `{ isolates: [fetch, …], kv }`, each `fetch(url, init)`.
 * - `policy`, `vars`, `kv`, `origin`: as in the harness.
 */
export async function startIsolates({ count, policy, vars = {}, kv = {}, origin }) {
  const folder = process.env.EDGEWARD_BUILD ?? buildFolder("release");
  const options = workerOptions({ folder, vars, outbound: origin, onLog: () => {} });
  const [first] = options.workers;
  const names = Array.from({ length: count }, (_, index) => (index ? `${first.name}-${index}` : first.name));
  const shared = Object.entries(first.durableObjects).map(([binding, object]) => [
    binding,
    { ...object, scriptName: first.name },
  ]);
  options.workers = names.map((name, index) => ({
    ...first,
    name,
    ...(index && { durableObjects: Object.fromEntries(shared) }),
  }));
  const miniflare = new Miniflare(options);
  running.add(miniflare);
  await miniflare.ready;
  const store = await miniflare.getKVNamespace("STORE", first.name);
  for (const [key, value] of Object.entries({ "policy/active": policy, ...kv })) {
    await store.put(key, typeof value === "string" ? value : JSON.stringify(value));
  }
  const isolates = await Promise.all(
    names.map(async (name) => {
      const worker = await miniflare.getWorker(name);
      return (url, init = {}) => worker.fetch(url, { redirect: "manual", cf: LOCAL_CF, ...init });
    }),
  );
  return { isolates, kv: store, stop: () => running.delete(miniflare) && miniflare.dispose() };
}
