// Who calls, in the gateway's words: nothing that a client says of itself reaches the origin, nor does its credential.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { httpOrigin, start } from "./harness.mjs";
import { identityKey } from "./support/identity.mjs";
import { makeKey, PEPPER } from "./support/keys.mjs";
import { policyOf } from "./support/policy.mjs";
import { send } from "./support/raw.mjs";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const key = makeKey({ subject: "shop-17", tenant: "acme", scopes: ["orders:read"], roles: ["customer"] });
const bare = makeKey({ subject: "nightly" });

let origin;
let gateway;
let signer;

before(async () => {
  signer = await identityKey();
  origin = await httpOrigin((request, response) => {
    request.resume();
    response.end("ok");
  });
  gateway = await begin(signer);
});

beforeEach(() => {
  origin.requests.length = 0;
});

after(async () => {
  await gateway?.stop();
  await origin?.stop();
});

test("the origin gets what was matched, and who asked, from the gateway alone", async () => {
  const answer = await gateway.fetch("https://api.test/open", {
    headers: { "cf-connecting-ip": "2001:DB8::1", "x-kept": "yes", "user-agent": "tests" },
  });
  const { headers } = origin.requests[0];
  assert.equal(headers["edgeward-request-id"], answer.headers.get("x-request-id"));
  assert.equal(headers["x-forwarded-for"], "2001:db8::1");
  assert.equal(headers["x-forwarded-host"], "api.test");
  assert.equal(headers["x-forwarded-proto"], "https");
  assert.equal(headers.host, new URL(origin.url).host);
  assert.deepEqual([headers["x-kept"], headers["user-agent"]], ["yes", "tests"]);
});

test("what a client says of itself in the words of a proxy is removed, in every spelling", async () => {
  for (const name of [
    "X-Forwarded-For", "x_forwarded_for", "X_FORWARDED-FOR", "X-Forwarded-Host", "X-Forwarded-Proto",
    "X-Forwarded-Port", "X-Forwarded-Prefix", "x_forwarded_uri", "X-Forwarded-User", "Forwarded", "FORWARDED", "Via",
    "EDGEWARD-IDENTITY", "edgeward_identity", "Edgeward_Request-Id", "edgeward-anything", "edgeward_",
    "X-Original-URL", "x_original_url", "X-Original-URI", "X-Rewrite-URL", "x_rewrite_url",
    "Client-Cert", "client_cert", "Client-Cert-Chain", "X-Client-Cert", "X-Client-Cert-Dn", "X-SSL-Client-Verify",
    "SSL_CLIENT_S_DN", "X-SSL-Cert", "X-Real-IP", "x_real_ip", "X-Client-IP", "True-Client-IP", "true_client_ip",
    "X-Cluster-Client-IP", "CF-Ray", "CF-Visitor", "CF_IPCountry", "CF-Access-Jwt-Assertion", "X-User-Id", "x_user_id",
    "X-Userinfo", "X-Consumer-Id", "X-Auth-Request-User", "X_Auth_User", "X-Envoy-Original-Path", "X-Request-Id",
    "X-HTTP-Method-Override", "x_http_method_override", "X-Method-Override", "X-HTTP-Method", "X-Middleware-Subrequest",
    "Proxy-Authorization", "Proxy-Connection", "Keep-Alive", "TE", "Trailer", "Upgrade",
  ]) {
    origin.requests.length = 0;
    const { status } = await send(gateway.url, { target: "/open", headers: [`${name}: forged-1`] });
    const seen = origin.requests.flatMap(({ raw }) => raw).filter((text) => text.includes("forged-1"));
    assert.deepEqual([status, seen], [200, []], name);
  }
});

test("Connection takes the caller's own fields away and none of the gateway's", async () => {
  const named = "x-team, X-Forwarded-For, edgeward-request-id, edgeward-identity, traceparent, x-kept-not, keep-alive";
  const sent = ["X-Team: forged", "X-Kept-Not: forged", "X-Kept: yes", `X-Api-Key: ${key.text}`];
  const headers = [`Connection: ${named}`, ...sent];
  await send(gateway.url, { target: "/closed", headers });
  const { headers: seen } = origin.requests[0];
  assert.deepEqual([seen["x-team"], seen["x-kept-not"], seen["x-kept"]], [undefined, undefined, "yes"]);
  for (const name of ["x-forwarded-for", "edgeward-request-id", "edgeward-identity", "traceparent"]) {
    assert.ok(seen[name], name);
  }
});

test("Connection cannot take a credential away before it is judged", async () => {
  for (const [text, status] of [[key.text, 200], [`${key.text}x`, 401]]) {
    const headers = ["Connection: x-api-key", `X-Api-Key: ${text}`];
    assert.equal((await send(gateway.url, { target: "/closed", headers })).status, status);
  }
});

test("a credential never arrives, in whatever header it came", async () => {
  for (const [target, headers, status] of [
    ["/closed", [`X-Api-Key: ${key.text}`], 200],
    ["/closed", [`x-API-key: ${key.text}`], 200],
    ["/open", [`X-Api-Key: ${key.text}`], 200],
    ["/open", [`X_Api_Key: ${key.text}`], 200],
    ["/open", [`X-Api-Key: ${key.text}`, `X_Api_Key: ${key.text}`], 200],
    ["/open", [`Authorization: Bearer ${key.text}`], 401],
    ["/open", ["Authorization: Basic YTpi"], 401],
    ["/open", [`X_Authorization: ${key.text}`, "Authorization_: x"], 200],
  ]) {
    origin.requests.length = 0;
    const answer = await send(gateway.url, { target, headers });
    assert.equal(answer.status, status, headers.join(" | "));
    for (const { headers: seen } of origin.requests) {
      const names = Object.keys(seen).map((name) => name.replaceAll("_", "-"));
      assert.equal(names.includes("x-api-key") || names.includes("authorization"), false, headers.join(" | "));
    }
  }
});

test("a key in the URL is refused, and goes no further", async () => {
  for (const path of ["/open", "/closed"]) {
    for (const name of ["api_key", "x-api-key", "key", "q"]) {
      const answer = await gateway.fetch(`${path}?${name}=${key.text}`);
      assert.ok([400, 401].includes(answer.status), `${answer.status} to ${path}?${name}=…`);
    }
  }
  assert.deepEqual(origin.requests, []);
});

test("no secret stands in the log", async () => {
  for (const [name, value] of [
    ["x-api-key", key.text],
    ["x-api-key", `${key.text}x`],
    ["authorization", `Bearer ${key.text}`],
  ]) {
    const answer = await gateway.fetch("/closed", { headers: { [name]: value } });
    assert.ok(await gateway.decisionOf(answer));
  }
  const log = gateway.lines.map(({ message }) => message).join("\n");
  for (const secret of [key.secret, PEPPER, signer.d]) assert.equal(log.includes(secret), false);
});

test("a trace that is well-formed goes on, any other starts anew, without its state", async () => {
  for (const [given, goesOn] of [
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, true],
    [`00-${TRACE.toUpperCase()}-${SPAN}-01`, false],
    [`00-${"0".repeat(32)}-${SPAN}-01`, false],
    [`00-${TRACE}-${"0".repeat(16)}-01`, false],
    [`ff-${TRACE}-${SPAN}-01`, false],
    [`00-${TRACE}-${SPAN}`, false],
    [`00-${TRACE}-${SPAN}-01-more`, false],
    [`00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`, false],
    ["nonsense", false],
    [undefined, false],
  ]) {
    origin.requests.length = 0;
    await gateway.fetch("/open", { headers: { tracestate: "a=b", ...(given && { traceparent: given }) } });
    const { headers } = origin.requests[0];
    const [, trace, span] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-0[01]$/.exec(headers.traceparent);
    assert.equal(trace === TRACE, goesOn, given);
    assert.notEqual(span, SPAN, given);
    // W3C Trace Context §4.3: who restarts a trace deletes its state.
    assert.equal(headers.tracestate, goesOn ? "a=b" : undefined, given);
  }
});

test("the signed statement says who called, and verifies with the published keys", async () => {
  const answer = await gateway.fetch("/closed?a=1", { headers: { "x-api-key": key.text } });
  const { payload, header } = await statement(gateway);
  assert.deepEqual(header, { alg: "EdDSA", kid: signer.kid, typ: "edgeward+jwt" });
  const { iat, exp, ...said } = payload;
  assert.equal(exp - iat, 60);
  assert.ok(Math.abs(iat - Date.now() / 1_000) < 30);
  assert.deepEqual(said, {
    aud: "api",
    sub: "shop-17",
    tenant: "acme",
    scopes: ["orders:read"],
    roles: ["customer"],
    auth: "keys",
    rid: answer.headers.get("x-request-id"),
    route: "closed",
  });
});

test("a statement never says more than is known: no tenant of another, nobody for nobody", async () => {
  await gateway.fetch("/closed", { headers: { "x-api-key": bare.text } });
  const { payload } = await statement(gateway);
  assert.deepEqual([payload.sub, payload.tenant, payload.scopes, payload.roles], ["nightly", undefined, [], []]);
  origin.requests.length = 0;
  await gateway.fetch("/open", { headers: { "edgeward-identity": "forged" } });
  const anonymous = (await statement(gateway)).payload;
  for (const name of ["sub", "tenant", "scopes", "roles", "auth"]) assert.equal(name in anonymous, false, name);
});

test("a statement is for its origin alone, under the header and for the time its policy says", async (t) => {
  const identity = { header: "x-caller", audience: "orders", ttl_s: 5 };
  const other = await begin(signer, { identity });
  t.after(() => other.stop());
  await other.fetch("/closed", { headers: { "x-api-key": key.text, "x-caller": "forged", x_caller: "forged" } });
  const { headers } = origin.requests[0];
  assert.deepEqual([headers["edgeward-identity"], headers.x_caller], [undefined, undefined]);
  const { payload } = await statement(other, { header: "x-caller", audience: "orders" });
  assert.equal(payload.exp - payload.iat, 5);
});

test("the published keys are public halves, with the one that signed before", async (t) => {
  const next = await identityKey();
  const rotated = await begin(next, { vars: { IDENTITY_KEY_PREVIOUS: JSON.stringify(signer) } });
  t.after(() => rotated.stop());
  const answer = await rotated.fetch("/.edgeward/jwks.json");
  assert.equal(answer.headers.get("content-type"), "application/jwk-set+json");
  const published = ({ kty, crv, x, kid }) => ({ kty, crv, x, kid, use: "sig", alg: "EdDSA" });
  assert.deepEqual(await answer.json(), { keys: [published(next), published(signer)] });
  await rotated.fetch("/open");
  assert.equal((await statement(rotated)).header.kid, next.kid);
});

test("an identity key that cannot sign is no policy; without one there is no statement", async () => {
  for (const [identityKeyText, status] of [["{}", 503], ["nonsense", 503], [undefined, 200]]) {
    const other = await begin(undefined, { vars: identityKeyText ? { IDENTITY_KEY: identityKeyText } : {} });
    origin.requests.length = 0;
    assert.equal((await other.fetch("/open", { headers: { "edgeward-identity": "forged" } })).status, status);
    const told = origin.requests.map(({ headers }) => headers["edgeward-identity"]);
    assert.deepEqual(told, status === 200 ? [undefined] : []);
    assert.equal((await other.fetch("/.edgeward/jwks.json")).status, 404);
    await other.stop();
  }
});

/** A gateway whose statements `signingKey` signs. */
function begin(signingKey, { identity, vars } = {}) {
  const routes = { "GET,POST /open": {}, "GET /closed": { auth: ["keys"] } };
  const policy = policyOf(routes, { url: origin.url, identity, authenticators: { keys: { kind: "api_key" } } });
  return start({
    policy,
    vars: { KEY_PEPPER: PEPPER, ...(signingKey && { IDENTITY_KEY: JSON.stringify(signingKey) }), ...vars },
    kv: Object.fromEntries([key.entry, bare.entry]),
  });
}

/** What the last request that reached the origin was told, verified as an origin would. */
async function statement({ fetch }, { header = "edgeward-identity", audience = "api" } = {}) {
  const text = origin.requests.at(-1).headers[header];
  const keys = createLocalJWKSet(await (await fetch("/.edgeward/jwks.json")).json());
  const { payload } = await jwtVerify(text, keys, { audience, typ: "edgeward+jwt", algorithms: ["EdDSA"] });
  return { payload, header: decodeProtectedHeader(text) };
}
