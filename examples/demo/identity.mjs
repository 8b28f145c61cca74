// What an origin does with `edgeward-identity`, the gateway's signed statement of who calls.
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";

const AUDIENCE = "orders";
const keySets = new Map();

/**
 * Reads the statement of a request.
 *
 * With the var `GATEWAY_JWKS` (the gateway's `/.edgeward/jwks.json`) it is verified, as an origin
 * that others can reach has to. Without it, it is only decoded, which proves nothing.
 *
 * Gives `{ identity, verified }`, and `fault` where the request has to be refused.
 */
export async function identify(request, env) {
  const statement = request.headers.get("edgeward-identity");
  try {
    if (env.GATEWAY_JWKS) return { identity: await verify(statement, env), verified: true };
    return { identity: statement && decodeJwt(statement), verified: false };
  } catch (error) {
    const fault = `no identity that the gateway stated: ${error.message}`;
    return { identity: null, verified: false, fault };
  }
}

async function verify(statement, env) {
  const { payload } = await jwtVerify(statement ?? "", gatewayKeys(env.GATEWAY_JWKS), {
    algorithms: ["EdDSA", "Ed25519"],
    audience: AUDIENCE,
    typ: "edgeward+jwt",
    requiredClaims: ["exp"],
  });
  return payload;
}

/** One key set for each address: it remembers the keys and fetches them anew for an unknown one. */
function gatewayKeys(address) {
  if (!keySets.has(address)) keySets.set(address, createRemoteJWKSet(new URL(address)));
  return keySets.get(address);
}
