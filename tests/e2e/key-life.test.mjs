// The life of API keys through the admin API, as callers and operators see it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { checkOf } from "../../examples/demo/keys.mjs";
import { adminOf, rootKey } from "./support/admin.mjs";
import { Response, start } from "./harness.mjs";
import { HOST, PEPPER, from, keyFor, policyOf, tally, window } from "./support/policies.mjs";

const nowS = () => Math.floor(Date.now() / 1_000);
const origin = () => new Response("ok");
const policy = policyOf({
  authenticators: { keys: { kind: "api_key" } },
  limits: { mine: window("caller", 100_000) },
  routes: [{ auth: ["keys"], require: { scopes: ["orders:read"] } }],
});

async function begin(t, { vars = {}, kv = {}, state } = {}) {
  const root = rootKey();
  const gateway = await start({ policy, vars: { KEY_PEPPER: PEPPER, AUDIT_KEY: "audit", ...root.vars, ...vars }, kv, origin, state });
  t.after(() => gateway.stop());
  const status = async (key, ip = "192.0.2.1") => {
    const answer = await gateway.fetch(`${HOST}/orders`, { headers: from(ip, { "x-api-key": key }) });
    await answer.arrayBuffer();
    return answer.status;
  };
  const admin = adminOf((url, init) => gateway.fetch(url, init), root.text);
  const create = (more = {}) => admin("keys", { subject: "acme", scopes: ["orders:read"], ...more });
  return { gateway, admin, create, status, root };
}

test("a key is made, shown once, good for what it says, and stored as a hash", async (t) => {
  const { gateway, create, admin, status } = await begin(t);
  const made = await create({ tenant: "t", note: "for tests", cidrs: ["192.0.2.0/24"] });
  assert.equal(await status(made.key), 200);
  assert.equal(await status(made.key, "198.51.100.1"), 401, "of another network");
  const stored = await gateway.kv.get(`key/${made.record.id}`);
  assert.ok(!stored.includes(made.key.slice(-38, -6)), "the secret is not stored");
  assert.ok(!("hash" in made.record));
  assert.equal(made.record.expires_at - made.record.created_at, 90 * 86_400);
  assert.equal(made.record.created_by, "root");
  const shown = await admin(`keys/${made.record.id}`);
  assert.ok(!JSON.stringify(shown).includes(made.key));
  await admin("keys/AAAAAAAAAAAA", undefined, 404);
});

test("a key ends when it says, and begins when it says", async (t) => {
  const { create, status, admin } = await begin(t);
  const short = await create({ expires_at: nowS() + 2 });
  assert.equal(await status(short.key), 200);
  const later = await create({ not_before: nowS() + 3_600 });
  assert.equal(await status(later.key), 401);
  const forever = await create({ expires_at: "never" });
  assert.equal(forever.record.expires_at, "never");
  for (const expires_at of [nowS() - 1, 0]) await admin("keys", { subject: "a", scopes: [], expires_at }, 422);
  await admin("keys", { subject: "a", scopes: [], plan: "nix" }, 422);
  // The end of a key is an instant of the real clock.
  await sleep(2_100);
  assert.equal(await status(short.key), 401);
});

test("a key's own numbers are in force within seconds, for that key alone, without a new policy", async (t) => {
  const { gateway, create, admin } = await begin(t);
  const limitOf = async (key) => {
    const answer = await gateway.fetch(`${HOST}/orders`, { headers: from("192.0.2.1", { "x-api-key": key }) });
    await answer.arrayBuffer();
    return answer.headers.get("ratelimit-policy");
  };
  const [own, other] = [await create({ limits: { mine: { limit: 7 } } }), await create()];
  assert.deepEqual([await limitOf(own.key), await limitOf(other.key)], ['"mine";q=7;w=60', '"mine";q=100000;w=60']);
  const changed = await admin(`keys/${own.record.id}/limits`, { set: { mine: { limit: 9 } } }, 200);
  assert.deepEqual(changed.record.limits, { mine: { limit: 9 } });
  // An isolate relies on a record for five seconds.
  await sleep(5_100);
  assert.equal(await limitOf(own.key), '"mine";q=9;w=60');
  await admin(`keys/${own.record.id}/limits`, { set: { theirs: { limit: 9 } } }, 422);
  const shown = await admin(`keys/${own.record.id}`);
  assert.deepEqual([shown.record.limits, shown.unheeded], [{ mine: { limit: 9 } }, []]);
});

test("a key that ends in a far year is revoked like any other", async (t) => {
  const { create, status, admin } = await begin(t);
  const far = await create({ expires_at: 253_402_300_799 });
  assert.equal(await status(far.key), 200);
  await admin(`keys/${far.record.id}/revoke`, {});
  assert.equal(await status(far.key), 401);
});

test("a key is of its environment, whatever is written on it", async (t) => {
  const { create, status } = await begin(t);
  const live = await create();
  const relabeled = live.key.slice(0, -6).replace("_live_", "_test_");
  assert.equal(await status(live.key), 200);
  assert.equal(await status(relabeled + checkOf(relabeled)), 401);
});

test("one caller has several live keys, rotation overlaps, and a replaced key tells its successor", async (t) => {
  const { create, status, admin } = await begin(t);
  const [first, second] = [await create(), await create()];
  const rotated = await admin(`keys/${first.record.id}/rotate`, { overlap_s: 3_600 });
  assert.equal(rotated.replaced.state, "retiring");
  assert.equal(rotated.replaced.replaced_by, rotated.record.id);
  assert.ok(rotated.replaced.expires_at <= nowS() + 3_600);
  assert.deepEqual([rotated.record.subject, rotated.record.scopes], ["acme", ["orders:read"]]);
  for (const { key } of [first, second, rotated]) assert.equal(await status(key), 200);
  await admin(`keys/${first.record.id}/rotate`, {}, 422);
  const { keys } = await admin("keys?subject=acme");
  assert.equal(keys.length, 3);
  await admin(`keys/${first.record.id}/revoke`, {});
  assert.equal(await status(first.key), 401);
  assert.equal(await status(rotated.key), 200);
  await admin(`keys/${first.record.id}/rotate`, {}, 422);
});

test("a key rotated under load fails no request", async (t) => {
  const { create, status, admin } = await begin(t);
  const made = await create();
  let keys = [made.key];
  let on = true;
  const seen = [];
  const load = Array.from({ length: 6 }, async (_, index) => {
    while (on) seen.push(await status(keys[index % keys.length]));
  });
  let { record } = made;
  for (let turn = 0; turn < 5; turn += 1) {
    const rotated = await admin(`keys/${record.id}/rotate`, { overlap_s: 60 });
    keys = [...keys, rotated.key];
    ({ record } = rotated);
    await sleep(50);
  }
  on = false;
  await Promise.all(load);
  assert.deepEqual(Object.keys(tally(seen)), ["200"]);
  assert.ok(seen.length >= 6, `${seen.length} requests`);
});

/** The use of a key once it is counted `count` times: an isolate tells of uses within two seconds. */
async function useOf(admin, id, count) {
  const until = Date.now() + 5_000;
  for (;;) {
    const { use } = await admin(`keys/${id}`);
    if (use?.count === count || Date.now() > until) return use;
    await sleep(50);
  }
}

test("the use of a key is counted, and the old one is seen to be quiet after a rotation", async (t) => {
  const { create, status, admin } = await begin(t);
  const made = await create();
  assert.equal((await admin(`keys/${made.record.id}`)).use, null);
  for (let count = 0; count < 7; count += 1) await status(made.key);
  const use = await useOf(admin, made.record.id, 7);
  assert.equal(use.count, 7);
  assert.ok(Math.abs(use.last_used_at - nowS()) < 10);
  const rotated = await admin(`keys/${made.record.id}/rotate`, {});
  await status(rotated.key);
  assert.equal((await useOf(admin, rotated.record.id, 1)).count, 1);
  assert.equal((await admin(`keys/${made.record.id}`)).use.count, 7);
});

test("a pepper is rotated without a key made anew: those used meanwhile outlive the pepper before", async (t) => {
  const [used, unused] = [keyFor("acme"), keyFor("acme")];
  const kv = Object.fromEntries([used.entry, unused.entry]);
  const NEXT = "the pepper after that, long enough too";
  const during = await begin(t, { vars: { KEY_PEPPER: NEXT, KEY_PEPPER_PREVIOUS: PEPPER }, kv });
  assert.equal(await during.status(used.text), 200);
  const name = `hash/${used.id}`;
  const until = Date.now() + 2_000;
  let overlay = null;
  while (!(overlay = await during.gateway.kv.get(name)) && Date.now() < until) await sleep(10);
  assert.ok(overlay, "the hash under the new pepper was stored");
  const after = await begin(t, { vars: { KEY_PEPPER: NEXT }, kv: { ...kv, [name]: overlay } });
  assert.equal(await after.status(used.text), 200, "without the pepper before");
  assert.equal(await after.status(unused.text), 503, "one that was not used is under a pepper that is gone");
  const third = { KEY_PEPPER: "a third pepper, as long as the others", KEY_PEPPER_PREVIOUS: NEXT };
  const next = await begin(t, { vars: third, kv: { ...kv, [name]: overlay } });
  assert.equal(await next.status(used.text), 200, "after one more rotation, by the hash that was stored in the last");
  await after.admin(`keys/${used.id}/revoke`, {});
  assert.equal(await after.status(used.text), 401, "the stored hash undoes no revocation");
});

test("a key that was replaced without an overlap and revoked stays so where the store shows it as it was", async (t) => {
  const old = keyFor("acme");
  const { gateway, admin, status } = await begin(t, { kv: Object.fromEntries([old.entry]) });
  assert.equal(await status(old.text), 200);
  await admin(`keys/${old.id}/rotate`, { overlap_s: 0 });
  await admin(`keys/${old.id}/revoke`, {});
  await gateway.kv.put(...old.entry);
  // Past the end that the rotation gave it, after the alarm that it could have set: both by the real clock.
  await sleep(2_500);
  assert.equal(await status(old.text), 401);
  const headers = from("192.0.2.1", { "x-api-key": old.text });
  const line = await gateway.decisionOf(await gateway.fetch(`${HOST}/orders`, { headers }));
  assert.equal(line.reason, "revoked_key");
});

test("each change leaves one audit line with actor, target and digests, in the chain of decisions", async (t) => {
  const { gateway, create, admin } = await begin(t);
  const made = await create();
  await admin(`keys/${made.record.id}/rotate`, {});
  await admin(`keys/${made.record.id}/revoke`, {});
  await admin(`keys/${made.record.id}`);
  await gateway.decisions();
  const lines = gateway.lines.map(({ message }) => parsed(message)).filter((line) => line?.event === "admin");
  assert.deepEqual(lines.map((line) => line.act), ["keys.create", "keys.rotate", "keys.revoke"]);
  for (const line of lines) {
    assert.deepEqual(line.actor, { kind: "root" });
    assert.equal(line.target.key_id, made.record.id);
    assert.match(line.after, /^[0-9a-f]{64}$/);
    assert.match(line.chain.mac, /^[A-Za-z0-9_-]{43}$/);
  }
  assert.equal(lines[0].before, null);
  assert.equal(lines[1].before, lines[0].after, "what was before is what came out before");
  assert.equal(lines[2].before, lines[1].after);
  const told = gateway.lines.map(({ message }) => message).join("\n");
  assert.ok(!told.includes(made.key), "no key in any line");
});

test("the admin API is off without its hash, and asks for its scopes", async (t) => {
  const off = await start({ policy, vars: { KEY_PEPPER: PEPPER }, origin });
  t.after(() => off.stop());
  for (const path of ["status", "keys", "policy/check"]) {
    const answer = await off.fetch(`${HOST}/.edgeward/${path}`, { headers: from("192.0.2.1") });
    assert.deepEqual([answer.status, (await answer.json()).code], [404, "route-not-found"], path);
  }
  const { gateway, create, admin } = await begin(t);
  const reader = await create({ subject: "ops", scopes: ["edgeward:read"] });
  const clerk = await create({ subject: "ops", scopes: ["edgeward:keys"] });
  const chief = await create({ subject: "ops", scopes: ["edgeward:admin"] });
  const role = await create({ subject: "ops", scopes: [], roles: ["admin"] });
  const call = (key) => adminOf((url, init) => gateway.fetch(url, init), key);
  const body = { subject: "x", scopes: [] };
  await call(reader.key)("status");
  await call(reader.key)("keys", body, 403);
  await call(clerk.key)("status", undefined, 403);
  await call(clerk.key)("keys", body);
  await call(chief.key)("status");
  await call(chief.key)("keys", body);
  await call(role.key)("status", undefined, 403);
  await admin(`keys/${chief.record.id}/revoke`, {});
  await call(chief.key)("status", undefined, 401);
  const bare = await gateway.fetch(`${HOST}/.edgeward/status`, { headers: from("192.0.2.1") });
  assert.deepEqual([bare.status, (await bare.json()).code], [401, "credential-missing"]);
  const plain = await gateway.fetch("http://gateway.test/.edgeward/status", { headers: from("192.0.2.1") });
  assert.equal(plain.status, 426, "no key in the clear");
});

function parsed(message) {
  try {
    return JSON.parse(message);
  } catch {
    return null; // a line for people
  }
}
