// The built worker as miniflare wants to be told of it. The bindings come from wrangler.toml, so that what runs here
// and what is deployed have the same ones.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Response } from "miniflare";
import { parse } from "smol-toml";
import { root } from "../place.mjs";

/** What `request.cf` holds when nobody says otherwise: a plain client over TLS 1.3, without a certificate. */
export const LOCAL_CF = {
  asn: 64496, // an AS number that RFC 5398 keeps for documentation
  asOrganization: "Local",
  colo: "DFW",
  country: "US",
  continent: "NA",
  httpProtocol: "HTTP/1.1",
  tlsVersion: "TLSv1.3",
  tlsCipher: "AEAD-AES128-GCM-SHA256",
  tlsClientAuth: { certPresented: "0", certVerified: "NONE", certRevoked: "0" },
};

/**
 * Options for `new Miniflare`.
 *
 * - `folder`: a build, as `build/release`.
 * - `vars`: vars and secrets by name; a string stays one, anything else becomes a JSON binding.
 * - `cf`: laid over `LOCAL_CF`.
 * - `port`: 0 for any free one. - `host`: default loopback.
 * - `state`: the folder that keeps KV and Durable Objects; without it they go when the worker stops.
 * - `services`: what requests can be sent by, by the name of the binding, as miniflare takes it.
 * - `beside`: further workers, as miniflare takes them.
 * - `outbound`: `async (Request) => Response` in the place of the network.
 * - `entry`: the text of another entry module, for tests of what may go wrong in a Durable Object.
 * - `onLog`: called with `{ level, message }` for each console line.
 */
export function workerOptions(options) {
  const { folder, vars = {}, cf = {}, port = 0, host = "127.0.0.1", state, services = {}, beside = [], outbound, entry, onLog } = options;
  const config = parse(readFileSync(join(root, "wrangler.toml"), "utf8"));
  return {
    host,
    port,
    cf: { ...LOCAL_CF, ...cf },
    handleStructuredLogs: onLog,
    ...(state && { defaultPersistRoot: state }),
    workers: [
      {
        name: config.name,
        modulesRoot: folder,
        modules: modules(folder, entry),
        compatibilityDate: config.compatibility_date,
        compatibilityFlags: config.compatibility_flags ?? [],
        kvNamespaces: (config.kv_namespaces ?? []).map(({ binding }) => binding),
        durableObjects: durableObjects(config),
        ratelimits: rateLimits(config),
        serviceBindings: { ...boundElsewhere(config), ...services },
        bindings: { ...config.vars, ...vars },
        ...(outbound && { outboundService: outbound }),
      },
      ...beside,
    ],
  };
}

function modules(folder, entry) {
  return [
    { type: "ESModule", path: join(folder, "entry.js"), ...(entry && { contents: entry }) },
    { type: "ESModule", path: join(folder, "index.js") },
    { type: "CompiledWasm", path: join(folder, "index_bg.wasm") },
  ];
}

/**
 * What wrangler.toml binds and this machine has not: another Worker answers that it is not here, and where there should
 * be a certificate, none is shown.
 */
export function boundElsewhere({ services = [], mtls_certificates: certificates = [] }) {
  const absent = ({ binding, service }) => {
    const text = `the Worker ${service} does not run here: say by --origin NAME=URL what answers in its place\n`;
    // A caller is not told: what a 5xx says is kept back.
    console.warn(`edgeward: ${text.trim()}`);
    return [binding, () => new Response(text, { status: 503 })];
  };
  const bare = ({ binding }) => [
    binding,
    { network: { allow: ["public", "private"], tlsOptions: { trustBrowserCas: true } } },
  ];
  return Object.fromEntries([...services.map(absent), ...certificates.map(bare)]);
}

function durableObjects(config) {
  const sqlite = (config.migrations ?? []).flatMap((migration) => migration.new_sqlite_classes ?? []);
  const bindings = config.durable_objects?.bindings ?? [];
  return Object.fromEntries(
    bindings.map(({ name, class_name: className }) => [name, { className, useSQLite: sqlite.includes(className) }]),
  );
}

function rateLimits(config) {
  return Object.fromEntries((config.ratelimits ?? []).map(({ name, ...limit }) => [name, limit]));
}
