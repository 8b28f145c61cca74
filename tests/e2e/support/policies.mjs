// Small policies and callers for tests.
import { entryOf, makeKey, recordOf } from "../../../examples/demo/keys.mjs";

export const PEPPER = "a pepper of more than sixteen bytes";
export const HOST = "https://gateway.test";

/** A client's address, as the platform tells it. */
export const from = (ip, headers = {}) => ({ "cf-connecting-ip": ip, ...headers });

/** A sliding window; `on_error` refuses unless said otherwise. */
export const window = (by, limit, window_s = 60, more = {}) => ({
  by,
  algorithm: "sliding_window",
  limit,
  window_s,
  on_error: "refuse",
  ...more,
});

/** A policy with one origin; `route` is laid over a public GET of `/orders`. */
export function policyOf({ limits = { wide: window("ip", 1_000_000) }, routes = [{}], ...more } = {}) {
  return {
    name: "test",
    origins: { orders: { url: "http://127.0.0.1:1", timeout_ms: 2_000 } },
    limits,
    routes: routes.map((route, index) => ({
      id: `orders${index || ""}`,
      match: { methods: ["GET"], path: "/orders" },
      origin: "orders",
      auth: "public",
      limits: Object.keys(limits),
      ...route,
    })),
    ...more,
  };
}

/** An API key and the store's entry for it: `{ text, entry }`. */
export function keyFor(subject, fields = {}, pepper = PEPPER) {
  const key = makeKey({ environment: "live" });
  const record = recordOf(key, pepper, { subject, scopes: ["orders:read"], created_by: "test", ...fields });
  return { id: key.id, text: key.text, entry: entryOf(record) };
}

/** How often each value stands in `values`. */
export const tally = (values) =>
  values.reduce((counts, value) => ({ ...counts, [value]: (counts[value] ?? 0) + 1 }), {});
