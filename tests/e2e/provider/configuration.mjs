// What the OpenID provider of the tests is: its clients, its resources, and how its tokens look.
import { X509Certificate, randomBytes } from "node:crypto";
import { interactionPolicy } from "oidc-provider";

/** The API behind the gateway: its access tokens are JWTs (RFC 9068). */
export const API = "https://api.example";
/** The same for another API, whose tokens are not for this one. */
export const OTHER_API = "https://other.example";
/** An API whose access tokens say nothing by themselves. */
export const OPAQUE_API = "https://opaque.example";

export const SCOPES = "orders:read orders:write";
export const REDIRECT_URI = "https://app.example/callback";
export const SECRET = "a secret that a client and its provider share";
/** How the tests hand a TLS client certificate (base64 of its DER form) to the provider: its listener has no TLS. */
export const CERTIFICATE_HEADER = "x-test-certificate";
/** How far behind the clock the tokens of the client `late` lie: over, whatever the leeway. */
const LATE_S = 3_600;
const LOGIN = { aal1: ["pwd"], aal2: ["pwd", "otp"] };

const codeFlow = {
  redirect_uris: [REDIRECT_URI],
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  token_endpoint_auth_method: "none",
  application_type: "native",
};
const headless = { redirect_uris: [], response_types: [], client_secret: SECRET };
const machine = { ...headless, grant_types: ["client_credentials"] };

/** Every client by its id. */
const CLIENTS = {
  app: codeFlow,
  "dpop-app": { ...codeFlow, dpop_bound_access_tokens: true },
  "nonce-app": { ...codeFlow, dpop_bound_access_tokens: true },
  device: {
    ...headless,
    client_secret: undefined,
    grant_types: ["urn:ietf:params:oauth:grant-type:device_code"],
    token_endpoint_auth_method: "none",
  },
  machine,
  late: machine,
  "mtls-machine": { ...machine, tls_client_certificate_bound_access_tokens: true },
  // Whom the gateway is when it asks about tokens; what it needs of form-encoding (RFC 6749 §2.3.1) stands in its name.
  "gateway:1": { ...headless, grant_types: [] },
};

/**
 * The configuration of a provider.
 *
 * - `keys`: private JWKs; the first signs.
 * - `adapter`: where it keeps what it issued, so that a restarted provider knows it.
 * - `lifetimeS`: of access tokens. - `versions`: the token version of each account that has one.
 */
export function configuration({ keys, adapter, lifetimeS, versions }) {
  return {
    adapter,
    jwks: { keys },
    clients: Object.entries(CLIENTS).map(([client_id, client]) => ({
      client_id,
      id_token_signed_response_alg: "ES256",
      ...client,
    })),
    acrValues: Object.keys(LOGIN),
    scopes: ["openid", "offline_access", ...SCOPES.split(" ")],
    cookies: { keys: ["a secret for the cookies of tests"] },
    features: features({ signingKeyId: keys[0].kid, lifetimeS }),
    formats: { customizers: { jwt: backdated } },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    extraTokenClaims: (context, token) => ({ ...loginClaims(context), ...versionOf(token, versions) }),
    issueRefreshToken: (_context, client) => client.grantTypeAllowed("refresh_token"),
    expiresWithSession: () => false,
    rotateRefreshToken: true,
    interactions: { policy: policyWithAcr(), url: (_context, interaction) => `/interaction/${interaction.uid}` },
    clientBasedCORS: () => false,
    renderError: (context, error) => {
      context.type = "json";
      context.body = error;
    },
    ttl: lifetimes(lifetimeS),
  };
}

function features({ signingKeyId, lifetimeS }) {
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: (_context, client) => client.clientId === "gateway:1" },
    revocation: { enabled: true, allowedPolicy: (_context, client, token) => client.clientId === token.clientId },
    deviceFlow: {
      enabled: true,
      userCodeConfirmSource: (context, form) => void (context.body = form),
      successSource: (context) => void (context.body = "done"),
    },
    dPoP: {
      enabled: true,
      nonceSecret: randomBytes(32),
      requireNonce: (context) => context.oidc.client?.clientId === "nonce-app",
    },
    mTLS: { enabled: true, certificateBoundAccessTokens: true, getCertificate: certificateOf },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, resource) => ({
        audience: resource,
        scope: SCOPES,
        accessTokenTTL: lifetimeS,
        accessTokenFormat: resource === OPAQUE_API ? "opaque" : "jwt",
        ...(resource === OPAQUE_API ? {} : { jwt: { sign: { alg: "ES256", kid: signingKeyId } } }),
      }),
    },
  };
}

function certificateOf(context) {
  const text = context.get(CERTIFICATE_HEADER);
  return text ? new X509Certificate(Buffer.from(text, "base64")) : undefined;
}

/** A token of the client `late` is as good as any, only long over. */
function backdated(_context, token, { payload }) {
  if (token.clientId !== "late") return;
  payload.iat -= LATE_S;
  payload.exp -= LATE_S;
}

/** How the user logged in, in access tokens too (RFC 9470 §6.1, RFC 9068 §2.2.1). */
function loginClaims(context) {
  const { AuthorizationCode, RefreshToken } = context.oidc.entities;
  const { acr, authTime } = AuthorizationCode ?? RefreshToken ?? {};
  return acr ? { acr, amr: LOGIN[acr], auth_time: authTime } : {};
}

function versionOf({ accountId }, versions) {
  return versions.has(accountId) ? { ver: versions.get(accountId) } : {};
}

/** The usual prompts; a user who logged in another way than the client asks for logs in again. */
function policyWithAcr() {
  const policy = interactionPolicy.base();
  const check = new interactionPolicy.Check("acr_values", "another login is asked for", ({ oidc }) => {
    const wanted = oidc.params.acr_values?.split(" ");
    return wanted !== undefined && !wanted.includes(oidc.acr) && !oidc.result?.login;
  });
  policy.get("login").checks.add(check);
  return policy;
}

/** Each said here: the library warns of every default it falls back to. */
function lifetimes(lifetimeS) {
  const long = ["RefreshToken", "Session", "Grant", "Interaction", "DeviceCode"];
  const tokens = ["AccessToken", "ClientCredentials", "IdToken"].map((name) => [name, () => lifetimeS]);
  return Object.fromEntries([...long.map((name) => [name, 7_200]), ...tokens]);
}
