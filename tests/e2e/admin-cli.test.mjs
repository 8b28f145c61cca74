// The command line against the built worker: what an operator does in the life of keys and tokens, and what callers
// see of it. Each answer is held against schemas/admin.openapi.json.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, mock, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { buildFolder, root } from "../../scripts/place.mjs";
import { readFlags } from "../../scripts/serve/flags.mjs";
import { freePort, serve } from "../../scripts/serve/gateway.mjs";
import { edgeward } from "../cli/support/bin.mjs";
import { api, faults } from "../cli/support/contract.mjs";
import { Response, start } from "./harness.mjs";
import { HOST, PEPPER, from, policyOf } from "./support/policies.mjs";

const ISSUER = "https://issuer.example";
const AUDIENCE = "https://api.example";
/** Beyond what the gateway promises, for a machine that is busy. */
const PATIENCE_MS = 1_000;
const now_s = () => Math.floor(Date.now() / 1_000);

const folder = mkdtempSync(join(tmpdir(), "edgeward-admin-"));
let gateway;
let signer;
let env;

before(async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  signer = privateKey;
  const jwk = { ...(await exportJWK(publicKey)), kid: "one", alg: "ES256", use: "sig" };
  const init = await edgeward(["init", "--dir", join(folder, "secrets")]);
  assert.equal(init.code, 0, init.stderr);
  const secret = (name) => readFileSync(join(folder, "secrets", name), "utf8");
  gateway = await start({
    policy: policyWith(jwk),
    // The pepper, the identity key and the hash are those that `init` made: the worker has to accept them.
    vars: Object.fromEntries(
      ["KEY_PEPPER", "IDENTITY_KEY", "AUDIT_KEY", "ADMIN_KEY_HASH"].map((name) => [name, secret(name)]),
    ),
    origin: () => new Response("ok"),
  });
  env = { EDGEWARD_URL: gateway.url.origin, EDGEWARD_ADMIN_KEY: secret("admin-key") };
});

after(async () => {
  await gateway?.stop();
  rmSync(folder, { recursive: true });
});

function policyWith(jwk) {
  const accounts = {
    kind: "jwt",
    issuer: ISSUER,
    audiences: [AUDIENCE],
    algorithms: ["ES256"],
    jwks: { keys: [jwk] },
    claims: { scopes: "scope", version: "ver" },
  };
  return policyOf({
    profile: "development",
    transport: { https_only: false },
    authenticators: { keys: { kind: "api_key" }, accounts },
    routes: [{ auth: ["keys", "accounts"], require: { scopes: ["orders:read"] } }],
  });
}

/** Runs the command line with `--json` and gives the document, which meets `schema`. */
async function told(schema, ...args) {
  const { code, stdout, stderr } = await edgeward([...args, "--json"], { env });
  assert.deepEqual([code, stderr], [0, ""], stdout);
  const document = JSON.parse(stdout);
  assert.deepEqual(faults(api.components.schemas[schema], document), [], stdout);
  return document;
}

const statusOf = async (headers) => {
  const response = await gateway.fetch(`${HOST}/orders`, { headers: from("192.0.2.1", headers) });
  await response.arrayBuffer();
  return response.status;
};
const withKey = (key) => statusOf({ "x-api-key": key });
const withToken = (token) => statusOf({ authorization: `Bearer ${token}` });

function mint(subject, claims = {}) {
  const iat = claims.iat ?? now_s() - 20;
  return new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: subject, iat, exp: iat + 300, scope: "orders:read", ...claims })
    .setProtectedHeader({ alg: "ES256", kid: "one", typ: "at+jwt" })
    .sign(signer);
}

/** Asks again until the answer is 401, no longer than the gateway promises. */
async function refusedWithin(seconds, ask) {
  const until = Date.now() + seconds * 1_000 + PATIENCE_MS;
  for (;;) {
    const status = await ask();
    if (status === 401) return;
    assert.ok(Date.now() < until, `still ${status} after ${seconds} s`);
    await sleep(50);
  }
}

const create = (subject, ...flags) =>
  told("MadeKey", "keys", "create", "--subject", subject, "--scope", "orders:read", ...flags);

describe("keys", () => {
  test("a key that was created is admitted with what it was given", async () => {
    const { key, record } = await create("shop-1", "--tenant", "acme", "--expires", "30d", "--note", "the web shop");
    assert.equal(await withKey(key), 200);
    assert.match(key, new RegExp(`^ew_live_${record.id}_`));
    assert.deepEqual(
      [record.subject, record.tenant, record.state, record.note],
      ["shop-1", "acme", "active", "the web shop"],
    );
    const late_s = record.expires_at - now_s() - 30 * 86_400;
    assert.ok(Math.abs(late_s) < 60, `off by ${late_s} s`);
    const [decision] = (await gateway.decisions()).filter(({ caller }) => caller?.key_id === record.id);
    assert.deepEqual(
      [decision.verdict, decision.caller.subject, decision.caller.tenant],
      ["admitted", "shop-1", "acme"],
    );
  });

  test("a key lives for 90 days unless said otherwise", async () => {
    const { record } = await create("shop-2");
    const late_s = record.expires_at - now_s() - 90 * 86_400;
    assert.ok(Math.abs(late_s) < 60, `off by ${late_s} s`);
    assert.equal((await create("shop-2", "--expires", "never")).record.expires_at, "never");
  });

  test("a key of other rights is admitted and refused by them", async () => {
    const { key } = await told(
      "MadeKey",
      "keys",
      "create",
      "--subject",
      "shop-3",
      "--scope",
      "orders:write",
      "--env",
      "test",
    );
    assert.match(key, /^ew_test_/);
    assert.equal(await withKey(key), 403);
  });

  test("list tells the keys of one caller, and show tells one", async () => {
    const ids = [(await create("shop-4")).record.id, (await create("shop-4")).record.id];
    const { keys } = await told("KeyPage", "keys", "list", "--subject", "shop-4");
    assert.deepEqual(keys.map(({ id }) => id).sort(), ids.sort());
    const all = await told("KeyPage", "keys", "list");
    assert.ok(all.keys.length > keys.length);
    const { record } = await told("ShownKey", "keys", "show", ids[0]);
    assert.deepEqual(
      record,
      keys.find(({ id }) => id === ids[0]),
    );
    const none = await edgeward(["keys", "show", "000000000000", "--json"], { env });
    assert.deepEqual([none.code, JSON.parse(none.stdout).status], [2, 404]);
  });

  test("after a rotation both keys are good, and after a revocation the revoked one is not", async () => {
    const old = await create("shop-5");
    const rotated = await told("RotatedKey", "keys", "rotate", old.record.id, "--overlap", "1h");
    assert.deepEqual([await withKey(old.key), await withKey(rotated.key)], [200, 200]);
    assert.deepEqual([rotated.replaced.state, rotated.replaced.replaced_by], ["retiring", rotated.record.id]);
    assert.equal(rotated.record.subject, "shop-5");
    assert.ok(rotated.replaced.expires_at <= now_s() + 3_600);
    const { effective_within_s, record } = await told("RevokedKey", "keys", "revoke", old.record.id);
    assert.equal(record.state, "revoked");
    await refusedWithin(effective_within_s, () => withKey(old.key));
    assert.equal(await withKey(rotated.key), 200);
  });
});

describe("tokens", () => {
  test("one token is revoked by its jti, and another of the same caller is not", async () => {
    const [bad, good] = await Promise.all([mint("ada", { jti: "t1" }), mint("ada", { jti: "t2" })]);
    assert.deepEqual([await withToken(bad), await withToken(good)], [200, 200]);
    const { effective_within_s } = await told("RevokedTokens", "tokens", "revoke", "--jti", "t1", "--subject", "ada");
    await refusedWithin(effective_within_s, () => withToken(bad));
    assert.equal(await withToken(good), 200);
  });

  test("one token is revoked by its jti alone", async () => {
    const token = await mint("bob", { jti: "t3" });
    assert.equal(await withToken(token), 200);
    const { effective_within_s } = await told("RevokedTokens", "tokens", "revoke", "--jti", "t3");
    await refusedWithin(effective_within_s, () => withToken(token));
  });

  test("a caller's tokens are revoked up to an instant; later ones and those of others are not", async () => {
    const instant_s = now_s() - 30;
    const early = await mint("eve", { iat: instant_s - 10 });
    const [later, other] = await Promise.all([mint("eve"), mint("joe", { iat: instant_s - 10 })]);
    assert.equal(await withToken(early), 200);
    const revoke = ["tokens", "revoke", "--subject", "eve", "--before", String(instant_s)];
    const { revoked, effective_within_s } = await told("RevokedTokens", ...revoke);
    assert.deepEqual(revoked, { authenticator: "accounts", subject: "eve", issued_before: instant_s });
    await refusedWithin(effective_within_s, () => withToken(early));
    assert.deepEqual([await withToken(later), await withToken(other)], [200, 200]);
  });

  test("a caller's tokens are revoked under a version, and without one", async () => {
    const [under, none, at] = await Promise.all([mint("kim", { ver: 2 }), mint("kim"), mint("kim", { ver: 3 })]);
    assert.equal(await withToken(under), 200);
    const revoke = ["tokens", "revoke", "--subject", "kim", "--version-below", "3"];
    const { effective_within_s } = await told("RevokedTokens", ...revoke);
    await refusedWithin(effective_within_s, () => withToken(under));
    await refusedWithin(effective_within_s, () => withToken(none));
    assert.equal(await withToken(at), 200);
  });

  test("every token of an issuer is revoked up to an instant", async () => {
    const instant_s = now_s() - 30;
    const [early, later] = await Promise.all([mint("zoe", { iat: instant_s - 10 }), mint("zoe")]);
    assert.equal(await withToken(early), 200);
    const revoke = ["tokens", "revoke", "--every", "--before", String(instant_s)];
    const { effective_within_s } = await told("RevokedTokens", ...revoke);
    await refusedWithin(effective_within_s, () => withToken(early));
    assert.equal(await withToken(later), 200);
  });
});

describe("the gateway", () => {
  test("status tells the policy in force and its authenticators", async () => {
    const { policy, refused, authenticators } = await told("Status", "status");
    assert.deepEqual([policy.name, policy.profile, refused], ["test", "development", null]);
    const kinds = Object.fromEntries(authenticators.map(({ name, kind }) => [name, kind]));
    assert.deepEqual(kinds, { keys: "api_key", accounts: "jwt" });
  });

  test("check tells a policy that would load from one that would not", async () => {
    const policy = policyOf({ authenticators: { keys: { kind: "api_key" } }, routes: [{ auth: ["keys"] }] });
    const file = (name, content) => {
      writeFileSync(join(folder, name), JSON.stringify(content));
      return join(folder, name);
    };
    const good = await told("Checked", "check", file("good.json", policy));
    assert.deepEqual([good.loads, good.name, good.faults], [true, "test", []]);
    const unbound = { ...policy, authenticators: { keys: { kind: "api_key", pepper_binding: "OTHER_PEPPER" } } };
    const unknown = { ...policy, routes: [{ ...policy.routes[0], color: "red" }] };
    for (const [name, content] of Object.entries({ unbound, unknown })) {
      const { code, stdout } = await edgeward(["check", file(`${name}.json`, content), "--json"], { env });
      const { loads, faults: found } = JSON.parse(stdout);
      assert.deepEqual([code, loads], [1, false], name);
      assert.ok(found.length > 0 && found.every(({ problem, fix }) => problem && fix), stdout);
    }
  });

  test("another admin key is refused, and so is an API key without the scope", async () => {
    const { key } = await create("shop-6");
    const reader = await told("MadeKey", "keys", "create", "--subject", "ops", "--scope", "edgeward:read");
    const ask = async (own, ...args) => {
      const { code, stdout } = await edgeward([...args, "--json"], { env: { ...env, EDGEWARD_ADMIN_KEY: own } });
      return [code, JSON.parse(stdout).status];
    };
    const last = env.EDGEWARD_ADMIN_KEY.at(-1);
    const mistyped = env.EDGEWARD_ADMIN_KEY.slice(0, -1) + (last === "0" ? "1" : "0");
    assert.deepEqual(await ask(mistyped, "status"), [2, 401]);
    assert.deepEqual(await ask(key, "status"), [2, 403]);
    assert.deepEqual((await ask(reader.key, "status"))[0], 0);
    assert.deepEqual(await ask(reader.key, "keys", "revoke", reader.record.id), [2, 403]);
  });

  test("without ADMIN_KEY_HASH the admin API is not there", async () => {
    const closed = await start({
      policy: policyOf({ transport: { https_only: false } }),
      vars: { KEY_PEPPER: PEPPER },
    });
    const { code, stdout } = await edgeward(["status", "--json"], { env: { ...env, EDGEWARD_URL: closed.url.origin } });
    assert.deepEqual([code, JSON.parse(stdout).status], [2, 404]);
    await closed.stop();
  });

  test("the command that `npm start` prints lists the keys of the demo", async (t) => {
    // The gateway logs every decision.
    mock.method(console, "log", () => {});
    const port = await freePort(0);
    const flags = readFlags(["--port", String(port), "--state", join(folder, "state")]);
    const local = await serve(flags, port, process.env.EDGEWARD_BUILD ?? buildFolder("release"));
    t.after(() => local.stop());
    const [, command] = local.adminLines;
    const { stdout } = await promisify(execFile)("bash", ["-c", command], { cwd: root });
    assert.match(stdout, /^ID +STATE +SUBJECT .*\n(?:[0-9A-Za-z]{12} .*\n)+$/m);
  });
});
