// The secrets of a gateway: all random, made here, none with a default.
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { adminKeyHash, makeAdminKey } from "./admin-key.mjs";

const RANDOM_BYTES = 32;

/**
 * Makes them all: `{ bound: [{ name, purpose, text }], adminKey }`.
 *
 * `bound` are bindings of the Worker, in the order in which they are needed. `adminKey` is bound by its hash alone.
 */
export function makeSecrets() {
  const adminKey = makeAdminKey();
  const bound = [
    { name: "KEY_PEPPER", purpose: "hashes API keys: lost, no key is good any more", text: random() },
    { name: "AUDIT_KEY", purpose: "chains the decision lines: keep a copy where they are verified", text: random() },
    { name: "POLICY_KEY", purpose: "signs policies that are pushed", text: random() },
    { name: "DPOP_NONCE_KEY", purpose: "makes the nonces of DPoP proofs", text: random() },
    { name: "IDENTITY_KEY", purpose: "signs what origins are told of a caller", text: identityKey() },
    { name: "ADMIN_KEY_HASH", purpose: "opens the admin API to the root admin key", text: adminKeyHash(adminKey) },
  ];
  return { bound, adminKey };
}

const random = () => randomBytes(RANDOM_BYTES).toString("base64url");

/** A private Ed25519 key as a JWK, with its thumbprint (RFC 7638) as `kid`: another key never has the same one. */
function identityKey() {
  const { kty, crv, d, x } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const kid = createHash("sha256").update(JSON.stringify({ crv, kty, x })).digest("base64url");
  return JSON.stringify({ kty, crv, d, x, kid });
}
