// DPoP proofs (RFC 9449 §4.2) made by hand, for those that no client library would make.
import { createHash, randomUUID } from "node:crypto";
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";

/** A client's proof key. */
export async function makeProofKey(alg = "ES256") {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return {
    alg,
    privateKey,
    publicKey,
    jwk,
    privateJwk: await exportJWK(privateKey),
    thumbprint: await calculateJwkThumbprint(jwk),
  };
}

/**
 * A proof for one request.
 *
 * - `key`: of `makeProofKey`. - `htu`, `htm`: the request. - `token`: the access token it goes with.
 * - `header`, `claims`: laid over those of a good proof; `undefined` takes one away.
 * - `signer`: another key to sign with. - `nonce`: as the gateway gave it.
 */
export function prove({ key, htu, htm = "GET", token, header = {}, claims = {}, signer = key, nonce }) {
  const payload = {
    jti: randomUUID(),
    htm,
    htu,
    iat: Math.floor(Date.now() / 1_000),
    ath: createHash("sha256").update(token).digest("base64url"),
    nonce,
    ...claims,
  };
  const protectedHeader = { typ: "dpop+jwt", alg: key.alg, jwk: key.jwk, ...header };
  return new SignJWT(present(payload)).setProtectedHeader(present(protectedHeader)).sign(signer.privateKey ?? signer);
}

/** A JWS with this header, signed by an ES256 key: for headers that a library refuses to write. */
export async function sealed(header, payload, key) {
  const text = compact(header, payload).slice(0, -1);
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, Buffer.from(text));
  return `${text}.${Buffer.from(signature).toString("base64url")}`;
}

/** A JWS of these parts, whatever they are. */
export const compact = (header, payload, signature = "") =>
  [JSON.stringify(header), JSON.stringify(payload), signature]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".");

/** The parts of a JWS. */
export function partsOf(text) {
  const [header, payload, signature] = text.split(".").map((part) => Buffer.from(part, "base64url"));
  return { header: JSON.parse(header), payload: JSON.parse(payload), signature };
}

const present = (members) => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
