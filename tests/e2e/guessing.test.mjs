// Guessing is bounded by address, costs nobody else, and tells nothing: neither by the answer nor by its time.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { makeKey } from "../../examples/demo/keys.mjs";
import { adminOf, rootKey } from "./support/admin.mjs";
import { Response, start } from "./harness.mjs";
import { HOST, PEPPER, from, keyFor, policyOf, tally, window } from "./support/policies.mjs";

const origin = () => new Response("ok");
const GUESSES = 5;
/** The built-in bound of the admin API (`admin::entrance::GUESSES_MAX`). */
const ADMIN_GUESSES = 20;

const policy = policyOf({
  authenticators: { keys: { kind: "api_key" } },
  limits: {
    wide: window("ip", 100_000),
    mine: window("caller", 50),
    guesses: window("ip", GUESSES, 300, { counts: "refused_credentials" }),
  },
  routes: [{ auth: ["keys"] }],
});

/** A key of the same id and another secret. */
function wrongSecret({ id }) {
  return makeKey({ environment: "live", id }).text;
}

async function begin(t, more = {}) {
  const key = keyFor("acme");
  const gateway = await start({
    policy,
    vars: { KEY_PEPPER: PEPPER, ...more.vars },
    kv: Object.fromEntries([key.entry, ...(more.entries ?? [])]),
    origin,
  });
  t.after(() => gateway.stop());
  const ask = async (ip, text) => {
    const headers = from(ip, text && { "x-api-key": text });
    const answer = await gateway.fetch(`${HOST}/orders`, { headers });
    await answer.arrayBuffer();
    return answer;
  };
  return { gateway, key, ask };
}

test("wrong keys are charged to the address they come from, and to nobody else", async (t) => {
  const { key, ask } = await begin(t);
  const before = (await ask("192.0.2.2", key.text)).headers.get("ratelimit");
  const wrong = Array.from({ length: GUESSES }, (_, index) => (index % 2 ? wrongSecret(key) : keyFor("x").text));
  for (const text of wrong) assert.equal((await ask("192.0.2.1", text)).status, 401);
  const over = await ask("192.0.2.1", wrongSecret(key));
  assert.equal(over.status, 429);
  assert.ok(Number(over.headers.get("retry-after")) >= 1);
  assert.equal((await ask("192.0.2.1", key.text)).status, 429, "the right one is not told apart either");
  const after = await ask("192.0.2.2", key.text);
  assert.equal(after.status, 200, "the caller whose id was guessed with is not held up");
  const remaining = (field) => Number(/"mine";r=(\d+)/.exec(field)[1]);
  assert.equal(remaining(after.headers.get("ratelimit")), remaining(before) - 1, "nor charged");
});

test("what is no guess costs nothing: no credential, a good one, a missing right", async (t) => {
  const poor = keyFor("poor", { scopes: [] });
  const { key, ask } = await begin(t, { entries: [poor.entry] });
  for (let count = 0; count < 2 * GUESSES; count += 1) {
    assert.equal((await ask("192.0.2.1")).status, 401);
    assert.equal((await ask("192.0.2.1", key.text)).status, 200);
  }
  assert.equal((await ask("192.0.2.1", wrongSecret(key))).status, 401);
});

test("what a stranger's page makes a browser send holds up nobody who sits there", async (t) => {
  const { gateway, key, ask } = await begin(t);
  for (let count = 0; count < 2 * GUESSES; count += 1) {
    const answer = await gateway.fetch(`${HOST}/orders?access_token=x`, { headers: from("192.0.2.1") });
    assert.equal(answer.status, 400);
    await answer.arrayBuffer();
  }
  assert.equal((await ask("192.0.2.1", key.text)).status, 200);
});

test("guesses that come at once are answered 401 as often as the limit says, and then 429", async (t) => {
  const { key, ask } = await begin(t);
  const texts = Array.from({ length: 40 }, () => wrongSecret(key));
  const answers = await Promise.all(texts.map((text) => ask("192.0.2.1", text)));
  assert.deepEqual(tally(answers.map(({ status }) => status)), { 401: GUESSES, 429: 40 - GUESSES });
});

test("guesses at the admin API are bounded, and the right key of another address is not held up", async (t) => {
  const root = rootKey();
  const { gateway } = await begin(t, { vars: root.vars });
  const guess = (key) => {
    const headers = from("192.0.2.1", { authorization: `Bearer ${key}` });
    return gateway.fetch(`${HOST}/.edgeward/status`, { headers }).then(({ status }) => status);
  };
  const seen = [];
  for (let count = 0; count < ADMIN_GUESSES + 3; count += 1) seen.push(await guess(rootKey().text));
  assert.deepEqual(tally(seen), { 401: ADMIN_GUESSES, 429: 3 });
  assert.equal(await guess(root.text), 429);
  const status = await adminOf((url, init) => gateway.fetch(url, init), root.text)("status");
  assert.equal(status.policy.name, "test");
});

test("a caller's key that has no right there finds the admin API as bounded as a wrong one", async (t) => {
  const root = rootKey();
  const { gateway, key } = await begin(t, { vars: root.vars });
  const seen = [];
  for (let count = 0; count < ADMIN_GUESSES + 3; count += 1) {
    const headers = from("192.0.2.1", { authorization: `Bearer ${key.text}` });
    seen.push((await gateway.fetch(`${HOST}/.edgeward/status`, { headers })).status);
  }
  assert.deepEqual(tally(seen), { 403: ADMIN_GUESSES, 429: 3 });
});

test("the time of a refusal does not tell known key ids from unknown ones", async (t) => {
  const PAIRS = 120;
  const known = Array.from({ length: PAIRS }, (_, index) => keyFor(`subject-${index}`));
  const { gateway } = await begin(t, { entries: known.map((key) => key.entry) });
  const timed = async (text) => {
    // Of many addresses, so that none runs out of guesses.
    const ip = `198.51.${randomInt(256)}.${randomInt(256)}`;
    const began = performance.now();
    const answer = await gateway.fetch(`${HOST}/orders`, { headers: from(ip, { "x-api-key": text }) });
    await answer.arrayBuffer();
    assert.equal(answer.status, 401);
    return performance.now() - began;
  };
  for (let count = 0; count < 30; count += 1) await timed(keyFor("warm").text);
  const times = { known: [], unknown: [] };
  for (const key of known) {
    const [first, second] = randomInt(2) ? ["known", "unknown"] : ["unknown", "known"];
    for (const kind of [first, second]) {
      const text = kind === "known" ? wrongSecret(key) : keyFor("nobody").text;
      // Twice: as a look-up, and from the isolate's memory.
      times[kind].push(await timed(text), await timed(text));
    }
  }
  // How often a known id took longer than an unknown one, over all pairs: 0.5 where nothing can be told.
  let longer = 0;
  for (const one of times.known) for (const other of times.unknown) longer += one > other ? 1 : one === other ? 0.5 : 0;
  const share = longer / (times.known.length * times.unknown.length);
  t.diagnostic(`a known id took longer than an unknown one in ${(share * 100).toFixed(1)} % of pairs`);
  assert.ok(share > 0.4 && share < 0.6, `${share}`);
});
