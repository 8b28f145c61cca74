// An issuer of tokens for measuring: keys, their public half, and many tokens at once.
import { createHmac, createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { promisify } from "node:util";

export const ISSUER = "https://issuer.bench.example";
export const AUDIENCE = "orders";
export const SCOPE = "orders:write";
const LIFETIME_S = 900;
const KINDS = {
  RS256: ["rsa", { modulusLength: 2_048 }],
  PS256: ["rsa", { modulusLength: 2_048 }],
  ES256: ["ec", { namedCurve: "P-256" }],
  ES384: ["ec", { namedCurve: "P-384" }],
  Ed25519: ["ed25519", {}],
};
const HASHES = { RS256: "sha256", PS256: "sha256", ES256: "sha256", ES384: "sha384", Ed25519: null };
const asynchronous = promisify(sign);

/** Gives `{ jwks, token(subject), tokens(subjects) }` for one algorithm; each token is unlike any other. */
export function makeIssuer(algorithm, issuer = ISSUER) {
  const { publicKey, privateKey } = generateKeyPairSync(...KINDS[algorithm]);
  const kid = `bench-${algorithm}`;
  const jwks = { keys: [{ ...publicKey.export({ format: "jwk" }), kid, alg: algorithm, use: "sig" }] };
  const options = { key: privateKey, dsaEncoding: "ieee-p1363", ...(algorithm === "PS256" && { padding: 6, saltLength: 32 }) };
  const token = async (subject) => {
    const input = signingInput({ alg: algorithm, kid }, { iss: issuer, sub: subject });
    const signature = await asynchronous(HASHES[algorithm], Buffer.from(input), options);
    return `${input}.${signature.toString("base64url")}`;
  };
  return { jwks, token, tokens: (subjects) => Promise.all(subjects.map(token)) };
}

/** The same with a shared secret, whose tokens cost next to nothing to make. */
export function makeSharedIssuer(issuer = ISSUER) {
  const secret = "a secret of the benchmark's own, 32 bytes and more";
  const token = (subject) => {
    const input = signingInput({ alg: "HS256" }, { iss: issuer, sub: subject });
    return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
  };
  return { secret, token, tokens: (subjects) => subjects.map(token) };
}

/** A private key for the gateway's statements to origins, as `IDENTITY_KEY` takes it. */
export function makeIdentityKey() {
  const { privateKey } = generateKeyPairSync("ed25519");
  const jwk = createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" })).export({ format: "jwk" });
  return JSON.stringify({ ...jwk, kid: "bench-identity" });
}

let made = 0;

function signingInput(header, { iss, sub }) {
  const now_s = Math.floor(Date.now() / 1_000);
  made += 1;
  const claims = {
    iss,
    aud: AUDIENCE,
    sub,
    iat: now_s,
    nbf: now_s,
    exp: now_s + LIFETIME_S,
    jti: `token-${made}`,
    scope: `orders:read ${SCOPE}`,
    tenant: "acme",
  };
  return [{ typ: "at+jwt", ...header }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
}
