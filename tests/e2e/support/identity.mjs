// Keys with which a gateway signs statements and requests.
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";

/** A new private key as a JWK, named by its thumbprint. */
export async function identityKey() {
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk) };
}
