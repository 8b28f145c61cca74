// A gateway in front of an origin of the test, that takes the tokens of the test's provider.
import { decodeJwt, exportJWK, generateKeyPair } from "jose";
import { httpOrigin, start } from "../harness.mjs";
import { policyOf } from "../support/policy.mjs";
import { aheadHeader, clockedEntry } from "./clock.mjs";
import { API, OPAQUE_API } from "./configuration.mjs";

/** An authenticator for the JWTs of `provider`, by the keys at the address a test can spoil. */
export const jwtOf = (provider, more = {}) => ({
  kind: "jwt",
  issuer: provider.issuer,
  audiences: [API],
  algorithms: ["ES256"],
  jwks_uri: provider.keySets.url,
  token_type: "at+jwt",
  ...more,
});

/** An authenticator for its opaque tokens, asked about at the address a test can spoil; its secret is a var. */
export const opaqueOf = (provider, more = {}) => ({
  kind: "introspection",
  endpoint: provider.introspection.url,
  client_id: "gateway:1",
  client_secret_binding: "INTROSPECTION_SECRET",
  issuer: provider.issuer,
  audiences: [OPAQUE_API],
  ...more,
});

/**
 * Starts both.
 *
 * - `authenticators`: by name; the route `GET,POST /orders` takes all of them and asks for `orders:read`.
 * - `route`: laid over that route. - `routes`: further ones, as `policyOf` takes them.
 * - `clocked`: the worker's clock can be moved with `moveClock`.
 * - `policy`: members laid over the policy. - `vars`, `kv`, `cf`, `entry`: as `start` takes them.
 */
export async function gatewayFor({ authenticators, route, routes = {}, policy, vars, clocked, entry, ...more }) {
  const origin = await httpOrigin((request, response) => {
    request.resume();
    response.end("ok");
  });
  const auth = Object.keys(authenticators);
  const orders = { auth, require: { scopes: ["orders:read"] }, ...route };
  const gateway = await start({
    policy: policyOf({ "GET,POST /orders": orders, ...routes }, { url: origin.url, authenticators, ...policy }),
    vars: { IDENTITY_KEY: await identityKey(), ...vars },
    entry: clocked ? clockedEntry() : entry,
    ...more,
  });
  const ask = (headers = {}, { path = "/orders", ...init } = {}) => gateway.fetch(path, { headers, ...init });

  return {
    ...gateway,
    origin,
    ask,
    /** A request with a bearer token. */
    bearer: (token, init) => ask({ authorization: `Bearer ${token}` }, init),
    /** Why a request was refused, in the words of the log. */
    reasonOf: async (answer) => (await gateway.decisionOf(answer))?.reason,
    /** Who called, as the origin was told with the last request. */
    told: () => decodeJwt(origin.requests.at(-1).headers["edgeward-identity"]),
    /** Sets how far the worker's clock is ahead of this machine's. */
    moveClock: async (aheadMs) => void (await ask({ [aheadHeader]: `${aheadMs}` })),
    stop: () => Promise.all([gateway.stop(), origin.stop()]),
  };
}

async function identityKey() {
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  return JSON.stringify({ ...(await exportJWK(privateKey)), kid: "identity" });
}
