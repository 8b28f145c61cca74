// The parts of the demo, each without the gateway: keys, tokens, the origin, the printed commands.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as jose from "jose";
import { startDemo } from "../../examples/demo/demo.mjs";
import { startIssuer } from "../../examples/demo/issuer.mjs";
import { checkOf, makeKey, pepperId, recordOf } from "../../examples/demo/keys.mjs";

const KEY_FORM = /^(ew_test_([0-9A-Za-z]{12})_([0-9A-Za-z]{32}))([0-9A-Za-z]{6})$/;
const ISSUED = { audience: "an-api", people: { alice: { subject: "alice" } } };
let folder;
const schemaOf = (name) => {
  const file = new URL(`../../schemas/${name}.schema.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8"));
};

before(() => (folder = mkdtempSync(join(tmpdir(), "edgeward-demo-"))));
after(() => rmSync(folder, { recursive: true, force: true }));

describe("API keys", () => {
  test("the check is the CRC-32 of what stands before it, in six base62 digits", () => {
    assert.equal(checkOf("123456789"), "3jZRME");
    assert.equal(checkOf(""), "000000");
    const key = makeKey();
    const [, checked, id, , check] = KEY_FORM.exec(key.text);
    assert.equal(id, key.id);
    assert.equal(check, checkOf(checked));
    assert.notEqual(makeKey().text, key.text);
  });

  test("a record holds a hash of the secret, and the fields of its schema", () => {
    const key = makeKey();
    const record = recordOf(key, "pepper", { subject: "shop", scopes: ["orders:read"] });
    const secret = KEY_FORM.exec(key.text)[3];
    const hash = createHmac("sha256", "pepper").update(secret).digest("base64url");
    assert.equal(record.hash, hash);
    assert.match(record.pepper, /^[0-9a-f]{8}$/);
    assert.equal(record.pepper, pepperId("pepper"));
    assert.ok(!JSON.stringify(record).includes(secret));
    const { required, properties } = schemaOf("key-record");
    for (const field of required) assert.ok(field in record, `${field} is missing`);
    for (const field of Object.keys(record)) assert.ok(field in properties, `${field} is unknown`);
  });
});

describe("the issuer", () => {
  const start = async (t) => {
    const issuer = await startIssuer({ ...ISSUED, port: 0, stateDir: join(folder, "issuer") });
    t.after(issuer.stop);
    return issuer;
  };
  const verify = (url, token, issuer = url) => {
    const keys = jose.createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`));
    return jose.jwtVerify(token, keys, { issuer, audience: "an-api", typ: "at+jwt" });
  };

  test("mints tokens that its published keys verify, also after a restart", async (t) => {
    const first = await start(t);
    const wanted = { subject: "alice", scopes: ["a", "b"], tenant: "alpha", lifetime_s: 60 };
    const tokens = [];
    for (const key of ["ES256", "RS256"]) {
      const token = await first.mint({ ...wanted, key });
      const { payload, protectedHeader } = await verify(first.url, token);
      assert.equal(protectedHeader.alg, key);
      assert.equal(payload.exp - payload.iat, 60);
      const { sub, scope, org_id } = payload;
      assert.deepEqual({ sub, scope, org_id }, { sub: "alice", scope: "a b", org_id: "alpha" });
      assert.ok(payload.jti && payload.client_id);
      tokens.push(token);
    }
    await first.stop();
    const second = await start(t);
    for (const token of tokens) await verify(second.url, token, first.url);
  });

  test("mints what is wrong when it is asked to", async (t) => {
    const { url, mint } = await start(t);
    const expired = await mint({ subject: "alice", issuedAgo_s: 600, lifetime_s: 300 });
    await assert.rejects(verify(url, expired), { code: "ERR_JWT_EXPIRED" });
    const other = await mint({ subject: "alice", typ: "JWT" });
    await assert.rejects(verify(url, other), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });
  });

  test("publishes no private key and hands tokens to known names only", async (t) => {
    const { url } = await start(t);
    const get = async (path, options) => (await fetch(url + path, options)).text();
    const { keys } = JSON.parse(await get("/.well-known/jwks.json"));
    assert.deepEqual(Object.keys(keys[0]).sort(), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert.deepEqual(Object.keys(keys[1]).sort(), ["alg", "e", "kid", "kty", "n", "use"]);
    await verify(url, await get("/token?as=alice"));
    assert.match(await get("/token?as=toString"), /one of alice/);
    const body = new URLSearchParams({ grant_type: "client_credentials", client_id: "alice" });
    const granted = JSON.parse(await get("/token", { method: "POST", body }));
    assert.equal(granted.token_type, "Bearer");
    await verify(url, granted.access_token);
  });
});

describe("the demo as a whole", () => {
  const start = async (t, options) => {
    const known = { port: 0, gatewayUrl: "http://127.0.0.1:8787", stateDir: join(folder, "demo") };
    const demo = await startDemo({ ...known, ...options });
    t.after(demo.stop);
    return demo;
  };

  test("keeps keys and orders over a restart, in files that only their owner reads", async (t) => {
    const first = await start(t);
    const address = `${first.orders.url}/v1/accounts/alpha/orders`;
    const body = JSON.stringify({ item: "tea", quantity: 2 });
    const created = await fetch(address, { method: "POST", body });
    assert.equal(created.status, 201);
    const { order } = await created.json();
    await first.stop();
    const second = await start(t);
    assert.deepEqual(second.kv, first.kv);
    assert.deepEqual(second.vars, first.vars);
    const kept = await fetch(`${second.orders.url}/v1/accounts/alpha/orders/${order.id}`);
    assert.equal((await kept.json()).order.item, "tea");
    const hits = await fetch(`${second.orders.url}/__hits`);
    assert.deepEqual(await hits.json(), { hits: 2 });
    for (const file of ["secrets.json", "api-keys.json", "issuer-keys.json"]) {
      assert.equal(statSync(join(folder, "demo", "demo", file)).mode & 0o777, 0o600, file);
    }
  });

  test("fills the policy with the ports and leaves another policy alone", async (t) => {
    const { policy, fill, orders, issuer } = await start(t);
    assert.equal(policy.origins.orders.url, orders.url);
    assert.equal(policy.authenticators.accounts.issuer, issuer.url);
    assert.deepEqual(fill({ name: "other" }), { name: "other" });
  });

  test("prints commands that a shell reads, under comments that mean nothing to it", async (t) => {
    const { lines, kv } = await start(t);
    assert.ok(kv.every(([name, value]) => name === `key/${JSON.parse(value).id}`));
    const comments = lines.filter((line) => line.startsWith("#"));
    const commands = lines.filter((line) => line && !line.startsWith("#"));
    for (const comment of comments) assert.match(comment, /^# [a-zA-Z0-9 ,.:-]+$/);
    for (const command of commands) {
      assert.equal(spawnSync("bash", ["-n", "-c", command]).status, 0, command);
    }
    const told = comments.join("\n");
    for (const status of [200, 201, 204, 400, 401, 403, 404, 405, 413, 415, 422, 429]) {
      assert.ok(told.includes(status), `no command shows ${status}`);
    }
  });

  test("the origin verifies the identity when it is told the gateway's keys", async (t) => {
    const gateway = await gatewayKeys();
    t.after(gateway.stop);
    const { orders, vars } = await start(t, { gatewayUrl: gateway.url, verifyIdentity: true });
    const ask = (identity) => {
      return fetch(`${orders.url}/whoami`, { headers: { "edgeward-identity": identity } });
    };
    gateway.publish(JSON.parse(vars.IDENTITY_KEY));
    const own = await ask(await statement(JSON.parse(vars.IDENTITY_KEY)));
    assert.equal(own.status, 200);
    const { received } = await own.json();
    assert.deepEqual([received.identity.sub, received.identity_verified], ["alice", true]);
    const { privateKey } = await jose.generateKeyPair("Ed25519");
    const { kid } = JSON.parse(vars.IDENTITY_KEY);
    assert.equal((await ask(await statement(privateKey, kid))).status, 401);
    assert.equal((await fetch(`${orders.url}/whoami`)).status, 401);
  });
});

/** Stands in for the gateway: it publishes one key where the gateway does. */
async function gatewayKeys() {
  let keys = [];
  const server = createServer((request, response) => {
    response.writeHead(request.url === "/.edgeward/jwks.json" ? 200 : 404);
    response.end(JSON.stringify({ keys }));
  });
  await new Promise((settle) => server.listen(0, "127.0.0.1", settle));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    publish: ({ d, ...key }) => (keys = [key]),
    stop: () => server.close(),
  };
}

function statement(key, kid = key.kid) {
  return new jose.SignJWT({ sub: "alice", tenant: "alpha" })
    .setProtectedHeader({ alg: "EdDSA", kid, typ: "edgeward+jwt" })
    .setAudience("orders")
    .setExpirationTime("60s")
    .sign(key);
}
