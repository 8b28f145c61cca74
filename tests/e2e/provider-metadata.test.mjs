// What the gateway publishes of itself for clients that know only its address (RFC 9728), found and read by a real
// client library, up to a token of the provider it names. PR-01 to PR-07 are the numbers of the checks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { challengeOf, challengesOf } from "./provider/challenges.mjs";
import { LOOPBACK, clientOf } from "./provider/client.mjs";
import { gatewayFor, jwtOf } from "./provider/gateway.mjs";
import { startProvider } from "./provider/provider.mjs";

const PATH = "/.well-known/oauth-protected-resource";
const PUBLIC_URL = "https://api.public.test";

let provider;
let gateway;

before(async () => {
  provider = await startProvider();
  gateway = await begin();
});

after(async () => {
  await gateway?.stop();
  await provider?.stop();
});

function begin({ policy, ...authenticator } = {}) {
  return gatewayFor({
    authenticators: { accounts: jwtOf(provider, authenticator) },
    routes: { "GET /{*rest}": {} },
    policy: { public_url: PUBLIC_URL, ...policy },
  });
}

/** The metadata, by the client library, which refuses one whose `resource` is not what it asked for (PR-03). */
async function discover(at, resource) {
  const answer = await oauth.resourceDiscoveryRequest(new URL(resource), {
    ...LOOPBACK,
    [oauth.customFetch]: (address, init) => at.fetch(address, init),
  });
  return oauth.processResourceDiscoveryResponse(new URL(resource), answer);
}

test("a client that knows the address alone finds the issuer, gets a token and is admitted", async () => {
  const refused = await gateway.fetch("/orders");
  const { resource_metadata } = challengeOf(refused, "Bearer");
  assert.equal(resource_metadata, PUBLIC_URL + PATH);
  const found = await discover(gateway, PUBLIC_URL);
  assert.deepEqual(found.authorization_servers, [provider.issuer]);
  const token = (await (await clientOf(provider, "machine")).credentials()).access_token;
  assert.equal((await gateway.bearer(token)).status, 200);
});

test("the metadata says what the policy says (PR-02, PR-03, PR-04)", async () => {
  const answer = await gateway.fetch(PATH);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "application/json");
  const said = await answer.json();
  assert.equal(said.resource, PUBLIC_URL);
  assert.deepEqual(said.bearer_methods_supported, ["header"]);
  assert.ok(said.scopes_supported.includes("orders:read"), `${said.scopes_supported}`);
  for (const [name, value] of Object.entries(said)) {
    assert.ok(value !== null && !(Array.isArray(value) && value.length === 0), `${name} is left out when empty (§3.2)`);
  }
});

test("it says which binding a token needs (PR-04)", async (t) => {
  const required = await begin({ sender_constraint: "required" });
  const off = await begin({ sender_constraint: "off" });
  t.after(() => Promise.all([required.stop(), off.stop()]));
  const bound = await discover(required, PUBLIC_URL);
  assert.ok(bound.dpop_signing_alg_values_supported.includes("ES256"));
  for (const alg of bound.dpop_signing_alg_values_supported) assert.equal(/^(?:none|HS\d+)$/.test(alg), false, alg);
  const plain = await discover(off, PUBLIC_URL);
  assert.ok(!plain.dpop_bound_access_tokens_required);
  assert.ok(!plain.tls_client_certificate_bound_access_tokens);
});

test("each issuer of the policy is named; keys of the gateway's own are no issuer", async (t) => {
  const second = await startProvider();
  const at = await gatewayFor({
    authenticators: { first: jwtOf(provider), second: jwtOf(second), keys: { kind: "api_key" } },
    route: { auth: ["first", "second", "keys"] },
    vars: { KEY_PEPPER: "a pepper of tests, long enough to be one" },
    policy: { public_url: PUBLIC_URL },
  });
  t.after(() => Promise.all([at.stop(), second.stop()]));
  const { authorization_servers } = await (await at.fetch(PATH)).json();
  assert.deepEqual(authorization_servers.toSorted(), [provider.issuer, second.issuer].toSorted());
});

test("without a public address, the resource is the address of the request", async (t) => {
  const at = await begin({ policy: { public_url: undefined } });
  t.after(() => at.stop());
  for (const resource of ["http://gateway.test", "https://other.test:8443"]) {
    const said = await (await at.fetch(resource + PATH)).json();
    assert.equal(new URL(said.resource).href, new URL(resource).href);
    const { resource_metadata } = challengeOf(await at.fetch(`${resource}/orders`), "Bearer");
    assert.equal(resource_metadata, resource + PATH);
  }
  const headers = { "x-forwarded-host": "evil.test", forwarded: "host=evil.test" };
  const said = await (await at.fetch(PATH, { headers })).json();
  assert.equal(new URL(said.resource).hostname, "gateway.test");
});

test("the metadata stands at its path alone, whatever routes there are (PR-01, PR-06)", async () => {
  const reached = gateway.origin.requests.length;
  for (const path of [`${PATH}/`, `${PATH}/orders`, `${PATH}/x/y`, `${PATH}/.well-known/oauth-protected-resource`]) {
    const answer = await gateway.fetch(path);
    assert.deepEqual([answer.status, (await answer.json()).code], [404, "route-not-found"], path);
  }
  assert.equal((await gateway.fetch(PATH)).status, 200);
  assert.equal(gateway.origin.requests.length, reached, "no route of the policy answers below it");
  for (const path of [`${PATH}x`, "/.well-known/OAuth-Protected-Resource", `/x${PATH}`]) {
    const type = (await gateway.fetch(path)).headers.get("content-type");
    assert.notEqual(type, "application/json", path);
  }
});

test("anyone may read it, with whatever credential, and keep it (PR-07)", async () => {
  const brought = [{}, { authorization: "Bearer nonsense" }, { authorization: "Basic YTpi" }, { "x-api-key": "x" }];
  for (const headers of brought) {
    const answer = await gateway.fetch(PATH, { headers });
    assert.equal(answer.status, 200, JSON.stringify(headers));
    assert.match(answer.headers.get("cache-control") ?? "", /max-age=[1-9]/);
  }
  const head = await gateway.fetch(PATH, { method: "HEAD" });
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  for (const method of ["POST", "PUT", "DELETE"]) {
    const { status } = await gateway.fetch(PATH, { method });
    assert.ok([404, 405].includes(status), `${status} for ${method}`);
  }
});

test("every challenge for a token names it (PR-05, WA-01)", async (t) => {
  const at = await begin({ sender_constraint: "optional" });
  t.after(() => at.stop());
  const expected = { resource_metadata: PUBLIC_URL + PATH };
  for (const headers of [{}, { authorization: "Bearer nonsense" }]) {
    const answer = await at.fetch("/orders", { headers });
    assert.equal(answer.status, 401);
    const challenges = challengesOf(answer);
    assert.deepEqual(challenges.map(({ scheme }) => scheme).toSorted(), ["Bearer", "DPoP"]);
    for (const { scheme, resource_metadata, error } of challenges) {
      assert.deepEqual({ resource_metadata }, expected, scheme);
      // RFC 6750 §3.1: who brought no credential is told of no error.
      if (!headers.authorization) assert.equal(error, undefined);
    }
  }
});
