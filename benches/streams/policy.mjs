// One policy with a route for each way through the gateway.
import { ROOMY } from "../gateway/policy.mjs";

const HOUR_MS = 3_600_000;
/** The first bytes of fifty at once take their time on a small machine. */
const HEAD_MS = 100_000;

/** By name, each way and what its route and its origin say. */
const WAYS = {
  plain: {},
  breaker: { origin: { circuit_breaker: {} } },
  place: { origin: { max_concurrent: 1_000 } },
  permit: { route: { limits: ["open"] } },
  counted: { route: { answer: { max_bytes: ROOMY, total_timeout_ms: HOUR_MS } } },
};

export const NAMES = Object.keys(WAYS);

export function streamsPolicy(url) {
  const ways = Object.entries(WAYS);
  return {
    name: "bench",
    profile: "development",
    public_url: "https://api.example.com",
    origins: Object.fromEntries(ways.map(([name, { origin }]) => [name, { url, timeout_ms: HEAD_MS, ...origin }])),
    limits: { open: { by: "ip", algorithm: "concurrency", limit: 1_000, lifetime_s: 600, on_error: "refuse" } },
    routes: ways.map(([name, { route }]) => ({
      id: name,
      match: { methods: ["GET"], path: `/${name}/{what}` },
      origin: name,
      auth: "public",
      ...route,
    })),
  };
}
