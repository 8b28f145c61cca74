// Keys and tokens against the built wasm: real WebCrypto, a real issuer's key set over HTTP.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { Response, httpOrigin, start } from "./harness.mjs";
import { HOST, PEPPER, from, keyFor, policyOf } from "./support/policies.mjs";

const ISSUER = "https://issuer.example";
const AUDIENCE = "https://api.example";
const SECRET = "a secret that both sides hold, and long enough";
const origin = () => new Response("ok");
const now_s = () => Math.floor(Date.now() / 1_000);

async function signer(alg, kid) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

/** A token; `change` is laid over its claims, `header` over its header. */
function mint({ alg, kid, privateKey }, change = {}, header = {}) {
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: "alice", iat: now_s(), exp: now_s() + 300, scope: "orders:read", ...change };
  return new SignJWT(claims).setProtectedHeader({ alg, kid, typ: "at+jwt", ...header }).sign(privateKey);
}

/** An issuer's key set on loopback; `serve` may be replaced to fail. */
async function issuerOf(keys) {
  const issuer = { keys, asked: 0, broken: false };
  const server = await httpOrigin((_request, response) => {
    issuer.asked += 1;
    if (issuer.broken) return response.writeHead(500).end("no");
    response.setHeader("content-type", "application/jwk-set+json");
    response.end(JSON.stringify({ keys: issuer.keys.map((key) => key.jwk) }));
  });
  return Object.assign(issuer, { url: server.url, stop: server.stop });
}

/** Keys are fetched from this machine in a trial alone. */
const ON_LOOPBACK = { profile: "development" };

const jwt = (more) => ({ kind: "jwt", issuer: ISSUER, audiences: [AUDIENCE], ...more });

/** A gateway whose one route takes `authenticators`; the origin is a server of the test. */
async function gatewayWith(authenticators, { route = {}, kv = {}, vars = {}, ...more } = {}) {
  const server = await httpOrigin((_request, response) => response.end("ok"));
  const policy = policyOf({
    authenticators,
    origins: { orders: { url: server.url } },
    routes: [{ auth: Object.keys(authenticators), require: { scopes: ["orders:read"] }, ...route }],
    ...more,
  });
  const gateway = await start({ policy, kv, vars: { KEY_PEPPER: PEPPER, JWT_SECRET: SECRET, ...vars } });
  const ask = async (headers) => {
    const answer = await gateway.fetch(`${HOST}/orders`, { headers: from("192.0.2.1", headers) });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const bearer = (token) => ask({ authorization: `Bearer ${token}` });
  return { gateway, ask, bearer, server, stop: () => Promise.all([gateway.stop(), server.stop()]) };
}

test("every algorithm verifies by published keys, and a token is verified once", async () => {
  const keys = await Promise.all(["RS256", "PS256", "ES256", "ES384", "Ed25519"].map((alg) => signer(alg, `kid-${alg}`)));
  const issuer = await issuerOf(keys);
  const algorithms = keys.map((key) => key.alg);
  const accounts = jwt({ algorithms, jwks_uri: `${issuer.url}/jwks.json` });
  const { bearer, stop } = await gatewayWith({ accounts }, ON_LOOPBACK);
  for (const key of keys) {
    const token = await mint(key);
    assert.equal((await bearer(token)).status, 200, key.alg);
    assert.equal((await bearer(token)).status, 200, `${key.alg} again`);
    const [head, body, tail] = token.split(".");
    const forged = `${head}.${body}.${tail.startsWith("A") ? "B" : "A"}${tail.slice(1)}`;
    assert.equal((await bearer(forged)).status, 401, `${key.alg} forged`);
  }
  assert.equal((await bearer(await mint(keys[0], {}, { kid: "kid-ES256" }))).status, 401, "another key's id");
  await stop();
  await issuer.stop();
});

test("a key rotated in is found at once, unknown ids fetch at most once in a while, a dead issuer is 503", async () => {
  const [old, next, stray] = await Promise.all(["old", "next", "stray"].map((kid) => signer("ES256", kid)));
  const issuer = await issuerOf([old]);
  const authenticators = { accounts: jwt({ algorithms: ["ES256"], jwks_uri: `${issuer.url}/jwks.json` }) };
  const { bearer, stop } = await gatewayWith(authenticators, ON_LOOPBACK);
  assert.equal((await bearer(await mint(old))).status, 200);
  assert.equal(issuer.asked, 1);
  for (let count = 0; count < 5; count += 1) assert.equal((await bearer(await mint(stray, { jti: `${count}` }))).status, 401);
  assert.ok(issuer.asked <= 2, `asked ${issuer.asked} times for keys that are not there`);
  assert.equal((await bearer(await mint(old, { jti: "x" }))).status, 200);
  await stop();

  issuer.keys = [old, next];
  issuer.broken = true;
  const second = await gatewayWith(authenticators, ON_LOOPBACK);
  assert.equal((await second.bearer(await mint(next))).status, 503);
  const [line] = await second.gateway.decisions(1);
  assert.equal(line.reason, "key_set_down");
  await second.stop();
  issuer.broken = false;
  const third = await gatewayWith(authenticators, ON_LOOPBACK);
  assert.equal((await third.bearer(await mint(next))).status, 200);
  await third.stop();
  await issuer.stop();
});

test("keys in the policy and a shared secret verify too", async () => {
  const key = await signer("Ed25519", "inline");
  const inline = await gatewayWith({ accounts: jwt({ algorithms: ["EdDSA"], jwks: { keys: [key.jwk] } }) });
  assert.equal((await inline.bearer(await mint(key))).status, 200);
  assert.equal((await inline.bearer(await mint(key, {}, { alg: "EdDSA" }))).status, 200);
  await inline.stop();
  const shared = await gatewayWith({ legacy: jwt({ algorithms: ["HS256"], secret_binding: "JWT_SECRET" }) });
  const hs256 = { alg: "HS256", privateKey: new TextEncoder().encode(SECRET) };
  assert.equal((await shared.bearer(await mint(hs256))).status, 200);
  assert.equal((await shared.bearer(await mint({ ...hs256, privateKey: new TextEncoder().encode("other, and as long as it has to be") }))).status, 401);
  assert.equal((await shared.bearer(await mint(key, {}, { alg: "EdDSA" }))).status, 401, "another algorithm");
  await shared.stop();
});

test("every bad credential looks the same to the caller, and the log knows which it was", async () => {
  const key = await signer("ES256", "k");
  const good = keyFor("alice");
  const records = [
    keyFor("expired", { expires_at: now_s() - 1 }),
    keyFor("early", { not_before: now_s() + 60 }),
    keyFor("revoked", { state: "revoked" }),
    keyFor("elsewhere", { cidrs: ["198.51.100.0/24"] }),
  ];
  const unknown = keyFor("unknown");
  const authenticators = {
    accounts: jwt({ algorithms: ["ES256"], jwks: { keys: [key.jwk] } }),
    keys: { kind: "api_key" },
  };
  const kv = Object.fromEntries([good, ...records].map((record) => record.entry));
  const { ask, gateway, server, stop } = await gatewayWith(authenticators, { kv });
  const apiKey = (text) => ({ "x-api-key": text });
  const bearer = async (change, header) => ({ authorization: `Bearer ${await mint(key, change, header)}` });
  const swapped = good.text.slice(0, -1) + (good.text.endsWith("a") ? "b" : "a");
  const cases = [
    ["key_malformed", apiKey("x")],
    ["key_checksum", apiKey(swapped)],
    ["key_unknown", apiKey(unknown.text)],
    ["key_expired", apiKey(records[0].text)],
    ["key_not_yet_valid", apiKey(records[1].text)],
    ["key_revoked", apiKey(records[2].text)],
    ["key_address", apiKey(records[3].text)],
    ["token_malformed", { authorization: "Bearer a.b.c" }],
    ["token_expired", await bearer({ iat: now_s() - 600, exp: now_s() - 60 })],
    ["token_audience", await bearer({ aud: "other" })],
    ["token_issuer", await bearer({ iss: "other" })],
    ["token_lifetime", await bearer({ exp: now_s() + 9_000 })],
    ["token_type", await bearer({}, { typ: "dpop+jwt" })],
    ["token_key_unknown", await bearer({}, { kid: "other" })],
    ["token_bound", await bearer({ cnf: { jkt: "A".repeat(43) } })],
  ];
  const faces = new Set();
  for (const [reason, headers] of cases) {
    const answer = await ask(headers);
    assert.equal(answer.status, 401, reason);
    faces.add(answer.text.replace(/urn:uuid:[0-9a-f-]+/, "") + answer.headers.get("www-authenticate"));
  }
  assert.equal(faces.size, 1, [...faces].join("\n"));
  const lines = await gateway.decisions();
  assert.deepEqual(lines.map((line) => line.reason), cases.map(([reason]) => reason));
  assert.equal(server.requests.length, 0);
  assert.equal((await ask(apiKey(good.text))).status, 200);
  const metadata = 'resource_metadata="https://gateway.test/.well-known/oauth-protected-resource"';
  const challenges = [
    `Bearer realm="test", ${metadata}`,
    `DPoP realm="test", algs="ES256 Ed25519 ES384 PS256 RS256", ${metadata}`,
    'ApiKey realm="test", header="x-api-key"',
  ];
  assert.equal((await ask({})).headers.get("www-authenticate"), challenges.join(", "));
  await stop();
});

test("both peppers admit, a record under a third blames nobody's key, and a record says its key's networks", async () => {
  const old = "the pepper of before, long enough";
  const [one, two, three] = [keyFor("one"), keyFor("two", {}, old), keyFor("three", {}, "a pepper that nobody has bound")];
  const home = keyFor("home", { cidrs: ["192.0.2.0/24"] });
  const kv = Object.fromEntries([one, two, three, home].map((key) => key.entry));
  const { ask, stop } = await gatewayWith({ keys: { kind: "api_key" } }, { kv, vars: { KEY_PEPPER_PREVIOUS: old } });
  const statuses = [];
  for (const key of [one, two, three, home]) statuses.push((await ask({ "x-api-key": key.text })).status);
  assert.deepEqual(statuses, [200, 200, 503, 200]);
  await stop();
});

test("a record that does not read is the store's fault: 503, never admission", async () => {
  const [torn, foreign, other] = [keyFor("torn"), keyFor("foreign"), keyFor("other")];
  const kv = { [torn.entry[0]]: "{", [foreign.entry[0]]: other.entry[1] };
  const { ask, stop } = await gatewayWith({ keys: { kind: "api_key" } }, { kv });
  for (const key of [torn, foreign]) assert.equal((await ask({ "x-api-key": key.text })).status, 503);
  await stop();
});

test("a public route knows a good caller, refuses a bad credential and serves nobody's", async () => {
  const key = keyFor("alice");
  const authenticators = { keys: { kind: "api_key" } };
  const options = { kv: Object.fromEntries([key.entry]), route: { auth: "public", require: undefined } };
  const { ask, gateway, stop } = await gatewayWith(authenticators, options);
  assert.equal((await ask({})).status, 200);
  assert.equal((await ask({ "x-api-key": key.text })).status, 200);
  assert.equal((await ask({ "x-api-key": `${key.text}x` })).status, 401);
  assert.equal((await ask({ authorization: "Basic YTpi" })).status, 401);
  const lines = await gateway.decisions();
  assert.deepEqual(lines.map((line) => line.caller?.subject), [undefined, "alice", undefined, undefined]);
  await stop();
});

test("one credential: two, twice, or in the URL is 400", async () => {
  const key = keyFor("alice");
  const token = await mint({ alg: "HS256", privateKey: new TextEncoder().encode(SECRET) });
  const authenticators = { keys: { kind: "api_key" }, legacy: jwt({ algorithms: ["HS256"], secret_binding: "JWT_SECRET" }) };
  const { ask, gateway, stop } = await gatewayWith(authenticators, { kv: Object.fromEntries([key.entry]) });
  assert.equal((await ask({ "x-api-key": key.text, authorization: `Bearer ${token}` })).status, 400);
  assert.equal((await ask({ "x-api-key": `${key.text}, ${key.text}` })).status, 400);
  assert.equal((await ask({ authorization: `Bearer ${token}, Bearer ${token}` })).status, 400);
  const url = `${HOST}/orders?access_token=${token}`;
  assert.equal((await gateway.fetch(url, { headers: from("192.0.2.1") })).status, 400);
  await stop();
});

test("the answer does not say whether a key id exists, by its work either", async () => {
  const [known, unknown] = [keyFor("known"), keyFor("unknown")];
  // The known id with another secret, its check made good again.
  const { checkOf } = await import("../../examples/demo/keys.mjs");
  const body = unknown.text.slice(0, -6).replace(unknown.id, known.id);
  const wrong = body + checkOf(body);
  const { ask, stop } = await gatewayWith({ keys: { kind: "api_key" } }, { kv: Object.fromEntries([known.entry]) });
  const [a, b] = [await ask({ "x-api-key": wrong }), await ask({ "x-api-key": unknown.text })];
  assert.deepEqual([a.status, b.status], [401, 401]);
  assert.equal(JSON.parse(a.text).detail, JSON.parse(b.text).detail);
  await stop();
});
