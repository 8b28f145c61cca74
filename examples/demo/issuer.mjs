// A token issuer: what an identity provider does for an API, small enough to read.
//
// It hands a token to whoever asks, so it answers on loopback only. Never run it anywhere else.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { join } from "node:path";
import * as jose from "jose";
import { kept } from "./state.mjs";

const ALGORITHMS = ["ES256", "RS256"];
const FORM_BYTES_MAX = 4_096;

/**
 * Starts the issuer on `127.0.0.1:port` (0 for any).
 *
 * - `audience`: the `aud` of its tokens.
 * - `people`: who may have a token at `/token`, by name: arguments of `mint`.
 * - `stateDir`: where its keys are kept, so that a restart keeps tokens good.
 *
 * Gives `{ url, mint, stop }`.
 */
export async function startIssuer({ port, stateDir, audience, people }) {
  const keys = await loadKeys(stateDir);
  const server = createServer();
  await new Promise((settle, fail) => {
    server.once("error", fail).listen(port, "127.0.0.1", settle);
  });
  const url = `http://127.0.0.1:${server.address().port}`;
  const mint = (claims) => mintToken(keys, { issuer: url, audience, ...claims });
  server.on("request", (request, response) => {
    answer(request, { url, mint, people, keys })
      .catch(() => text(500, "the issuer failed\n"))
      .then(({ status, type, content }) => {
        const headers = { "content-type": type, "cache-control": "no-store" };
        response.writeHead(status, headers).end(content);
      });
  });
  const stop = () =>
    new Promise((settle) => {
      server.close(settle);
      server.closeAllConnections();
    });
  return { url, mint, stop };
}

/** One key for each algorithm, by the algorithm's name. */
async function loadKeys(stateDir) {
  const privateKeys = await kept(join(stateDir, "issuer-keys.json"), async () => {
    const made = ALGORITHMS.map(async (alg) => {
      const { privateKey } = await jose.generateKeyPair(alg, { extractable: true });
      const jwk = await jose.exportJWK(privateKey);
      return { ...jwk, kid: await jose.calculateJwkThumbprint(jwk), alg, use: "sig" };
    });
    return Promise.all(made);
  });
  const imported = privateKeys.map(async (jwk) => {
    return [jwk.alg, { kid: jwk.kid, privateKey: await jose.importJWK(jwk), jwk: publicPart(jwk) }];
  });
  return Object.fromEntries(await Promise.all(imported));
}

/** The members that are public are named: one that is forgotten here is not published. */
function publicPart(jwk) {
  const members = ["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"];
  return Object.fromEntries(members.filter((name) => jwk[name]).map((name) => [name, jwk[name]]));
}

/**
 * Makes an access token (RFC 9068).
 *
 * - `scopes`, `roles`: lists; `account`, `tenant`, `plan`: left out of the token when undefined.
 * - `lifetime_s`: from `iat` to `exp`; `issuedAgo_s`: how long before now `iat` lies.
 * - `key`: `ES256` or `RS256`, one key of each is published.
 * - `typ`: of the header; `claims`: more claims, or others in place of those above.
 */
async function mintToken(keys, wanted) {
  const { lifetime_s = 300, issuedAgo_s = 0, key = "ES256", typ = "at+jwt" } = wanted;
  const iat = Math.floor(Date.now() / 1_000) - issuedAgo_s;
  const claims = {
    iss: wanted.issuer,
    sub: wanted.subject,
    aud: wanted.audience,
    client_id: wanted.clientId ?? "demo",
    iat,
    exp: iat + lifetime_s,
    jti: randomUUID(),
    scope: (wanted.scopes ?? []).join(" "),
    roles: wanted.roles ?? [],
    org_id: wanted.tenant,
    account: wanted.account,
    plan: wanted.plan,
    ...wanted.claims,
  };
  return new jose.SignJWT(claims)
    .setProtectedHeader({ alg: key, kid: keys[key].kid, typ })
    .sign(keys[key].privateKey);
}

async function answer(request, issuer) {
  // A page whose name was made to point at loopback would otherwise get a token.
  const host = request.headers.host?.replace(/:\d+$/, "");
  if (!["127.0.0.1", "localhost"].includes(host)) return text(421, "only on loopback\n");
  const url = new URL(request.url, issuer.url);
  switch (`${request.method} ${url.pathname}`) {
    case "GET /.well-known/jwks.json":
      return json(200, { keys: Object.values(issuer.keys).map(({ jwk }) => jwk) });
    case "GET /.well-known/openid-configuration":
      return json(200, configuration(issuer.url));
    case "GET /token":
      return handOut(issuer, url.searchParams.get("as"));
    case "POST /token":
      return grant(issuer, new URLSearchParams(await readForm(request)));
    default:
      return text(404, "nothing stands here\n");
  }
}

function configuration(url) {
  return {
    issuer: url,
    jwks_uri: `${url}/.well-known/jwks.json`,
    token_endpoint: `${url}/token`,
    grant_types_supported: ["client_credentials"],
    response_types_supported: [],
    subject_types_supported: ["public"],
    token_endpoint_auth_methods_supported: ["none"],
    id_token_signing_alg_values_supported: ALGORITHMS,
  };
}

/** The token alone, to stand within a command line. */
async function handOut({ mint, people }, name) {
  if (name && Object.hasOwn(people, name)) return text(200, await mint(people[name]));
  return text(404, `write ?as=NAME with one of ${Object.keys(people).join(", ")}\n`);
}

/** RFC 6749 §4.4, without the client's proof: for a demonstration only. */
async function grant({ mint, people }, form) {
  if (form.get("grant_type") !== "client_credentials") {
    return json(400, { error: "unsupported_grant_type" });
  }
  const name = form.get("client_id");
  if (!name || !Object.hasOwn(people, name)) return json(401, { error: "invalid_client" });
  const access_token = await mint(people[name]);
  const { iat, exp, scope } = jose.decodeJwt(access_token);
  return json(200, { access_token, token_type: "Bearer", expires_in: exp - iat, scope });
}

async function readForm(request) {
  let form = "";
  for await (const part of request.setEncoding("utf8")) {
    form += part;
    if (form.length > FORM_BYTES_MAX) return "";
  }
  return form;
}

const text = (status, content) => ({ status, type: "text/plain; charset=utf-8", content });
const json = (status, content) => {
  return { status, type: "application/json", content: `${JSON.stringify(content)}\n` };
};
