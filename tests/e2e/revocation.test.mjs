// Revocation takes effect in every isolate within two seconds of the command's return, whatever the store still says.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { buildFolder } from "../../scripts/place.mjs";
import { adminOf, rootKey } from "./support/admin.mjs";
import { Response, start } from "./harness.mjs";
import { startIsolates } from "./support/isolates.mjs";
import { objectName } from "./support/objects.mjs";
import { HOST, PEPPER, from, keyFor, policyOf, window } from "./support/policies.mjs";

const ISSUER = "https://issuer.example";
/** What the gateway promises (`limit::standing::STANDING_MS`), and more for a machine that is busy. */
const PROMISED_MS = 2_000;
const PATIENCE_MS = 1_000;
const nowS = () => Math.floor(Date.now() / 1_000);
const origin = () => new Response("ok");

const pair = await generateKeyPair("ES256", { extractable: true });
const jwk = { ...(await exportJWK(pair.publicKey)), kid: "one", alg: "ES256", use: "sig" };

function policyWith(route = {}, limits) {
  const accounts = {
    kind: "jwt",
    issuer: ISSUER,
    audiences: ["api"],
    algorithms: ["ES256"],
    jwks: { keys: [jwk] },
    claims: { version: "ver" },
  };
  return policyOf({
    authenticators: { keys: { kind: "api_key" }, accounts },
    routes: [{ auth: ["keys", "accounts"], ...route }],
    ...(limits && { limits }),
  });
}

function mint(claims) {
  const iat = nowS() - 20;
  return new SignJWT({ iss: ISSUER, aud: "api", sub: "alice", iat, exp: iat + 300, ver: 4, ...claims })
    .setProtectedHeader({ alg: "ES256", kid: "one" })
    .sign(pair.privateKey);
}

/** Three isolates that have all admitted the credential, and a way to ask each. */
async function three(policy, kv = {}) {
  const root = rootKey();
  const vars = { KEY_PEPPER: PEPPER, ...root.vars };
  const { isolates, kv: store, stop } = await startIsolates({ count: 3, policy, vars, kv, origin });
  const ask = async (index, headers) => {
    const answer = await isolates[index](`${HOST}/orders`, { headers: from("192.0.2.1", headers) });
    await answer.arrayBuffer();
    return answer.status;
  };
  const everywhere = (headers) => Promise.all(isolates.map((_, index) => ask(index, headers)));
  return { admin: adminOf(isolates[0], root.text), ask, everywhere, store, stop };
}

/** Asks every isolate without a pause until none admits; tells how long that took. */
async function refusedEverywhere(everywhere, headers, since) {
  for (;;) {
    const asked = Date.now();
    const statuses = await everywhere(headers);
    if (statuses.every((status) => status === 401)) return asked - since;
    assert.ok(asked - since < PROMISED_MS + PATIENCE_MS, `${statuses} after ${asked - since} ms`);
    await sleep(20);
  }
}

const routes = {
  "a limit by caller": [{}, { mine: window("caller", 100_000) }],
  "limits by address alone": [{}, { wide: window("ip", 100_000) }],
  "mode observe": [{ mode: "observe" }, { mine: window("caller", 100_000) }],
  "mode off": [{ mode: "off" }, { mine: window("caller", 100_000) }],
};

for (const [name, [route, limits]] of Object.entries(routes)) {
  test(`a revoked key is refused everywhere within two seconds, the store still showing it: ${name}`, async (t) => {
    const key = keyFor("acme");
    const other = keyFor("acme");
    const kv = Object.fromEntries([key.entry, other.entry]);
    const { admin, everywhere, store, stop } = await three(policyWith(route, limits), kv);
    t.after(stop);
    const headers = { "x-api-key": key.text };
    assert.deepEqual(await everywhere(headers), [200, 200, 200]);
    const told = await admin(`keys/${key.id}/revoke`, {});
    const since = Date.now();
    assert.equal(told.effective_within_s, PROMISED_MS / 1_000);
    // The store lags: it shows what it showed before.
    await store.put(key.entry[0], key.entry[1]);
    const { keys: marks } = await store.list({ prefix: "marks/" });
    assert.equal(marks.length, 1);
    await Promise.all(marks.map(({ name: mark }) => store.delete(mark)));
    await refusedEverywhere(everywhere, headers, since);
    assert.deepEqual(await everywhere({ "x-api-key": other.text }), [200, 200, 200], "the caller's other key");
  });
}

describe("a token is refused everywhere within two seconds", () => {
  const forms = {
    "by jti and subject": [{ jti: "one", subject: "alice" }, { jti: "one" }, { jti: "two" }],
    "by jti alone": [{ jti: "one" }, { jti: "one" }, { jti: "two" }],
    "by subject and instant": [{ subject: "alice" }, {}, { sub: "bob" }],
    "by subject and version": [{ subject: "alice", version_below: 5 }, { ver: 4 }, { ver: 5 }],
    "by issuer": [{ every: true }, {}, () => ({ iat: nowS() + 25, exp: nowS() + 300 })],
  };
  for (const [name, [revocation, struck, spared]] of Object.entries(forms)) {
    test(name, async (t) => {
      const { admin, everywhere, stop } = await three(policyWith());
      t.after(stop);
      const bad = { authorization: `Bearer ${await mint(struck)}` };
      const good = { authorization: `Bearer ${await mint(spared instanceof Function ? spared() : spared)}` };
      assert.deepEqual(await everywhere(bad), [200, 200, 200]);
      const { revoked } = await admin("tokens/revoke", revocation);
      const since = Date.now();
      assert.equal(revoked.authenticator, "accounts");
      await refusedEverywhere(everywhere, bad, since);
      assert.deepEqual(await everywhere(good), [200, 200, 200]);
    });
  }
});

test("a key revoked while requests run: what was sent after two seconds is refused, all of it", async (t) => {
  const key = keyFor("acme");
  // A window so short that the object's alarm rings meanwhile: it clears windows, and no mark.
  const limits = { mine: window("caller", 100_000, 1) };
  const { admin, ask, store, stop } = await three(policyWith({}, limits), Object.fromEntries([key.entry]));
  t.after(stop);
  const headers = { "x-api-key": key.text };
  let on = true;
  let late = 0;
  let revokedAt = Infinity;
  const seen = new Set();
  const load = [0, 1, 2].map(async (index) => {
    while (on) {
      const sent = Date.now();
      const status = await ask(index, headers);
      seen.add(status);
      if (sent > revokedAt + PROMISED_MS && status !== 401) late += 1;
    }
  });
  await sleep(300);
  await admin(`keys/${key.id}/revoke`, {});
  revokedAt = Date.now();
  await store.put(key.entry[0], key.entry[1]);
  await sleep(2 * PROMISED_MS + 500);
  on = false;
  await Promise.all(load);
  assert.equal(late, 0);
  assert.deepEqual([...seen].sort(), [200, 401]);
});

test("with the caller's object silent, the store's copy decides; with both silent, nobody passes", async (t) => {
  const key = keyFor("acme");
  const root = rootKey();
  const admit = { on_error: "admit" };
  const limits = { wide: window("ip", 1_000, 60, admit), mine: window("caller", 10, 60, admit) };
  const folder = process.env.EDGEWARD_BUILD ?? buildFolder("release");
  const real = readFileSync(join(folder, "entry.js"), "utf8");
  const broken = `${real}\nLimiter.prototype.charge = () => { throw new Error("down"); };\n`;
  const gateway = await start({
    policy: policyWith({}, limits),
    vars: { KEY_PEPPER: PEPPER, ...root.vars },
    kv: Object.fromEntries([key.entry]),
    entry: broken,
    origin,
  });
  t.after(() => gateway.stop());
  const headers = from("192.0.2.1", { "x-api-key": key.text });
  const status = async () => (await gateway.fetch(`${HOST}/orders`, { headers })).status;
  assert.equal(await status(), 200, "no copy says otherwise");
  await gateway.kv.put(`marks/${objectName("caller", "keys", "", "acme")}`, "not marks");
  assert.equal(await status(), 503, "a copy that does not read");
  const marks = { keys: { [key.id]: Number.MAX_SAFE_INTEGER } };
  await gateway.kv.put(`marks/${objectName("caller", "keys", "", "acme")}`, JSON.stringify(marks));
  assert.equal(await status(), 401, "the copy says revoked");
  // Nor can the admin API say that it is done while the object is silent.
  const admin = adminOf((url, init) => gateway.fetch(url, init), root.text);
  await admin(`keys/${key.id}/revoke`, {}, 503);
});
