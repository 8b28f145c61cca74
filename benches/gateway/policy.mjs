// One policy, twice: as Edgeward reads it and as the twin is told it.
import { AUDIENCE, ISSUER, SCOPE } from "./issuer.mjs";

export const WINDOW_S = 60;
/** More than is ever asked for while it is measured. */
export const ROOMY = 1_000_000_000;
export const PATH = "/v1/orders";

/** An order: what the body has to be. */
export const ORDER = {
  type: "object",
  additionalProperties: false,
  required: ["item", "quantity"],
  properties: {
    item: { type: "string", minLength: 1, maxLength: 64 },
    quantity: { type: "integer", minimum: 1, maximum: 100 },
    note: { type: "string", maxLength: 256 },
    lines: {
      type: "array",
      maxItems: 200_000,
      items: {
        type: "object",
        additionalProperties: false,
        required: ["sku", "count"],
        properties: { sku: { type: "string", maxLength: 4_096 }, count: { type: "integer", minimum: 1 } },
      },
    },
  },
};

export const GOOD_BODY = JSON.stringify({ item: "tea", quantity: 2, note: "black, leaves, no bags" });
export const BAD_BODY = JSON.stringify({ item: "tea", quantity: "2", note: "black, leaves, no bags" });

/** From here on, lines are long: the gateway reads only so many values, however small. */
const LARGE_BYTES = 1_000_000;

/** A good order of about so many bytes. */
export function orderOf(bytes) {
  const line = { sku: "tea-".repeat(bytes < LARGE_BYTES ? 4 : 1_000), count: 3 };
  const count = Math.max(1, Math.floor((bytes - 40) / (JSON.stringify(line).length + 1)));
  return JSON.stringify({ item: "tea", quantity: 2, lines: Array.from({ length: count }, () => line) });
}

export const accounts = (jwks, algorithm = "RS256", issuer = ISSUER) => ({
  kind: "jwt",
  issuer,
  audiences: [AUDIENCE],
  algorithms: [algorithm],
  ...jwks,
});

export const byCaller = (limit = ROOMY) => ({
  by: "caller",
  algorithm: "sliding_window",
  limit,
  window_s: WINDOW_S,
  on_error: "refuse",
});

/** In production, as it is deployed: nothing is looser because it is measured. */
export function edgewardPolicy({ origin, jwks, limit }) {
  return {
    name: "bench",
    profile: "production",
    public_url: "https://api.example.com",
    origins: { api: { url: origin } },
    authenticators: { accounts: accounts({ jwks }) },
    limits: { minute: byCaller(limit) },
    routes: [createOrder],
  };
}

/** The route that is compared: everything that it asks for, the twin asks for too. */
export const createOrder = {
  id: "createOrder",
  match: { methods: ["POST"], path: PATH },
  origin: "api",
  auth: ["accounts"],
  require: { scopes: [SCOPE] },
  limits: ["minute"],
  request: { content_types: ["application/json"], max_bytes: 1_048_576, body: ORDER },
};

export const twinConfig = ({ origin, jwks, limit }) => ({
  issuer: ISSUER,
  audience: AUDIENCE,
  jwks,
  scope: SCOPE,
  limit,
  windowMs: WINDOW_S * 1_000,
  schema: ORDER,
  origin,
});
