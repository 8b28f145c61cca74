// What gateways are compared by: the twin makes every check that it is measured for, and the configurations say what they
// should.
import assert from "node:assert/strict";
import test from "node:test";
import { AUDIENCE, ISSUER, makeIssuer, SCOPE } from "../../benches/gateway/issuer.mjs";
import { BAD_BODY, createOrder, edgewardPolicy, GOOD_BODY, orderOf, PATH, twinConfig } from "../../benches/gateway/policy.mjs";
import { configText } from "../../benches/runtime/config.mjs";
import { makeApp } from "../../benches/twin/app.mjs";

const issuer = makeIssuer("RS256");
const origin = "http://origin.test";
const app = makeApp(twinConfig({ origin, jwks: issuer.jwks, limit: 3 }));

/** Asks the twin; gives its status and what its origin got. */
async function ask({ token, body = GOOD_BODY, headers = {}, path = PATH, admits = true }) {
  const counter = { hit: () => ({ admitted: admits, remaining: 2, retryAfterS: 9 }) };
  const names = [];
  const env = { COUNTER: { getByName: (name) => (names.push(name), counter) } };
  const sent = [];
  const real = globalThis.fetch;
  globalThis.fetch = (url, init) => (sent.push({ url, ...init }), Promise.resolve(new Response("{}")));
  try {
    const all = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }), ...headers };
    const request = new Request(`https://api.test${path}`, { method: "POST", headers: all, body });
    const response = await app.fetch(request, env);
    return { status: response.status, response, sent, names };
  } finally {
    globalThis.fetch = real;
  }
}

test("the twin lets a good request through, and tells the origin who calls in its own words", async () => {
  const token = await issuer.token("caller-1");
  const { status, sent, names } = await ask({ token, headers: { "x-user-id": "another" } });
  assert.equal(status, 200);
  assert.deepEqual(names, [`${ISSUER} caller-1`]);
  const [{ url, headers, body }] = sent;
  assert.equal(url, `${origin}${PATH}`);
  assert.equal(headers.get("x-user-id"), "caller-1");
  assert.equal(headers.get("authorization"), null);
  assert.equal(body, GOOD_BODY);
});

test("the twin refuses what Edgeward refuses, and its origin gets none of it", async () => {
  const token = await issuer.token("caller-1");
  const stranger = await makeIssuer("RS256").token("caller-1");
  const elsewhere = await makeIssuer("RS256", "https://elsewhere.example").token("caller-1");
  const cases = [
    [401, {}],
    [401, { token: stranger }],
    [401, { token: elsewhere }],
    [401, { token: `${token}x` }],
    [429, { token, admits: false }],
    [422, { token, body: BAD_BODY }],
    [400, { token, body: "{" }],
    [415, { token, headers: { "content-type": "text/plain" } }],
    [413, { token, body: orderOf(1_100_000) }],
    [404, { token, path: "/v1/other" }],
  ];
  for (const [status, call] of cases) {
    const answer = await ask(call);
    assert.equal(answer.status, status, JSON.stringify(call).slice(0, 200));
    assert.deepEqual(answer.sent, []);
  }
});

test("both are told the same: issuer, audience, scope, limit and schema", () => {
  const told = { origin, jwks: issuer.jwks, limit: 7 };
  const [policy, config] = [edgewardPolicy(told), twinConfig(told)];
  const { accounts } = policy.authenticators;
  assert.deepEqual([accounts.issuer, accounts.audiences, accounts.jwks], [config.issuer, [config.audience], config.jwks]);
  assert.deepEqual([accounts.issuer, accounts.audiences], [ISSUER, [AUDIENCE]]);
  assert.deepEqual(createOrder.require.scopes, [config.scope]);
  assert.equal(config.scope, SCOPE);
  assert.equal(policy.limits.minute.limit, config.limit);
  assert.equal(policy.limits.minute.window_s * 1_000, config.windowMs);
  assert.deepEqual(createOrder.request.body, config.schema);
});

test("an order is about as large as it was asked for", () => {
  for (const bytes of [1_000, 100_000, 8_000_000]) {
    const made = Buffer.byteLength(orderOf(bytes));
    assert.ok(made <= bytes && made > bytes * 0.9, `${made} of ${bytes}`);
  }
});

test("a worker without objects or a store is bound to none", () => {
  const base = { modules: [], bindings: {}, objects: [], origin: "127.0.0.1:1", disk: "/d", date: "2026-07-01", flags: [] };
  assert.doesNotMatch(configText(base), /kvNamespace|durableObjectStorage/);
  const full = configText({ ...base, objects: [{ binding: "LIMITER", className: "Limiter" }], store: "127.0.0.1:2", flags: ["enable_request_signal"] });
  assert.match(full, /durableObjectStorage = \(localDisk = "disk"\)/);
  assert.match(full, /kvNamespace = "store"/);
  assert.match(full, /enableSql = true/);
  assert.match(full, /compatibilityFlags = \["enable_request_signal"\]/);
});
