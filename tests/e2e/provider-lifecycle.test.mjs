// The end of a session: a refresh token that was rotated out is worth nothing at the provider, and what the session
// had got stops at the gateway within its bound: opaque tokens within `cache_s`, JWTs two seconds after the admin API
// was told.
import assert from "node:assert/strict";
import { createHash, randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeJwt } from "jose";
import { openBrowser } from "./provider/browser.mjs";
import { clientOf } from "./provider/client.mjs";
import { API, OPAQUE_API, SECRET } from "./provider/configuration.mjs";
import { gatewayFor, jwtOf, opaqueOf } from "./provider/gateway.mjs";
import { startProvider } from "./provider/provider.mjs";
import { checkOf } from "./support/keys.mjs";

const SECOND_MS = 1_000;
/** How long at most a revoked token passes after the answer (`effective_within_s`). */
const EFFECTIVE_MS = 2 * SECOND_MS;
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The root key of the admin API, and the var that holds its hash. */
function adminKey() {
  const base62 = (length) => Array.from({ length }, () => BASE62[randomInt(62)]).join("");
  const unchecked = `ewadmin_live_${base62(12)}_${base62(32)}`;
  const text = unchecked + checkOf(unchecked);
  return { text, vars: { ADMIN_KEY_HASH: createHash("sha256").update(text).digest("base64url") } };
}

/** A provider, a gateway whose clock can be moved, and its admin API. */
async function both(t, { authenticators, state, provider: given } = {}) {
  const provider = given ?? (await startProvider());
  const admin = adminKey();
  const gateway = await gatewayFor({
    authenticators: authenticators?.(provider) ?? { accounts: jwtOf(provider, { claims: { version: "ver" } }) },
    vars: { INTROSPECTION_SECRET: SECRET, ...admin.vars },
    clocked: true,
    state,
  });
  if (!given) t.after(() => Promise.all([gateway.stop(), provider.stop()]));
  const revoke = async (body) => {
    const answer = await gateway.fetch("/.edgeward/tokens/revoke", {
      method: "POST",
      headers: { authorization: `Bearer ${admin.text}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200, `${await answer.clone().text()}`);
    const said = await answer.json();
    assert.equal(said.effective_within_s, 2);
    return said.revoked;
  };
  return { provider, gateway, revoke, status: async (text) => (await gateway.bearer(text)).status };
}

/** Logged in by code: the tokens of one user's session. */
async function session(provider, account = "alice", resource = API) {
  const app = await clientOf(provider, "app");
  const { access_token, refresh_token } = await app.logIn({ browser: openBrowser({ account }), resource });
  const jti = resource === API ? decodeJwt(access_token).jti : undefined;
  return { app, access: access_token, refresh: refresh_token, jti };
}

async function isInvalid(answer, message) {
  assert.equal(answer.status, 401, message);
  assert.equal((await answer.json()).code, "credential-invalid", message);
}

/** Until the next second has begun: `iat` has whole ones, and what is issued in that of a revocation is revoked. */
const nextSecond = () => sleep(SECOND_MS - (Date.now() % SECOND_MS) + 5);

test("a refresh token that was rotated out is refused, and ends the session", async (t) => {
  const provider = await startProvider();
  t.after(() => provider.stop());
  const { app, refresh } = await session(provider);
  const next = await app.refresh(refresh);
  assert.notEqual(next.refresh_token, refresh);
  for (const text of [refresh, next.refresh_token]) {
    const failed = await app.refresh(text).catch((error) => error);
    assert.equal(failed.error, "invalid_grant", `${failed}`);
  }
});

test("opaque tokens of a session that ended are refused within cache_s", async (t) => {
  const authenticators = (one) => ({ accounts: opaqueOf(one, { cache_s: 5 }) });
  const { provider, gateway, status } = await both(t, { authenticators });
  const [alice, bob] = [await session(provider, "alice", OPAQUE_API), await session(provider, "bob", OPAQUE_API)];
  const refreshed = await alice.app.refresh(alice.refresh, { resource: OPAQUE_API });
  const all = [alice.access, refreshed.access_token, bob.access];
  for (const text of all) assert.equal(await status(text), 200);
  // Someone uses the old one: the provider takes it for stolen and ends the session (RFC 9700 §4.14.2).
  await assert.rejects(alice.app.refresh(alice.refresh, { resource: OPAQUE_API }), { error: "invalid_grant" });
  await gateway.moveClock(5 * SECOND_MS);
  for (const text of [alice.access, refreshed.access_token]) await isInvalid(await gateway.bearer(text));
  assert.equal(await status(bob.access), 200, "another's session goes on");
});

test("a revoked JWT is refused within two seconds, and no other is (jti)", async (t) => {
  const { provider, gateway, revoke, status } = await both(t);
  const [one, two] = [await session(provider), await session(provider)];
  for (const text of [one.access, two.access]) assert.equal(await status(text), 200);
  assert.equal((await revoke({ jti: one.jti })).jti, one.jti);
  await gateway.moveClock(EFFECTIVE_MS);
  for (const round of [1, 2]) await isInvalid(await gateway.bearer(one.access), `request ${round}`);
  assert.equal(await status(two.access), 200);
  await revoke({ jti: two.jti, subject: "alice" });
  await gateway.moveClock(2 * EFFECTIVE_MS);
  await isInvalid(await gateway.bearer(two.access), "by its subject's mark");
});

test("every JWT of a subject is refused within two seconds, a login after that is not (subject)", async (t) => {
  const { provider, gateway, revoke, status } = await both(t);
  const [alice, bob] = [await session(provider, "alice"), await session(provider, "bob")];
  const refreshed = (await alice.app.refresh(alice.refresh)).access_token;
  for (const text of [alice.access, refreshed, bob.access]) assert.equal(await status(text), 200);
  const revoked = await revoke({ subject: "alice" });
  assert.ok(Math.abs(revoked.issued_before - Date.now() / SECOND_MS) < 60, `${revoked.issued_before}`);
  await nextSecond();
  const anew = await session(provider, "alice");
  await gateway.moveClock(EFFECTIVE_MS);
  for (const text of [alice.access, refreshed]) await isInvalid(await gateway.bearer(text));
  assert.deepEqual([await status(anew.access), await status(bob.access)], [200, 200]);
});

test("tokens under a version, or without one, are refused (version_below)", async (t) => {
  const { provider, gateway, revoke, status } = await both(t);
  const unversioned = await session(provider);
  provider.versions.set("alice", 1).set("bob", 1);
  const [first, bob] = [await session(provider), await session(provider, "bob")];
  for (const { access } of [unversioned, first, bob]) assert.equal(await status(access), 200);
  await revoke({ subject: "alice", version_below: 2 });
  provider.versions.set("alice", 2);
  const second = await session(provider);
  await gateway.moveClock(EFFECTIVE_MS);
  for (const { access } of [unversioned, first]) await isInvalid(await gateway.bearer(access));
  for (const { access } of [second, bob]) assert.equal(await status(access), 200);
});

test("every token of an issuer is refused, and none of another (every)", async (t) => {
  const other = await startProvider();
  t.after(() => other.stop());
  const { provider, gateway, revoke, status } = await both(t, {
    authenticators: (one) => ({ accounts: jwtOf(one), others: jwtOf(other) }),
  });
  const [alice, bob, foreign] = [await session(provider), await session(provider, "bob"), await session(other)];
  for (const { access } of [alice, bob, foreign]) assert.equal(await status(access), 200);
  await revoke({ authenticator: "accounts", every: true });
  await nextSecond();
  const anew = await session(provider);
  await gateway.moveClock(EFFECTIVE_MS);
  for (const { access } of [alice, bob]) await isInvalid(await gateway.bearer(access));
  for (const { access } of [anew, foreign]) assert.equal(await status(access), 200, "the same name at another issuer");
});

test("a token that no worker has seen yet is refused as well, after a restart too", async (t) => {
  const state = await mkdtemp(join(tmpdir(), "edgeward-"));
  const provider = await startProvider();
  t.after(async () => {
    await provider.stop();
    await rm(state, { recursive: true });
  });
  const [used, unused, spared] = [await session(provider), await session(provider), await session(provider, "bob")];
  const first = await both(t, { provider, state });
  assert.equal(await first.status(used.access), 200);
  await first.revoke({ subject: "alice" });
  await first.gateway.moveClock(EFFECTIVE_MS);
  for (const { access } of [used, unused]) await isInvalid(await first.gateway.bearer(access));
  await first.gateway.stop();
  const second = await both(t, { provider, state });
  for (const { access } of [used, unused]) await isInvalid(await second.gateway.bearer(access), "after a restart");
  assert.equal(await second.status(spared.access), 200);
  await second.gateway.stop();
});
