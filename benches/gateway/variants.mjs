// What is compared: each a worker in a workerd of its own, before the same origin.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";
import { root } from "../../scripts/place.mjs";
import { startWorkerd } from "../runtime/workerd.mjs";
import { edgewardPolicy, twinConfig } from "./policy.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The modules and objects of a build of Edgeward; `entry` may be another entry module. */
export const edgewardWorker = (folder, entry) => ({
  files: {
    ...(entry && { "bench.js": { contents: entry } }),
    "entry.js": join(folder, "entry.js"),
    "index.js": join(folder, "index.js"),
    "index_bg.wasm": join(folder, "index_bg.wasm"),
  },
  ...deployed(),
});

/** What `wrangler.toml` says: the Durable Objects, each with rows in SQLite, and the platform's flags. */
function deployed() {
  const config = parse(readFileSync(join(root, "wrangler.toml"), "utf8"));
  const objects = config.durable_objects.bindings.map(({ name, class_name: className }) => ({ binding: name, className }));
  return { objects, flags: config.compatibility_flags };
}

/**
 * By name, how each starts: `(limit, more) => worker`; `more` is laid over what `startWorkerd` is told.
 *
 * - `setting`: `{ folder, origin, jwks, identityKey }`; `identityKey` makes Edgeward's statements to the origin.
 */
export async function variants({ folder, origin, jwks, identityKey }) {
  const told = (limit) => ({ origin: origin.url, jwks, limit });
  const twin = { contents: await bundled(here("../twin/worker.mjs")) };
  const edgeward = (bindings) => (limit, more) =>
    startWorkerd({
      ...edgewardWorker(folder),
      bindings: { POLICY: JSON.stringify(edgewardPolicy(told(limit))), ...bindings },
      origin: origin.address,
      ...more,
    });
  return {
    floor: (_, more) =>
      startWorkerd({ files: { "floor.js": here("floor.mjs") }, bindings: { ORIGIN: origin.url }, origin: origin.address, ...more }),
    twin: (limit, more) =>
      startWorkerd({
        files: { "twin.js": twin },
        objects: [{ binding: "COUNTER", className: "Counter" }],
        bindings: { CONFIG: JSON.stringify(twinConfig(told(limit))) },
        origin: origin.address,
        ...more,
      }),
    edgeward: edgeward({ IDENTITY_KEY: identityKey }),
    // It tells the origin as little of the caller as the twin does, without proof: what the proof costs is the difference.
    "edgeward, no statement": edgeward({}),
  };
}

/** One module out of an entry point and what it imports, minified, as wrangler would upload it. */
async function bundled(entry) {
  const esbuild = createRequire(import.meta.url)("esbuild");
  const folder = mkdtempSync(join(tmpdir(), "edgeward-twin-"));
  try {
    const outfile = join(folder, "twin.js");
    await esbuild.build({ entryPoints: [entry], outfile, bundle: true, minify: true, format: "esm", external: ["cloudflare:*"], logLevel: "warning" });
    return readFileSync(outfile, "utf8");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
