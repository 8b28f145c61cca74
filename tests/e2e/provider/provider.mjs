// A real OpenID provider (npm `oidc-provider`) on loopback; the addresses that a gateway asks can be spoiled.
//
//   const provider = await startProvider();
//   const gateway = await start({ policy: … issuer: provider.issuer, jwks_uri: provider.keySets.url … });
//   await provider.rotate([next, old]);   // signs with `next` from now on, publishes both
//   await provider.stop();
import { createServer } from "node:http";
import Provider from "oidc-provider";
import { configuration } from "./configuration.mjs";
import { frontOf } from "./front.mjs";
import { answerInteraction } from "./interactions.mjs";
import { makeSigningKey } from "./keys.mjs";
import { memoryAdapter } from "./memory.mjs";

/**
 * - `lifetimeS`: of access tokens.
 * - `keys`: private JWKs; the first signs. Left out: one fresh ES256 key.
 */
export async function startProvider({ lifetimeS = 600, keys } = {}) {
  const adapter = memoryAdapter();
  const versions = new Map();
  let provider;
  let signing;
  const server = createServer((request, response) => {
    if (request.url.startsWith("/interaction/")) return answerInteraction(provider, request, response);
    return provider.callback()(request, response);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const serveWith = (next) => {
    signing = next;
    provider = new Provider(issuer, configuration({ keys: next, adapter, lifetimeS, versions }));
  };
  serveWith(keys ?? [await makeSigningKey()]);
  const keySets = await frontOf(`${issuer}/jwks`);
  const introspection = await frontOf(`${issuer}/token/introspection`);
  return {
    issuer,
    /** Where it publishes its keys. */
    keySets,
    /** Where it answers about tokens. */
    introspection,
    /** The token version (`ver`) of each account that has one, by its name. */
    versions,
    /** The private keys now in use. */
    keys: () => signing,

    /** Signs with the first of these keys from now on, and publishes all of them; what was issued stays known. */
    rotate: serveWith,

    async stop() {
      server.closeAllConnections();
      await Promise.all([keySets.stop(), introspection.stop(), new Promise((closed) => server.close(closed))]);
    },
  };
}
