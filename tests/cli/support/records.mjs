// Records and keys for the stub to give.

export const NOW_S = 1_795_292_783;

/** A record; `fields` are laid over it. */
export const recordOf = (id, fields = {}) => ({
  id,
  pepper: "a75085e3",
  authenticator: "keys",
  subject: "shop-17",
  scopes: ["orders:read", "orders:write"],
  roles: [],
  cidrs: [],
  not_before: NOW_S,
  expires_at: NOW_S + 90 * 86_400,
  state: "active",
  created_at: NOW_S,
  created_by: "admin",
  ...fields,
});

/** The whole key with that id. */
export const keyOf = (id, env = "live") => `ew_${env}_${id}_${"s".repeat(32)}CHECK1`;
