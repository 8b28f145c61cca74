// A policy that differs from test to test in what the test is about, and in nothing else.

/** Where `start({ origin })` answers, whatever the host. */
export const ORIGIN = "https://origin.test";

/**
 * - `routes`: each `"GET,POST /path"` and what stands beside `match`, `id` and `origin`; public unless it says
 *   otherwise. A route's id is its path's first segment.
 * - `url`: the origin's; `timeout_ms` and `identity` go to it too.
 * - `rest`: members of the policy, laid over these.
 */
export function policyOf(routes, { url = ORIGIN, timeout_ms, identity, ...rest } = {}) {
  return {
    name: "e2e",
    profile: "development",
    transport: { https_only: false },
    origins: { api: { url, ...(timeout_ms && { timeout_ms }), ...(identity && { identity }) } },
    routes: Object.entries(routes).map(([match, fields]) => routeOf(match, fields)),
    ...rest,
  };
}

/** A limit that counts within the window of any test. */
export const perMinute = (by, limit) => ({ by, algorithm: "sliding_window", limit, window_s: 60, on_error: "refuse" });

function routeOf(match, fields) {
  const [methods, path] = match.split(" ");
  const id = path.split("/")[1].replace(/\W/g, "") || "root";
  return { id, match: { methods: methods.split(","), path }, origin: "api", auth: "public", ...fields };
}
