// An issuer's keys: fetched when they are needed and no oftener, kept while the issuer is away, and never done without.
// The issuer is a real OpenID provider; what its key set's address does is the test's to say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SignJWT, importJWK } from "jose";
import { clientOf } from "./provider/client.mjs";
import { API } from "./provider/configuration.mjs";
import { after, closing, failing, passing, redirecting, saying, serving, silent, stalling } from "./provider/front.mjs";
import { gatewayFor, jwtOf } from "./provider/gateway.mjs";
import { makeSigningKey, publicHalf } from "./provider/keys.mjs";
import { startProvider } from "./provider/provider.mjs";
import { tally } from "./support/policies.mjs";

const SECOND_MS = 1_000;
const FRESH_MS = 300 * SECOND_MS;
const REFETCH_MS = 30 * SECOND_MS;
const DAY_S = 86_400;
/** Past the rest after a failure. */
const REST_MS = 2 * SECOND_MS;
/** Far more than the gateway waits for a key set (3 s), far less than forever. */
const PATIENCE_MS = 30_000;

/** A provider and a gateway whose clock can be moved; `token()` is a new one each time. */
async function both(t, { lifetimeS, ...authenticator } = {}) {
  const provider = await startProvider({ lifetimeS });
  const gateway = await gatewayFor({ authenticators: { accounts: jwtOf(provider, authenticator) }, clocked: true });
  t.after(() => Promise.all([gateway.stop(), provider.stop()]));
  const machine = await clientOf(provider, "machine");
  const token = async () => (await machine.credentials()).access_token;
  return { provider, gateway, token, status: async (text) => (await gateway.bearer(text)).status };
}

/** A token that says it is by a key the issuer has never published. */
async function strayToken(provider, kid) {
  const nowS = Math.floor(Date.now() / 1_000);
  const claims = { iss: provider.issuer, aud: API, sub: "mallory", jti: kid, iat: nowS, exp: nowS + 60 };
  const key = await importJWK(await makeSigningKey(), "ES256");
  return new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid, typ: "at+jwt" }).sign(key);
}

test("a flood of unknown key ids costs the issuer one request in thirty seconds (JK-08)", async (t) => {
  const { provider, gateway, token, status } = await both(t, { lifetimeS: 3_600, max_lifetime_s: 3_600 });
  const flood = async (count) => {
    const names = Array.from({ length: count }, (_, index) => `stray-${index}`);
    const tokens = await Promise.all(names.map((name) => strayToken(provider, name)));
    return tally(await Promise.all(tokens.map(status)));
  };
  const began = performance.now();
  assert.equal(await status(await token()), 200);
  assert.equal(provider.keySets.asked, 1);
  assert.deepEqual(await flood(40), { 401: 40 });
  const elapsedMs = performance.now() - began;
  assert.ok(provider.keySets.asked <= 1 + Math.ceil(elapsedMs / REFETCH_MS), `asked ${provider.keySets.asked} times`);
  for (const round of [1, 2, 3]) {
    const before = provider.keySets.asked;
    await gateway.moveClock(round * (REFETCH_MS + 1_000));
    assert.deepEqual(await flood(40), { 401: 40 });
    assert.equal(provider.keySets.asked, before + 1, `round ${round}`);
    assert.equal(await status(await token()), 200, "others are served meanwhile");
  }
});

test("an issuer that is away does not end its tokens for a day; then there is no admission (JK-09)", async (t) => {
  const { provider, gateway, token, status } = await both(t, { lifetimeS: DAY_S, max_lifetime_s: DAY_S, leeway_s: 60 });
  assert.equal(await status(await token()), 200);
  provider.keySets.answer = failing;
  for (const aheadS of [FRESH_MS / SECOND_MS + 1, 3_600, DAY_S - 60]) {
    const before = provider.keySets.asked;
    await gateway.moveClock(aheadS * SECOND_MS);
    assert.equal(await status(await token()), 200, `${aheadS} s later`);
    assert.equal(provider.keySets.asked, before + 1, "it asks");
  }
  await gateway.moveClock(DAY_S * SECOND_MS);
  const answer = await gateway.bearer(await token());
  assert.deepEqual([answer.status, await gateway.reasonOf(answer)], [503, "key_set_down"]);
  provider.keySets.answer = passing;
  await gateway.moveClock(DAY_S * SECOND_MS + REFETCH_MS);
  assert.equal(await status(await token()), 200, "and is back when the issuer is");
});

test("an issuer whose keys were never had is 503 in bounded time, whatever it does (JK-07, JK-09)", async (t) => {
  const { provider, gateway, token } = await both(t);
  const own = provider.keys()[0];
  const spare = publicHalf(await makeSigningKey());
  const spares = Array.from({ length: 100 }, (_, index) => ({ ...spare, kid: `${index}` }));
  const good = JSON.stringify({ keys: [publicHalf(own)] });
  const faults = {
    "a fault": failing,
    "a closed connection": closing,
    "no answer": silent,
    "no end to its answer": stalling,
    ...Object.fromEntries([301, 302, 303, 307, 308].map((status) => [`a redirect ${status}`, redirecting(status)])),
    "no JSON": saying("<html>"),
    "half a set": saying(good.slice(0, -2)),
    "another document": saying('{"issuer":"x"}'),
    "too many bytes": serving([publicHalf(own)], { filler: "x".repeat(65_536) }),
    "too many keys": serving([publicHalf(own), ...spares]),
    "a private key": serving([own]),
  };
  let aheadMs = 0;
  for (const [name, fault] of Object.entries(faults)) {
    provider.keySets.answer = fault;
    const before = provider.keySets.asked;
    await gateway.moveClock((aheadMs += REST_MS));
    const began = performance.now();
    const answer = await gateway.bearer(await token());
    assert.deepEqual([answer.status, await gateway.reasonOf(answer)], [503, "key_set_down"], name);
    assert.equal((await answer.json()).code, "policy-unavailable");
    assert.ok(performance.now() - began < PATIENCE_MS, name);
    assert.equal(provider.keySets.asked, before + 1, `${name}: asked once, and nothing followed`);
  }
  assert.equal(gateway.origin.requests.length, 0);
  provider.keySets.answer = passing;
  await gateway.moveClock(aheadMs + REST_MS);
  assert.equal((await gateway.bearer(await token())).status, 200, "the same tokens, once it says its keys");
});

test("keys that do not fit are passed over, and the set stays of use (JK-01, JK-02, JK-03)", async (t) => {
  const { provider, gateway, token, status } = await both(t);
  const own = publicHalf(provider.keys()[0]);
  const odd = [{ kty: "future" }, { ...own, kid: "broken", x: "!" }, "no object", null, { ...own, use: "enc" }];
  provider.keySets.answer = serving([...odd, own]);
  assert.equal(await status(await token()), 200);
  let aheadMs = 0;
  const unfit = {
    "for encryption": { use: "enc" },
    "for signing": { key_ops: ["sign"] },
    "of another algorithm": { alg: "ES384" },
  };
  for (const [name, change] of Object.entries(unfit)) {
    provider.keySets.answer = serving([{ ...own, ...change }]);
    await gateway.moveClock((aheadMs += FRESH_MS + REFETCH_MS));
    assert.equal(await status(await token()), 401, name);
  }
});

test("keys are rotated while requests run, and none of them fails; a removed key stops (JK-10)", async (t) => {
  const { provider, gateway, token } = await both(t, { leeway_s: 60, lifetimeS: 3_600, max_lifetime_s: 3_600 });
  const [old] = provider.keys();
  const next = await makeSigningKey();
  const traffic = keepAsking(gateway);
  traffic.tokens.push(await token());
  await traffic.some(20);
  // The new key is told before it signs, for as long as a key set is fresh.
  provider.rotate([old, next]);
  await traffic.some(20);
  await gateway.moveClock(FRESH_MS);
  await traffic.some(20);
  provider.rotate([next, old]);
  traffic.tokens.push(await token());
  await traffic.some(20);
  // Out of the set, the old key is good until the set is read again.
  provider.rotate([next]);
  await traffic.some(20);
  assert.deepEqual(Object.keys(tally(await traffic.end())), ["200"]);

  const [byOld, byNext] = traffic.tokens;
  await gateway.moveClock(2 * FRESH_MS + REFETCH_MS);
  assert.equal((await gateway.bearer(byNext)).status, 200);
  const answer = await gateway.bearer(byOld);
  assert.deepEqual([answer.status, await gateway.reasonOf(answer)], [401, "token_key_unknown"]);
});

test("a key that was not told before it signed is found by the first token of it", async (t) => {
  const { provider, gateway, token, status } = await both(t);
  const byOld = await token();
  assert.equal(await status(byOld), 200);
  provider.rotate([await makeSigningKey(), ...provider.keys()]);
  await gateway.moveClock(REFETCH_MS);
  for (const text of [await token(), byOld, await token()]) assert.equal(await status(text), 200);
  assert.equal(provider.keySets.asked, 2);
});

test("each request that waits for the first key set is answered, though the first client leaves (JK-11)", async (t) => {
  const { provider, gateway, token } = await both(t);
  const url = new URL("/orders", gateway.url);
  const tokens = await Promise.all(Array.from({ length: 32 }, token));
  const ask = (text, signal) => fetch(url, { headers: { authorization: `Bearer ${text}` }, signal });
  let release;
  provider.keySets.answer = after(new Promise((resolve) => (release = resolve)));
  const leaving = new AbortController();
  const first = ask(tokens[0], leaving.signal).catch((error) => error.name);
  await until(() => provider.keySets.asked === 1);
  const others = tokens.slice(1).map((text) => ask(text));
  await until(() => provider.keySets.asked > 1);
  leaving.abort();
  assert.equal(await first, "AbortError");
  release();
  const answers = await Promise.all(others);
  assert.deepEqual(tally(answers.map((answer) => answer.status)), { 200: 31 });
});

/** Requests without a pause, each with one of `tokens` in turn, on four lines. */
function keepAsking(gateway) {
  const statuses = [];
  const tokens = [];
  let on = true;
  const line = async () => {
    for (let count = 0; on; count += 1) {
      if (tokens.length === 0) await sleep(1);
      else statuses.push((await gateway.bearer(tokens[count % tokens.length])).status);
    }
  };
  const lines = [1, 2, 3, 4].map(line);
  return {
    tokens,
    /** Until so many more have been answered. */
    some: (count, target = statuses.length + count) => until(() => statuses.length >= target),
    async end() {
      on = false;
      await Promise.all(lines);
      return statuses;
    },
  };
}

async function until(holds) {
  const end = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error("it does not come about");
    await sleep(5);
  }
}
