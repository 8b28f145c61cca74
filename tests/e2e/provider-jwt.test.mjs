// JWT access tokens of a real OpenID provider, got by a real client library, at the gateway.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { clientOf } from "./provider/client.mjs";
import { OPAQUE_API, OTHER_API } from "./provider/configuration.mjs";
import { gatewayFor, jwtOf } from "./provider/gateway.mjs";
import { startProvider } from "./provider/provider.mjs";

let provider;
let gateway;

before(async () => {
  provider = await startProvider();
  gateway = await gatewayFor({ authenticators: { accounts: jwtOf(provider) } });
});

after(async () => {
  await gateway?.stop();
  await provider?.stop();
});

const FLOWS = {
  "authorization code with PKCE": ["alice", async () => (await clientOf(provider, "app")).logIn()],
  "the device flow": ["alice", async () => (await clientOf(provider, "device")).authorizeDevice()],
  "client credentials": ["machine", async () => (await clientOf(provider, "machine")).credentials()],
  "a refresh token": [
    "alice",
    async () => {
      const app = await clientOf(provider, "app");
      return app.refresh((await app.logIn()).refresh_token);
    },
  ],
};

for (const [flow, [subject, run]] of Object.entries(FLOWS)) {
  test(`a token by ${flow} is admitted, and the origin is told whose it is`, async () => {
    const tokens = await run();
    const answer = await gateway.bearer(tokens.access_token);
    assert.equal(answer.status, 200);
    const told = gateway.told();
    assert.deepEqual([told.sub, told.auth, told.scopes], [subject, "accounts", ["orders:read", "orders:write"]]);
    assert.equal(gateway.origin.requests.at(-1).headers.authorization, undefined, "the token stays here");
  });
}

test("what is not this API's access token is refused, each for its own reason, all with one face", async () => {
  const [app, machine, late] = await Promise.all(["app", "machine", "late"].map((id) => clientOf(provider, id)));
  const tokens = await app.logIn();
  const good = tokens.access_token;
  const cases = {
    "for another audience": ["token_audience", (await machine.credentials(OTHER_API)).access_token],
    "an ID token (AT-06)": ["token_type", tokens.id_token],
    "a refresh token": ["token_malformed", tokens.refresh_token],
    "an opaque token": ["token_malformed", (await machine.credentials(OPAQUE_API)).access_token],
    expired: ["token_expired", (await late.credentials()).access_token],
    "another subject under the same signature": ["token_signature", tampered(good, { sub: "root" })],
    "more scopes under the same signature": ["token_signature", tampered(good, { scope: "admin" })],
    "another signature": ["token_signature", resigned(good)],
    "no signature": ["token_malformed", good.slice(0, good.lastIndexOf(".") + 1)],
  };
  const reached = gateway.origin.requests.length;
  const faces = new Set();
  for (const [name, [reason, token]] of Object.entries(cases)) {
    const answer = await gateway.bearer(token);
    assert.equal(answer.status, 401, name);
    assert.equal(await gateway.reasonOf(answer), reason, name);
    faces.add(JSON.stringify({ ...(await answer.json()), instance: "" }));
  }
  assert.equal(faces.size, 1, [...faces].join("\n"));
  assert.equal(gateway.origin.requests.length, reached);
  assert.equal((await gateway.bearer(good)).status, 200, "the one they were made from");
});

test("an ID token stays one where its audience is taken too", async () => {
  const app = await clientOf(provider, "app");
  const both = await gatewayFor({ authenticators: { accounts: jwtOf(provider, { audiences: ["app"] }) } });
  const answer = await both.bearer((await app.logIn()).id_token);
  assert.deepEqual([answer.status, await both.reasonOf(answer)], [401, "token_type"]);
  await both.stop();
});

/** A token with other claims under the signature of the first. */
function tampered(token, change) {
  const [head, payload, signature] = token.split(".");
  const claims = { ...JSON.parse(Buffer.from(payload, "base64url")), ...change };
  return [head, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
}

/** A token with one bit of its signature turned. */
function resigned(token) {
  const [head, payload, signature] = token.split(".");
  const bytes = Buffer.from(signature, "base64url");
  bytes[0] ^= 1;
  return [head, payload, bytes.toString("base64url")].join(".");
}
