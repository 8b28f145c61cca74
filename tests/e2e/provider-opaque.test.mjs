// Opaque tokens of a real OpenID provider: the gateway asks it about them (RFC 7662), remembers for a while what it
// was told, and admits nothing that it was not told clearly.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clientOf } from "./provider/client.mjs";
import { OPAQUE_API, SECRET } from "./provider/configuration.mjs";
import { changing, closing, failing, passing, redirecting } from "./provider/front.mjs";
import { refusing, saying, silent, stalling } from "./provider/front.mjs";
import { gatewayFor, opaqueOf } from "./provider/gateway.mjs";
import { startProvider } from "./provider/provider.mjs";

const SECOND_MS = 1_000;
/** Far more than the gateway waits for an answer (3 s), far less than forever. */
const PATIENCE_MS = 30_000;
/** A clock may differ by so much at most: what is over for longer is over. */
const LEEWAY_MAX_S = 60;
/** How long at most an inactive token stays one unasked. */
const INACTIVE_MS = 10 * SECOND_MS;

/** A provider and a gateway whose clock can be moved; `token()` is a new opaque one each time. */
async function both(t, { lifetimeS, gateway: more, ...authenticator } = {}) {
  const provider = await startProvider({ lifetimeS });
  const authenticators = { accounts: opaqueOf(provider, authenticator) };
  const gateway = await gatewayFor({ authenticators, clocked: true, vars: { INTROSPECTION_SECRET: SECRET }, ...more });
  t.after(() => Promise.all([gateway.stop(), provider.stop()]));
  const machine = await clientOf(provider, "machine");
  const token = async (scope) => (await machine.credentials(OPAQUE_API, scope)).access_token;
  return { provider, machine, gateway, token, status: async (text) => (await gateway.bearer(text)).status };
}

const nowS = () => Math.floor(Date.now() / 1_000);

async function isInvalid(answer, message) {
  assert.equal(answer.status, 401, message);
  assert.equal((await answer.json()).code, "credential-invalid", message);
}

async function isUnavailable(answer, message) {
  assert.equal(answer.status, 503, message);
  assert.ok(Number(answer.headers.get("retry-after")) >= 1, message);
  assert.equal((await answer.json()).code, "policy-unavailable", message);
}

test("an opaque token of a user and of a machine is admitted, and the origin is told whose it is", async (t) => {
  const { provider, gateway, token } = await both(t);
  const app = await clientOf(provider, "app");
  for (const [subject, text] of [
    ["alice", (await app.logIn({ resource: OPAQUE_API })).access_token],
    ["client:machine", await token()],
  ]) {
    const answer = await gateway.bearer(text);
    assert.equal(answer.status, 200, subject);
    const told = gateway.told();
    // The provider says no `sub` of a machine's token: it is its client, which no `sub` can be taken for.
    assert.deepEqual([told.sub, told.auth, told.scopes], [subject, "accounts", ["orders:read", "orders:write"]]);
    const asked = provider.introspection.requests.at(-1);
    assert.equal(asked.body.includes(text), true);
    assert.equal(JSON.stringify(gateway.origin.requests.at(-1)).includes(text), false, "the token stays here");
  }
});

test("the gateway asks by form, and says who it is by Basic (IN-01)", async (t) => {
  const { provider, token, status } = await both(t);
  const text = await token();
  assert.equal(await status(text), 200);
  const [asked] = provider.introspection.requests;
  assert.equal(asked.method, "POST");
  assert.equal(asked.headers["content-type"].split(";")[0], "application/x-www-form-urlencoded");
  assert.equal(asked.headers.cookie, undefined);
  const [scheme, pair] = asked.headers.authorization.split(" ");
  assert.equal(scheme.toLowerCase(), "basic");
  // RFC 6749 §2.3.1: both are form-encoded before they are joined; the id of this client has a colon.
  const [id, secret, ...more] = Buffer.from(pair, "base64").toString().split(":");
  const decoded = (part) => new URLSearchParams(`part=${part}`).get("part");
  assert.deepEqual([decoded(id), decoded(secret), more], ["gateway:1", SECRET, []]);
  const form = new URLSearchParams(asked.body);
  assert.equal(form.get("token"), text);
  for (const name of form.keys()) assert.ok(["token", "token_type_hint"].includes(name), name);
});

test("a token goes into the form as one value, whatever it holds (threat 179)", async (t) => {
  const { provider, gateway } = await both(t);
  for (const text of ["a+b/c==", "a%2Bb", "a&client_id=x", "a%26client_id=x", "a=b&token=c", "a b"]) {
    const before = provider.introspection.asked;
    const answer = await gateway.bearer(text);
    assert.ok([400, 401].includes(answer.status), `${answer.status} for ${text}`);
    for (const { body } of provider.introspection.requests.slice(before)) {
      const form = new URLSearchParams(body);
      assert.deepEqual(form.getAll("token"), [text], body);
      assert.equal(form.has("client_id"), false, body);
    }
  }
  const before = provider.introspection.asked;
  await gateway.bearer("d+e/f==");
  assert.equal(new URLSearchParams(provider.introspection.requests[before]?.body).get("token"), "d+e/f==");
});

test("an answer is remembered for cache_s and no longer: then a revoked token is refused (IN-03)", async (t) => {
  const { provider, machine, gateway, token, status } = await both(t, { cache_s: 30 });
  const [kept, given] = [await token(), await token()];
  for (const text of [kept, given, kept, given]) assert.equal(await status(text), 200);
  assert.equal(provider.introspection.asked, 2, "each was asked about once");
  await machine.revoke(given);
  await gateway.moveClock(30 * SECOND_MS);
  await isInvalid(await gateway.bearer(given));
  assert.equal(await status(kept), 200);
});

test("with cache_s 0 the provider is asked each time, and a revoked token is refused at once", async (t) => {
  const { provider, machine, gateway, token, status } = await both(t, { cache_s: 0 });
  const text = await token();
  for (const asked of [1, 2, 3]) {
    assert.equal(await status(text), 200);
    assert.equal(provider.introspection.asked, asked);
  }
  await machine.revoke(text);
  await isInvalid(await gateway.bearer(text));
});

test("no answer is remembered past the end of its token (IN-05)", async (t) => {
  const { gateway, token, status } = await both(t, { cache_s: 300, lifetimeS: 20 });
  const text = await token();
  assert.equal(await status(text), 200);
  await gateway.moveClock((20 + LEEWAY_MAX_S + 1) * SECOND_MS);
  await isInvalid(await gateway.bearer(text));
});

test("a remembered answer is asked for what every route asks (IN-05)", async (t) => {
  const { provider, gateway, token } = await both(t, {
    gateway: { routes: { "GET /admin": { auth: ["accounts"], require: { scopes: ["orders:write"] } } } },
  });
  const text = await token("orders:read");
  assert.equal((await gateway.bearer(text)).status, 200);
  for (const round of [1, 2]) {
    const answer = await gateway.bearer(text, { path: "/admin" });
    assert.equal(answer.status, 403, `round ${round}`);
    assert.equal((await answer.json()).code, "insufficient-scope");
  }
  assert.equal((await gateway.bearer(text)).status, 200);
  assert.equal(provider.introspection.asked, 1);
});

test("what one issuer said of a token is not said by another (threat 180)", async (t) => {
  const [first, second] = [await startProvider(), await startProvider()];
  const gateway = await gatewayFor({
    // Without `issuer` the endpoint is who says it, and nothing in the answer gives it away.
    authenticators: {
      first: opaqueOf(first, { issuer: undefined }),
      second: opaqueOf(second, { issuer: undefined }),
    },
    route: { auth: ["first"] },
    routes: { "GET /elsewhere": { auth: ["second"], require: { scopes: ["orders:read"] } } },
    vars: { INTROSPECTION_SECRET: SECRET },
  });
  t.after(() => Promise.all([gateway.stop(), first.stop(), second.stop()]));
  const text = (await (await clientOf(first, "machine")).credentials(OPAQUE_API)).access_token;
  assert.equal((await gateway.bearer(text)).status, 200);
  await isInvalid(await gateway.bearer(text, { path: "/elsewhere" }));
  assert.equal((await gateway.bearer(text)).status, 200);
});

test("an inactive token is refused, and asked about again after ten seconds at most (IN-03, IN-06)", async (t) => {
  const { provider, gateway, token, status } = await both(t, { cache_s: 300 });
  const text = await token();
  // Stands for an issuer whose answers lag behind its tokens, and that says too much of one that is not active.
  provider.introspection.answer = changing({ active: false });
  await isInvalid(await gateway.bearer(text));
  await isInvalid(await gateway.bearer("unknown"));
  provider.introspection.answer = passing;
  await gateway.moveClock(INACTIVE_MS);
  assert.equal(await status(text), 200);
});

// What stands here is said by no sound issuer: the front stands for one that is broken.
const UNCLEAR = {
  'active: "true"': '{"active":"true","scope":"orders:read","sub":"alice"}',
  "active: 1": '{"active":1,"scope":"orders:read","sub":"alice"}',
  "active: null": '{"active":null,"scope":"orders:read","sub":"alice"}',
  "active: []": '{"active":[true],"scope":"orders:read","sub":"alice"}',
  "no active": '{"scope":"orders:read","sub":"alice"}',
  "active twice": '{"active":false,"active":true,"scope":"orders:read","sub":"alice"}',
  "an array": '[{"active":true}]',
  "true": "true",
  "null": "null",
  "nothing": "",
  "half": '{"active":true,',
  "HTML": "<html>active</html>",
  "too much": JSON.stringify({ active: true, scope: "orders:read", sub: "alice", filler: "x".repeat(1_048_576) }),
};

test("an answer that does not say true or false is no answer: 503, never admission (IN-02)", async (t) => {
  const { provider, gateway, token, status } = await both(t, { cache_s: 0 });
  for (const [name, said] of Object.entries(UNCLEAR)) {
    provider.introspection.answer = saying(said);
    await isUnavailable(await gateway.bearer(await token()), name);
  }
  assert.equal(gateway.origin.requests.length, 0);
  provider.introspection.answer = passing;
  await gateway.moveClock(INACTIVE_MS);
  assert.equal(await status(await token()), 200);
});

test("an issuer that does not answer is 503 in bounded time, never admission (IN-07)", async (t) => {
  const { provider, gateway, token } = await both(t, { cache_s: 30 });
  const known = await token();
  assert.equal((await gateway.bearer(known)).status, 200);
  const reached = gateway.origin.requests.length;
  const faults = {
    "a fault": failing,
    "a closed connection": closing,
    "no answer": silent,
    "no end to its answer": stalling,
    "the gateway's own credentials refused": refusing(401),
    "too many questions": refusing(429),
    "a redirect": redirecting(307),
    "another success": refusing(204),
  };
  let aheadMs = 30 * SECOND_MS;
  for (const [name, fault] of Object.entries(faults)) {
    provider.introspection.answer = fault;
    await gateway.moveClock((aheadMs += INACTIVE_MS));
    for (const text of [await token(), known]) {
      const began = performance.now();
      await isUnavailable(await gateway.bearer(text), name);
      assert.ok(performance.now() - began < PATIENCE_MS, name);
    }
    const elsewhere = provider.introspection.requests.some(({ url }) => url === "/elsewhere");
    assert.equal(elsewhere, false, "a redirect takes no token along");
  }
  assert.equal(gateway.origin.requests.length, reached);
});

test("what the answer says of time, audience, issuer and binding is enforced (IN-04)", async (t) => {
  const { provider, gateway, token } = await both(t, { cache_s: 0 });
  const refused = {
    "over": { exp: nowS() - LEEWAY_MAX_S - 1 },
    "not yet": { nbf: nowS() + 3_600 },
    "for another": { aud: "https://other.example" },
    "for others": { aud: ["https://other.example", `${OPAQUE_API}.evil`] },
    "for nobody": { aud: undefined },
    "for none of them": { aud: [] },
    "of another issuer": { iss: "https://issuer.example" },
    "of no issuer": { iss: undefined },
    "bound to a proof key": { cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } },
    "bound to a certificate": { cnf: { "x5t#S256": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } },
    "bound in a way not known": { cnf: { kid: "x" } },
  };
  for (const [name, members] of Object.entries(refused)) {
    provider.introspection.answer = changing(members);
    await isInvalid(await gateway.bearer(await token()), name);
  }
  // Of the wrong type is not absent; whether it is the token's fault or the issuer's is open.
  const dates = [{ exp: "9999999999" }, { exp: null }, { nbf: "0" }];
  const odd = [...dates, { aud: [1] }, { iss: [provider.issuer] }, { cnf: "x" }];
  for (const members of odd) {
    provider.introspection.answer = changing(members);
    const { status } = await gateway.bearer(await token());
    assert.ok([401, 503].includes(status), `${status} for ${JSON.stringify(members)}`);
  }
  assert.equal(gateway.origin.requests.length, 0);
  const among = { aud: ["https://other.example", OPAQUE_API] };
  for (const members of [{}, among, { exp: nowS() + 600 }, { nbf: nowS() - 600 }]) {
    provider.introspection.answer = changing(members);
    assert.equal((await gateway.bearer(await token())).status, 200, JSON.stringify(members));
  }
});

test("a token without the scopes, and one whose scopes are no text, get nothing by them", async (t) => {
  const { provider, gateway, token } = await both(t, { cache_s: 0 });
  for (const scope of [undefined, "", "orders:readx", "xorders:read", "orders"]) {
    provider.introspection.answer = changing({ scope });
    assert.equal((await gateway.bearer(await token())).status, 403, JSON.stringify(scope));
  }
  for (const scope of [7, { "orders:read": true }]) {
    provider.introspection.answer = changing({ scope });
    const { status } = await gateway.bearer(await token());
    assert.ok([401, 403, 503].includes(status), `${status} for ${JSON.stringify(scope)}`);
  }
  assert.equal(gateway.origin.requests.length, 0);
});
