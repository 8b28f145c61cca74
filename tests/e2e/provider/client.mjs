// A client of the provider: every way it gets a token, through a real client library (npm `oauth4webapi`).
import * as oauth from "oauth4webapi";
import { openBrowser } from "./browser.mjs";
import { API, CERTIFICATE_HEADER, REDIRECT_URI, SCOPES, SECRET } from "./configuration.mjs";

/** Loopback has no TLS. */
export const LOOPBACK = { [oauth.allowInsecureRequests]: true };

/**
 * What one client can ask of `provider`.
 *
 * - `id`: as in `configuration.mjs`.
 * - `dpop`: the handle of its proof key (`oauth.DPoP`); its tokens are bound to that key.
 * - `certificate`: base64 of the DER form of its TLS client certificate.
 */
export async function clientOf(provider, id, { dpop, certificate } = {}) {
  const issuer = new URL(provider.issuer);
  const found = await oauth.discoveryRequest(issuer, LOOPBACK);
  const server = await oauth.processDiscoveryResponse(issuer, found);
  const client = { client_id: id, id_token_signed_response_alg: "ES256" };
  const isPublic = ["app", "dpop-app", "nonce-app", "device"].includes(id);
  const proof = isPublic ? oauth.None() : oauth.ClientSecretBasic(SECRET);
  const options = {
    ...LOOPBACK,
    ...(dpop && { DPoP: dpop }),
    ...(certificate && { headers: { [CERTIFICATE_HEADER]: certificate } }),
  };
  const context = { server, client, proof, options };
  return {
    logIn: (more) => logIn(context, more),
    authorizeDevice: (more) => authorizeDevice(context, more),
    credentials: (resource, scope) => credentials(context, resource, scope),

    /** New tokens for a refresh token. */
    async refresh(refreshToken, { resource = API } = {}) {
      const additionalParameters = { resource };
      return retried(async () => {
        const more = { ...options, additionalParameters };
        const answer = await oauth.refreshTokenGrantRequest(server, client, proof, refreshToken, more);
        return oauth.processRefreshTokenResponse(server, client, answer);
      });
    },

    /** Gives a token up (RFC 7009). */
    async revoke(token) {
      await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, proof, token, LOOPBACK));
    },
  };
}

/**
 * Authorization code with PKCE, the user at `browser`. Gives the token response.
 *
 * - `parameters`: further ones of the authorization request, as `acr_values` or `max_age`.
 */
async function logIn({ server, client, proof, options }, { browser = openBrowser(), resource = API, parameters } = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: REDIRECT_URI,
    response_type: "code",
    scope: `openid ${SCOPES}`,
    resource,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...parameters,
  });
  const { arrived, status, page } = await browser.go(url.href, { until: REDIRECT_URI });
  if (!arrived) throw new Error(`the user is stuck at the provider: ${status} ${page}`);
  const back = oauth.validateAuthResponse(server, client, arrived, state);
  return retried(async () => {
    const answer = await oauth.authorizationCodeGrantRequest(server, client, proof, back, REDIRECT_URI, verifier, {
      ...options,
      additionalParameters: { resource },
    });
    const expected = { expectedNonce: nonce, requireIdToken: true };
    return oauth.processAuthorizationCodeResponse(server, client, answer, expected);
  });
}

/** The device flow (RFC 8628): a code here, its user elsewhere. */
async function authorizeDevice({ server, client, proof, options }, { browser = openBrowser(), resource = API } = {}) {
  const asked = await oauth.deviceAuthorizationRequest(server, client, proof, { scope: SCOPES, resource }, LOOPBACK);
  const device = await oauth.processDeviceAuthorizationResponse(server, client, asked);
  const { page } = await browser.confirmDevice(device.verification_uri_complete);
  if (page !== "done") throw new Error(`the user is stuck at the provider: ${page}`);
  const more = { ...options, additionalParameters: { resource } };
  const answer = await oauth.deviceCodeGrantRequest(server, client, proof, device.device_code, more);
  return oauth.processDeviceCodeResponse(server, client, answer);
}

/** A token of the client's own. */
function credentials({ server, client, proof, options }, resource = API, scope = SCOPES) {
  return retried(async () => {
    const parameters = { scope, resource };
    const answer = await oauth.clientCredentialsGrantRequest(server, client, proof, parameters, options);
    return oauth.processClientCredentialsResponse(server, client, answer);
  });
}

/** Once more with the nonce that the server asked for; the handle remembers it (RFC 9449 §8). */
export async function retried(ask) {
  try {
    return await ask();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return ask();
  }
}
