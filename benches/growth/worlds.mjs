// What grows, step by step: each world is a policy, or what stands around it, of one size.
import { makeKey, recordOf } from "../../examples/demo/keys.mjs";
import { ISSUER, makeSharedIssuer, SCOPE } from "../gateway/issuer.mjs";
import { accounts, byCaller, GOOD_BODY, ORDER } from "../gateway/policy.mjs";

const PEPPER = "a pepper of the benchmark's own";
const SECRET_BINDING = "BENCH_SECRET";
const JSON_TYPE = { "content-type": "application/json" };

const policy = (origin, rest) => ({
  name: "bench",
  profile: "development",
  public_url: "https://api.example.com",
  origins: { api: { url: origin.url } },
  ...rest,
});

const route = (id, path, rest) => ({ id, match: { methods: ["POST"], path }, origin: "api", auth: "public", ...rest });

/** Routes with parameters, under a few hundred beginnings as of an API of many services. */
function routes(size, origin) {
  const made = Array.from({ length: size }, (_, index) => route(`route${index}`, `/service-${index % 300}/things-${index}/{thing}`, {}));
  const last = size - 1;
  return {
    bindings: { POLICY: JSON.stringify(policy(origin, { routes: made })) },
    call: { path: `/service-${last % 300}/things-${last}/t-17`, headers: JSON_TYPE, body: GOOD_BODY },
  };
}

/** Schemas that differ, each of a route; the last is asked. */
function schemas(size, origin) {
  const named = (index) => `Order${index}`;
  const of = (index) => ({ ...ORDER, properties: { ...ORDER.properties, [`extra${index}`]: { type: "string", maxLength: 32 } } });
  const all = Object.fromEntries(Array.from({ length: size }, (_, index) => [named(index), of(index)]));
  const made = Object.keys(all).map((schema, index) =>
    route(`route${index}`, `/orders-${index}`, { request: { body: { $ref: `#/schemas/${schema}` } } }),
  );
  return {
    bindings: { POLICY: JSON.stringify(policy(origin, { schemas: all, routes: made })) },
    call: { path: `/orders-${size - 1}`, headers: JSON_TYPE, body: GOOD_BODY },
  };
}

/** Keys in the store. Those that ask are the same few; beside them lie as many others as the size says. */
function keys(size, origin) {
  const asking = Array.from({ length: Math.min(size, ASKING_KEYS_MAX) }, () => makeKey());
  const entries = new Map();
  for (const key of asking) entries.set(`key/${key.id}`, JSON.stringify(recordOf(key, PEPPER, { subject: `caller-${key.id}`, scopes: [SCOPE] })));
  const [record] = entries.values();
  for (let index = entries.size; index < size; index += 1) entries.set(`key/${String(index).padStart(12, "0")}`, record);
  const made = [route("things", "/things", { auth: ["keys"] })];
  const tokens = repeated(asking.map(({ text }) => text), KEY_CALLS);
  return {
    bindings: { POLICY: JSON.stringify(policy(origin, { authenticators: { keys: { kind: "api_key" } }, routes: made })), KEY_PEPPER: PEPPER },
    entries,
    call: { path: "/things", headers: { ...JSON_TYPE, "x-api-key": asking[0].text }, body: GOOD_BODY, tokens, tokenHeader: "x-api-key" },
  };
}

const ASKING_KEYS_MAX = 100;
const KEY_CALLS = 12_000;

/** Callers of one isolate, each with a token and a limit of its own; each is asked for once, then all again. */
function callers(size, origin) {
  const issuer = makeSharedIssuer();
  const subjects = Array.from({ length: size }, (_, index) => `caller-${index}`);
  const made = [route("things", "/things", { auth: ["accounts"], limits: ["minute"] })];
  const known = {
    authenticators: { accounts: accounts({ secret_binding: SECRET_BINDING }, "HS256", ISSUER) },
    limits: { minute: byCaller() },
    routes: made,
  };
  const tokens = issuer.tokens(subjects);
  const list = size < CALLER_CALLS ? repeated(tokens, CALLER_CALLS) : tokens;
  const call = { path: "/things", headers: { ...JSON_TYPE, authorization: `Bearer ${tokens[0]}` }, body: GOOD_BODY, tokens: list };
  return {
    bindings: { POLICY: JSON.stringify(policy(origin, known)), [SECRET_BINDING]: issuer.secret },
    entry: FOLDED,
    // Everybody once, before it is measured how it goes on.
    first: tokens.length > 1 ? tokens : undefined,
    call,
  };
}

const CALLER_CALLS = 8_000;
const repeated = (items, count) => Array.from({ length: count }, (_, index) => items[index % items.length]);

/**
 * In production each caller's counter is an object on some other machine. Here they would lie in the process that is
 * measured, so all callers share a few: what grows is what the isolate keeps.
 */
const FOLDED = `
  import gateway from "./entry.js";
  export * from "./entry.js";
  const OBJECTS = 64;
  class DurableObjectNamespace {
    constructor(real) { this.real = real; }
    getByName(name) { return this.real.getByName(String(parseInt(name.slice(0, 8), 16) % OBJECTS)); }
  }
  let folded;
  export default {
    fetch(request, env, context) {
      folded ??= { ...env, LIMITER: new DurableObjectNamespace(env.LIMITER) };
      return gateway.fetch(request, folded, context);
    },
  };
`;

/** By what grows: the sizes, and the world of a size. */
export const worlds = {
  routes: { sizes: [10, 100, 1_000, 10_000], make: routes },
  schemas: { sizes: [10, 100, 500, 2_000], make: schemas },
  "keys in KV": { sizes: [1, 1_000, 100_000, 1_000_000], make: keys },
  callers: { sizes: [1, 1_000, 10_000, 100_000], make: callers },
};
