// One policy with a route for each feature, so that features are compared within one process.
import { accounts, byCaller, createOrder, ORDER, ROOMY, WINDOW_S } from "../gateway/policy.mjs";

const BODY_BYTES_MAX = 20_000_000;
/** The most that the gateway reads. */
const READ_BYTES_MAX = 8_388_608;

/** Each algorithm, with room for all that is sent; `by` is the address. */
const rates = { by: "ip", on_error: "refuse" };
export const ALGORITHMS = {
  sliding_window: { ...rates, algorithm: "sliding_window", limit: ROOMY, window_s: WINDOW_S },
  fixed_window: { ...rates, algorithm: "fixed_window", limit: ROOMY, window_s: WINDOW_S },
  token_bucket: { ...rates, algorithm: "token_bucket", rate_per_s: 100_000, burst: 1_000_000 },
  leaky_bucket: { ...rates, algorithm: "leaky_bucket", rate_per_s: 100_000, queue: 10_000 },
  calendar: { ...rates, algorithm: "calendar", limit: ROOMY, period: "day" },
  concurrency: { ...rates, algorithm: "concurrency", limit: 1_000 },
};

export const BUCKET_HEADER = "x-bucket";

/** What the origin answers (`runtime/origin.mjs`). */
const ANSWER = {
  type: "object",
  additionalProperties: false,
  required: ["id", "owner", "item", "quantity", "price"],
  properties: {
    id: { type: "string" },
    owner: { type: "string" },
    item: { type: "string", maxLength: 40 },
    quantity: { type: "integer", minimum: 1 },
    price: { type: "object", properties: { amount: { type: "integer" }, currency: { type: "string" } } },
  },
};

/**
 * - `issuers`: by algorithm, what `accounts` takes of it and its `issuer`.
 * - `signature`: of requests to the origin; then all content is read.
 */
export function featurePolicy({ origin, issuers, main, signature }) {
  const named = Object.entries(issuers);
  const jwt = ([algorithm, { keys, issuer }]) => [name(algorithm), accounts(keys, algorithm, issuer)];
  const order = { content_types: ["application/json"], max_bytes: READ_BYTES_MAX, body: ORDER };
  const of = (id, rest) => ({ id, match: { methods: ["POST"], path: `/${id}` }, origin: "api", auth: "public", ...rest });
  return {
    name: "bench",
    profile: "development",
    public_url: "https://api.example.com",
    origins: { api: { url: origin.url, ...(signature && { signature }) } },
    authenticators: { accounts: accounts(main), keys: { kind: "api_key" }, ...Object.fromEntries(named.map(jwt)) },
    limits: {
      minute: byCaller(),
      few: byCaller(1),
      bucket: { ...ALGORITHMS.sliding_window, by: { cel: `request.headers['${BUCKET_HEADER}']` } },
      ...ALGORITHMS,
    },
    routes: [
      createOrder,
      of("open", {}),
      of("key", { auth: ["keys"] }),
      of("token", { auth: ["accounts"] }),
      of("few", { auth: ["accounts"], limits: ["few"] }),
      of("scope", { auth: ["accounts"], require: { scopes: ["orders:none"] } }),
      ...named.map(([algorithm]) => of(name(algorithm), { auth: [name(algorithm)] })),
      ...Object.keys(ALGORITHMS).map((algorithm) => of(algorithm, { limits: [algorithm] })),
      of("bucket", { limits: ["bucket"] }),
      of("schema", { request: order }),
      of("pass", { request: { max_bytes: signature ? READ_BYTES_MAX : BODY_BYTES_MAX } }),
      of("small", { request: { max_bytes: 16 } }),
      of("cel", { allow: "request.headers['content-type'].startsWith('application/') && request.method == 'POST'" }),
      of("cel-body", { allow: "request.body.quantity < 10 && request.body.item != ''", request: order }),
      of("answer-allow", { response: { allow: "body.quantity == 2" } }),
      of("answer-fields", { response: { fields: [{ pointer: "/price/amount", read: "false" }] } }),
      of("answer-body", { response: { body: ANSWER, body_mode: "enforce" } }),
      of("write", { request: { content_types: ["application/json"], fields: [{ pointer: "/quantity", write: "false", on_refusal: "strip" }] } }),
    ],
  };
}

const name = (algorithm) => `alg-${algorithm}`;
export const pathOf = (algorithm) => `/${name(algorithm)}`;
