// The demo around the gateway: an origin, a token issuer, keys, and commands to try them with.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { calculateJwkThumbprint } from "jose";
import { Miniflare } from "miniflare";
import { startIssuer } from "./issuer.mjs";
import { entryOf, makeKey, pepperId, recordOf } from "./keys.mjs";
import { curlLines } from "./lines.mjs";
import { AUDIENCE, PEOPLE, PROGRAMS } from "./personas.mjs";
import { kept } from "./state.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const DAY_S = 24 * 3_600;

const policyFile = here("policy.json");

/**
 * Starts the origin and the issuer, on the two ports after the gateway's or on free ones.
 *
 * - `port`, `gatewayUrl`: of the gateway, which need not answer yet; port 0 stands for any ports.
 * - `stateDir`: where keys, secrets and orders are kept; the demo has a folder of its own in it.
 * - `verifyIdentity`: whether the origin verifies what the gateway says of the caller. It then
 *   refuses every request that does not come through that gateway.
 *
 * Gives what the gateway is started with: `policy`, `vars`, and `kv`, the entries of its store.
 * `lines` are the commands to print. `policyFile` is where the policy stands, and `fill(policy)`
 * puts the real addresses into one that was read again. `orders`, `issuer` (with `mint`) and `keys`
 * are for tests.
 */
export async function startDemo({ port, gatewayUrl, stateDir, verifyIdentity = false }) {
  const state = join(stateDir, "demo");
  const vars = await kept(join(state, "secrets.json"), makeSecrets);
  const keys = await keptKeys(state, vars.KEY_PEPPER);
  const issuer = await startIssuer({
    port: await freePort(port && port + 2),
    stateDir: state,
    audience: AUDIENCE,
    people: PEOPLE,
  });
  const jwks = verifyIdentity ? `${gatewayUrl}/.edgeward/jwks.json` : undefined;
  const orders = await startOrders(port && port + 1, state, jwks).catch(async (error) => {
    await issuer.stop();
    throw error;
  });
  const fill = (policy) => placed(policy, orders.url, issuer.url);
  const texts = Object.fromEntries(keys.map(({ name, text }) => [name, text]));
  return {
    policy: fill(JSON.parse(readFileSync(policyFile, "utf8"))),
    vars,
    kv: keys.map(({ record }) => entryOf(record)),
    lines: curlLines({ gateway: gatewayUrl, issuer: issuer.url, keys: texts }),
    stop: once(() => Promise.all([orders.stop(), issuer.stop()])),
    policyFile,
    fill,
    orders,
    issuer,
    keys: texts,
  };
}

/** The secrets of a gateway, as `wrangler secret put` would set them. */
async function makeSecrets() {
  const identity = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const { kty, crv, d, x } = identity;
  const kid = await calculateJwkThumbprint({ kty, crv, x });
  return {
    KEY_PEPPER: randomBytes(32).toString("base64url"),
    IDENTITY_KEY: JSON.stringify({ kty, crv, d, x, kid }),
    AUDIT_KEY: randomBytes(32).toString("base64url"),
  };
}

/** The keys of all programs: `[{ name, text, record }]`. */
function keptKeys(state, pepper) {
  const programs = Object.entries(PROGRAMS);
  const make = () => programs.map(([name, program]) => keyOf(name, program, pepper));
  const tomorrow_s = Date.now() / 1_000 + DAY_S;
  const isUsable = (keys) =>
    keys.every(({ record }) => record.pepper === pepperId(pepper)) &&
    keys.some(({ name, record }) => name === "shop" && record.expires_at > tomorrow_s);
  return kept(join(state, "api-keys.json"), make, isUsable);
}

function keyOf(name, { lifetime_s, ...fields }, pepper) {
  const key = makeKey();
  const record = recordOf(key, pepper, fields);
  if (lifetime_s === undefined) return { name, text: key.text, record };
  const expires_at = record.created_at + lifetime_s;
  // A key whose time is over began before that.
  const created_at = Math.min(record.created_at, expires_at - DAY_S);
  const times = { not_before: created_at, created_at, expires_at };
  return { name, text: key.text, record: { ...record, ...times } };
}

/** The orders API on a port of its own, as Workers run it. Gives `{ url, stop }`. */
async function startOrders(preferredPort, state, jwks) {
  const worker = new Miniflare({
    name: "orders",
    // The Worker's own socket. Miniflare's other one stands in for Cloudflare's network: it adds
    // headers and compresses answers, and the demo shows what the gateway alone does.
    unsafeDirectSockets: [{ host: "127.0.0.1", port: await freePort(preferredPort) }],
    host: "127.0.0.1",
    modules: true,
    script: await bundled(here("orders.mjs")),
    compatibilityDate: "2026-07-01",
    durableObjects: { BOOK: { className: "Book", useSQLite: true } },
    durableObjectsPersist: join(state, "orders"),
    bindings: jwks ? { GATEWAY_JWKS: jwks } : {},
    // Otherwise miniflare fetches what `request.cf` shows from the network.
    cf: false,
  });
  const stop = () => worker.dispose();
  try {
    const url = await worker.unsafeGetDirectURL();
    return { url: url.origin, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function bundled(file) {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    format: "esm",
    external: ["cloudflare:*"],
    write: false,
    logLevel: "warning",
  });
  return outputFiles[0].text;
}

/** The policy with the addresses at which origin and issuer really are. */
function placed(policy, ordersUrl, issuerUrl) {
  const filled = structuredClone(policy);
  if (filled.origins?.orders) filled.origins.orders.url = ordersUrl;
  const accounts = filled.authenticators?.accounts;
  if (accounts?.kind === "jwt") {
    accounts.issuer = issuerUrl;
    accounts.jwks_uri = `${issuerUrl}/.well-known/jwks.json`;
  }
  return filled;
}

/** A second signal stops nothing twice. */
function once(work) {
  let done;
  return () => (done ??= work());
}

/** `preferred` where nothing listens yet, else any free port. */
async function freePort(preferred) {
  for (const port of preferred < 65_536 ? [preferred, 0] : [0]) {
    const server = createServer();
    const found = await new Promise((settle) => {
      server.once("error", () => settle(0));
      server.listen(port, "127.0.0.1", () => settle(server.address().port));
    });
    await new Promise((settle) => server.close(settle));
    if (found) return found;
  }
  return 0;
}
