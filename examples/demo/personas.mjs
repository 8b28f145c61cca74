// Who is who in the demo: people with tokens, programs with API keys.

/** The `aud` of the demo's tokens, as in `policy.json`. */
export const AUDIENCE = "orders-api";

/** People: what `/token?as=NAME` of the issuer puts into a token. */
export const PEOPLE = {
  alice: {
    subject: "alice",
    account: "alpha",
    tenant: "alpha",
    scopes: ["orders:read", "orders:write"],
    roles: ["customer"],
    plan: "free",
  },
  bob: {
    subject: "bob",
    account: "beta",
    tenant: "beta",
    scopes: ["orders:read", "orders:write"],
    roles: ["customer"],
    plan: "pro",
  },
  // No scopes of their own: the roles grant them.
  sam: { subject: "sam", tenant: "staff", scopes: [], roles: ["support"], plan: "pro" },
  ada: { subject: "ada", tenant: "staff", scopes: [], roles: ["admin"], plan: "pro" },
  // Alice, with a token that ended long before now.
  expired: {
    subject: "alice",
    account: "alpha",
    tenant: "alpha",
    scopes: ["orders:read", "orders:write"],
    roles: ["customer"],
    plan: "free",
    issuedAgo_s: 3_600,
  },
};

/** Programs: the API keys that the demo makes, as fields of their records. */
export const PROGRAMS = {
  shop: {
    subject: "shop",
    tenant: "alpha",
    scopes: ["orders:read", "orders:write"],
    plan: "pro",
    note: "the web shop of account alpha",
  },
  dashboard: {
    subject: "dashboard",
    tenant: "alpha",
    scopes: ["orders:read"],
    note: "reads only",
  },
  retired: {
    subject: "retired",
    tenant: "alpha",
    scopes: ["orders:read"],
    note: "its time is over",
    lifetime_s: -24 * 3_600,
  },
};
