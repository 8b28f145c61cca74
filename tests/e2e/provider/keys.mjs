// Signing keys of an issuer.
import { randomUUID } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";

/** A private JWK with a fresh id. */
export async function makeSigningKey(alg = "ES256") {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: randomUUID(), alg, use: "sig" };
}

/** What may be published of it. */
export function publicHalf({ kty, crv, x, y, n, e, kid, alg, use }) {
  const members = { kty, crv, x, y, n, e, kid, alg, use };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
