// Access tokens with the provider's own key and of the test's own making: for what other issuers write in theirs, and
// this one never does.
import { randomUUID } from "node:crypto";
import { SignJWT, importJWK } from "jose";
import { API } from "./configuration.mjs";

/** A token of `provider`; `claims` are laid over those of a good one, `undefined` takes one away. */
export async function mint(provider, claims = {}) {
  const [key] = provider.keys();
  const nowS = Math.floor(Date.now() / 1_000);
  const good = {
    iss: provider.issuer,
    aud: API,
    sub: "alice",
    client_id: "app",
    jti: randomUUID(),
    iat: nowS,
    exp: nowS + 300,
    scope: "orders:read orders:write",
  };
  const all = Object.entries({ ...good, ...claims }).filter(([, value]) => value !== undefined);
  const header = { alg: key.alg, kid: key.kid, typ: "at+jwt" };
  return new SignJWT(Object.fromEntries(all)).setProtectedHeader(header).sign(await importJWK(key, key.alg));
}
