// DPoP (RFC 9449): tokens of a real OpenID provider bound to a client's key. A real client library makes the good
// proofs; the bad ones, which it would never make, are made by hand. DP-01 to DP-21 are the numbers of the checks.
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { challengeOf, challengesOf } from "./provider/challenges.mjs";
import { LOOPBACK, clientOf, retried } from "./provider/client.mjs";
import { OPAQUE_API, SECRET } from "./provider/configuration.mjs";
import { gatewayFor, jwtOf, opaqueOf } from "./provider/gateway.mjs";
import { compact, makeProofKey, partsOf, prove, sealed } from "./provider/proofs.mjs";
import { startProvider } from "./provider/provider.mjs";
import { send } from "./support/raw.mjs";
import { tally } from "./support/policies.mjs";
import { entryWithObject } from "./support/entry.mjs";

const URL_OF = "http://gateway.test/orders";
const HOUR_S = 3_600;
const JTI_MAX = 256;
const nowS = () => Math.floor(Date.now() / 1_000);

let provider;
let gateway;
let key;
let token;
let bearerToken;

before(async () => {
  provider = await startProvider();
  gateway = await gatewayFor({ authenticators: { accounts: jwtOf(provider, { sender_constraint: "required" }) } });
  key = await makeProofKey();
  token = await tokenFor(key);
  bearerToken = (await (await clientOf(provider, "machine")).credentials()).access_token;
});

after(async () => {
  await gateway?.stop();
  await provider?.stop();
});

/** A token of the provider, bound to `owner`. */
async function tokenFor(owner, resource) {
  const machine = await clientOf(provider, "machine", { dpop: oauth.DPoP({}, owner) });
  return (await machine.credentials(resource)).access_token;
}

/** Sends `token` with a proof: text, or what to make one of. */
async function ask(proof = {}, { at = gateway, text = token, url = URL_OF, scheme = "DPoP", ...init } = {}) {
  const good = { key, htu: url, htm: init.method, token: text };
  const dpop = typeof proof === "string" ? proof : await prove({ ...good, ...proof });
  return at.fetch(url, { headers: { authorization: `${scheme} ${text}`, dpop }, ...init });
}

async function isProofFault(answer, message) {
  assert.equal(answer.status, 401, message);
  assert.equal((await answer.json()).code, "dpop-invalid", message);
  const challenge = challengeOf(answer, "DPoP");
  assert.equal(challenge.error, "invalid_dpop_proof", message);
  assert.ok(challenge.algs.split(" ").includes("ES256"), challenge.algs);
  return challenge;
}

async function isBadToken(answer, message) {
  assert.equal(answer.status, 401, message);
  assert.equal((await answer.json()).code, "credential-invalid", message);
}

/** One request through the client library, as often as its nonce makes it. */
const through = (at, handle, text, url = URL_OF) =>
  retried(() =>
    oauth.protectedResourceRequest(text, "GET", new URL(url), new Headers(), null, {
      ...LOOPBACK,
      DPoP: handle,
      [oauth.customFetch]: (address, init) => at.fetch(address, init),
    }),
  );

test("what a client library proves is admitted, for a user and for a machine", async () => {
  for (const [id, get] of [
    ["machine", (client) => client.credentials()],
    ["dpop-app", (client) => client.logIn()],
    ["nonce-app", (client) => client.logIn()],
  ]) {
    const handle = oauth.DPoP({}, await oauth.generateKeyPair("ES256"));
    const tokens = await get(await clientOf(provider, id, { dpop: handle }));
    assert.equal(tokens.token_type, "dpop");
    for (const round of [1, 2]) {
      assert.equal((await through(gateway, handle, tokens.access_token)).status, 200, `${id}, request ${round}`);
    }
    assert.equal(gateway.told().sub, id === "machine" ? "machine" : "alice");
    const { headers } = gateway.origin.requests.at(-1);
    assert.deepEqual([headers.dpop, headers.authorization], [undefined, undefined], "neither goes to the origin");
  }
});

test("proofs by each algorithm that is offered are taken", async () => {
  const { algs } = await isProofFault(await ask("x"));
  for (const alg of algs.split(" ").filter((name) => name !== "EdDSA")) {
    const own = await makeProofKey(alg);
    // The provider takes fewer of them: there the token is bound by a key that it takes, and refused with this one.
    const text = await tokenFor(own).catch(() => undefined);
    if (text) assert.equal((await ask({ key: own, token: text }, { text })).status, 200, alg);
    else await isBadToken(await ask({ key: own }), alg);
  }
});

test("a good proof by hand is admitted, with either spelling of the scheme", async () => {
  assert.equal((await ask()).status, 200);
  assert.equal((await ask({}, { scheme: "dpop" })).status, 200);
  const wordy = { jwk: { ...key.jwk, kid: "1", use: "sig" } };
  assert.equal((await ask({ header: wordy })).status, 200, "a key that says more");
  assert.equal((await ask({ claims: { more: true, iat: nowS() - 5 } })).status, 200);
  assert.equal((await ask({}, { method: "POST", body: "{}" })).status, 200);
});

test("two proofs are one too many (DP-01)", async () => {
  const [first, second] = [await prove({ key, htu: URL_OF, token }), await prove({ key, htu: URL_OF, token })];
  const headers = [`Authorization: DPoP ${token}`, `DPoP: ${first}`, `DPoP: ${second}`];
  const raw = await send(gateway.url, { target: "/orders", headers });
  assert.deepEqual([raw.status, JSON.parse(raw.body).code], [400, "duplicate-credential"]);
  const joined = await ask(`${first}, ${second}`);
  assert.deepEqual([joined.status, (await joined.json()).code], [400, "duplicate-credential"]);
  const authorization = [`DPoP ${token}, DPoP ${token}`, `DPoP ${token}, Bearer ${bearerToken}`];
  for (const value of authorization) {
    const answer = await gateway.fetch(URL_OF, { headers: { authorization: value, dpop: first } });
    assert.deepEqual([answer.status, (await answer.json()).code], [400, "duplicate-credential"]);
  }
});

test("what is not one JWT is no proof, nor is nothing (DP-02)", async () => {
  const good = await prove({ key, htu: URL_OF, token });
  const [head, body, tail] = good.split(".");
  const parts = ["x", `${head}.${body}`, `${good}.x`, `${good}.a.b`, `${head}.${body}.`];
  const spelled = [`${head}=.${body}.${tail}`, `${head} .${body}.${tail}`, `Bearer ${good}`, `{"payload":"${body}"}`];
  for (const proof of [...parts, ...spelled]) await isProofFault(await ask(proof), proof);
  await isProofFault(await gateway.fetch(URL_OF, { headers: { authorization: `DPoP ${token}` } }), "none");
  await isProofFault(await ask("x".repeat(9_000)), "a long one");
  assert.equal((await ask(good)).status, 200, "the one they were made from");
});

/** What each faulty proof is made of, by its number. */
const FAULTS = {
  "DP-03 no jti": { claims: { jti: undefined } },
  "DP-03 no htm": { claims: { htm: undefined } },
  "DP-03 no htu": { claims: { htu: undefined } },
  "DP-03 no iat": { claims: { iat: undefined } },
  "DP-03 jti is a number": { claims: { jti: 7 } },
  "DP-03 jti is empty": { claims: { jti: "" } },
  "DP-03 iat is text": { claims: { iat: `${nowS()}` } },
  "DP-03 htm is a list": { claims: { htm: ["GET"] } },
  "DP-03 htu is a list": { claims: { htu: [URL_OF] } },
  "DP-04 no typ": { header: { typ: undefined } },
  "DP-04 typ of any JWT": { header: { typ: "JWT" } },
  "DP-04 typ of a token": { header: { typ: "at+jwt" } },
  "DP-07 no key": { header: { jwk: undefined } },
  "DP-07 a key by its name": { header: { jwk: undefined, kid: "1" } },
  "DP-08 another method": { claims: { htm: "POST" } },
  "DP-08 another case": { claims: { htm: "get" } },
  "DP-09 another path": { claims: { htu: "http://gateway.test/order" } },
  "DP-09 a path beyond": { claims: { htu: "http://gateway.test/orders/1" } },
  "DP-09 a slash more": { claims: { htu: "http://gateway.test/orders/" } },
  "DP-09 another case": { claims: { htu: "http://gateway.test/Orders" } },
  "DP-09 another host": { claims: { htu: "http://other.test/orders" } },
  "DP-09 a host beyond": { claims: { htu: "http://gateway.test.evil/orders" } },
  "DP-09 a user": { claims: { htu: "http://gateway.test@evil.test/orders" } },
  "DP-09 another scheme": { claims: { htu: "https://gateway.test/orders" } },
  "DP-09 another port": { claims: { htu: "http://gateway.test:8080/orders" } },
  "DP-09 a path alone": { claims: { htu: "/orders" } },
  "DP-09 nothing": { claims: { htu: "" } },
  "DP-11 an hour old": { claims: { iat: nowS() - HOUR_S } },
  "DP-11 an hour ahead": { claims: { iat: nowS() + HOUR_S } },
  "DP-11 before all time": { claims: { iat: -1 } },
  "DP-12 no ath": { claims: { ath: undefined } },
  "DP-12 of another token": { claims: { ath: createHash("sha256").update("x").digest("base64url") } },
  "DP-12 padded": { claims: { ath: "x".repeat(43) + "=" } },
  "DP-18 a jti too long": { claims: { jti: "j".repeat(JTI_MAX + 1) } },
};

for (const [name, made] of Object.entries(FAULTS)) {
  test(`a proof is refused: ${name}`, async () => {
    const reached = gateway.origin.requests.length;
    await isProofFault(await ask(made));
    assert.equal(gateway.origin.requests.length, reached);
    assert.equal((await ask()).status, 200, "and a good one is not");
  });
}

test("ath in hex is none (DP-12), and a jti may be as long as it may be (DP-18)", async () => {
  await isProofFault(await ask({ claims: { ath: createHash("sha256").update(token).digest("hex") } }));
  assert.equal((await ask({ claims: { jti: randomUUID().padEnd(JTI_MAX, "j") } })).status, 200);
});

test("a proof by no algorithm, a secret or one not offered is refused (DP-05)", async () => {
  const { header, payload, signature } = partsOf(await prove({ key, htu: URL_OF, token }));
  const secret = new TextEncoder().encode(JSON.stringify(key.jwk));
  const oct = { kty: "oct", k: Buffer.from(secret).toString("base64url") };
  for (const [name, proof] of Object.entries({
    none: compact({ ...header, alg: "none" }, payload),
    "none, with a signature": compact({ ...header, alg: "none" }, payload, signature),
    None: compact({ ...header, alg: "None" }, payload),
    "no alg": await sealed({ ...header, alg: undefined }, payload, key),
    "a list": await sealed({ ...header, alg: ["ES256"] }, payload, key),
    "another case": await sealed({ ...header, alg: "es256" }, payload, key),
    "HS256 with the public key": await prove({ key, htu: URL_OF, token, header: { alg: "HS256" }, signer: secret }),
    "HS256 with a secret": await prove({ key, htu: URL_OF, token, header: { alg: "HS256", jwk: oct }, signer: secret }),
    ES512: await ofOther("ES512"),
    PS512: await ofOther("PS512"),
  })) {
    await isProofFault(await ask(proof), name);
  }
});

async function ofOther(alg) {
  const own = await makeProofKey(alg);
  return prove({ key: own, htu: URL_OF, token });
}

test("a proof whose signature is not its key's is refused (DP-06)", async () => {
  const other = await makeProofKey();
  await isProofFault(await ask({ signer: other }), "signed by another");
  const { header, payload, signature } = partsOf(await prove({ key, htu: URL_OF, token }));
  signature[0] ^= 1;
  const [head, body] = compact(header, payload).split(".");
  await isProofFault(await ask(`${head}.${body}.${signature.toString("base64url")}`), "one bit");
  await isProofFault(await ask(`${head}.${body}.${Buffer.alloc(64).toString("base64url")}`), "zeros");
});

test("a key that says its private part, or is a secret, is refused (DP-07)", async () => {
  const rsa = await makeProofKey("PS256");
  const proofs = {
    d: await prove({ key, htu: URL_OF, token, header: { jwk: key.privateJwk } }),
    "RSA, all of it": await prove({ key: rsa, htu: URL_OF, token, header: { jwk: rsa.privateJwk } }),
    "RSA, p alone": await prove({ key: rsa, htu: URL_OF, token, header: { jwk: { ...rsa.jwk, p: rsa.privateJwk.p } } }),
    k: await prove({ key, htu: URL_OF, token, header: { jwk: { ...key.jwk, k: "x" } } }),
    "another curve": await prove({ key, htu: URL_OF, token, header: { jwk: { ...key.jwk, crv: "P-384" } } }),
    "off the curve": await prove({ key, htu: URL_OF, token, header: { jwk: { ...key.jwk, y: key.jwk.x } } }),
    "text": await prove({ key, htu: URL_OF, token, header: { jwk: JSON.stringify(key.jwk) } }),
  };
  for (const [name, proof] of Object.entries(proofs)) await isProofFault(await ask(proof), name);
});

test("crit, b64 and a key elsewhere are refused in a proof", async () => {
  const { header, payload } = partsOf(await prove({ key, htu: URL_OF, token }));
  const extras = [{ crit: ["x"], x: 1 }, { crit: [] }, { b64: false, crit: ["b64"] }, { jku: "https://evil.test/jwks" }];
  for (const more of extras) {
    await isProofFault(await ask(await sealed({ ...header, ...more }, payload, key)), JSON.stringify(more));
  }
  assert.equal((await ask(await sealed(header, payload, key))).status, 200, "the one they were made from");
});

test("htu is compared as an address: case of the host, port, query and fragment do not count (DP-09)", async () => {
  const cased = ["http://GATEWAY.test/orders", "HTTP://gateway.test/orders"];
  for (const htu of [...cased, "http://gateway.test:80/orders", `${URL_OF}?a=1`, `${URL_OF}#part`]) {
    assert.equal((await ask({ claims: { htu } })).status, 200, htu);
  }
  assert.equal((await ask({ htu: URL_OF }, { url: `${URL_OF}?page=2` })).status, 200);
  const https = "https://gateway.test/orders";
  assert.equal((await ask({}, { url: https })).status, 200);
  assert.equal((await ask({ claims: { htu: "https://gateway.test:443/orders" } }, { url: https })).status, 200);
});

test("htu names the public address, whatever the request says of its host (DP-09)", async (t) => {
  const authenticators = { accounts: jwtOf(provider, { sender_constraint: "required" }) };
  const at = await gatewayFor({ authenticators, policy: { public_url: "https://api.public.test" } });
  t.after(() => at.stop());
  assert.equal((await ask({ htu: "https://api.public.test/orders" }, { at })).status, 200);
  await isProofFault(await ask({ htu: URL_OF }, { at }), "the request's own address");
  const headers = { "x-forwarded-host": "evil.test", forwarded: "host=evil.test" };
  const proof = await prove({ key, htu: "https://evil.test/orders", token });
  for (const one of [at, gateway]) {
    const sent = { authorization: `DPoP ${token}`, dpop: proof, ...headers };
    await isProofFault(await one.fetch(URL_OF, { headers: sent }), "an address that its client made up");
  }
});

test("another key's proof for a bound token proves nothing (DP-13)", async () => {
  await isBadToken(await ask({ key: await makeProofKey() }));
});

test("a bound token is no bearer token, and an unbound one no DPoP token (DP-15, DP-16)", async (t) => {
  const authenticators = { accounts: jwtOf(provider, { sender_constraint: "optional" }) };
  const optional = await gatewayFor({ authenticators });
  t.after(() => optional.stop());
  for (const [name, at] of Object.entries({ required: gateway, optional })) {
    await isBadToken(await at.bearer(token), `${name}: bound, as Bearer`);
    await isBadToken(await ask({}, { at, scheme: "Bearer" }), `${name}: bound, as Bearer, with its proof`);
    await isBadToken(await ask({}, { at, text: bearerToken }), `${name}: unbound, as DPoP`);
    assert.equal((await ask({}, { at })).status, 200, `${name}: bound, as DPoP`);
  }
  await isBadToken(await gateway.bearer(bearerToken), "required: unbound, as Bearer");
  assert.equal((await optional.bearer(bearerToken)).status, 200, "optional: unbound, as Bearer");
});

test("a challenge for each scheme that is taken, DPoP's with its algorithms (DP-14)", async (t) => {
  const authenticators = { accounts: jwtOf(provider, { sender_constraint: "optional" }) };
  const optional = await gatewayFor({ authenticators });
  t.after(() => optional.stop());
  const missing = await gateway.fetch(URL_OF);
  const challenge = challengeOf(missing, "DPoP");
  assert.deepEqual([missing.status, challenge.error], [401, undefined]);
  assert.ok(challenge.algs.split(" ").includes("ES256"));
  const both = challengesOf(await optional.fetch(URL_OF));
  assert.deepEqual(both.map(({ scheme }) => scheme).toSorted(), ["Bearer", "DPoP"]);
});

test("a proof is good once (DP-17)", async () => {
  const proof = await prove({ key, htu: URL_OF, token });
  assert.equal((await ask(proof)).status, 200);
  for (const round of [1, 2]) await isProofFault(await ask(proof), `again, ${round}`);
  const many = await prove({ key, htu: URL_OF, token });
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(many)));
  assert.deepEqual(tally(answers.map(({ status }) => status)), { 200: 1, 401: 11 });
});

test("the same proof written another way is the same proof (DP-17)", async () => {
  const jti = randomUUID();
  assert.equal((await ask({ claims: { jti } })).status, 200);
  for (const htu of [URL_OF, `${URL_OF}?x=1`, "http://GATEWAY.test:80/orders", `${URL_OF}#x`]) {
    await isProofFault(await ask({ claims: { jti, htu } }), htu);
  }
  await isProofFault(await ask({ claims: { jti }, htu: URL_OF }, { url: `${URL_OF}?page=2` }));
  const other = await makeProofKey();
  const text = await tokenFor(other);
  assert.equal((await ask({ key: other, claims: { jti } }, { text })).status, 200, "another client's is another");
});

test("a refused proof is not spent: the same jti is good when the rest is (DP-17)", async () => {
  const jti = randomUUID();
  await isProofFault(await ask({ claims: { jti, htm: "POST" } }));
  assert.equal((await ask({ claims: { jti } })).status, 200);
});

const BROKEN = {
  throws: "take() { throw new Error('broken'); }",
  "never answers": "take() { return new Promise(() => {}); }",
  "answers nonsense": "take() { return '{'; }",
  "answers nothing": "take() {}",
  "answers a number": "take() { return 0; }",
};

for (const [how, method] of Object.entries(BROKEN)) {
  test(`a memory of proofs that ${how} admits nobody, in bounded time (DP-17)`, async (t) => {
    const entry = entryWithObject("Replay", method);
    const at = await gatewayFor({ authenticators: { accounts: jwtOf(provider) }, entry });
    t.after(() => at.stop());
    const began = performance.now();
    for (const round of [1, 2]) assert.equal((await ask({}, { at })).status, 503, `request ${round}`);
    assert.ok(performance.now() - began < 30_000);
    assert.equal(at.origin.requests.length, 0);
    assert.equal((await at.bearer(bearerToken)).status, 200, "who proves nothing does not need it");
  });
}

test("an opaque token that is bound needs its proof as well (MT-08's twin)", async (t) => {
  const at = await gatewayFor({
    authenticators: { accounts: opaqueOf(provider, { sender_constraint: "required" }) },
    vars: { INTROSPECTION_SECRET: SECRET },
  });
  t.after(() => at.stop());
  const text = await tokenFor(key, OPAQUE_API);
  for (const round of [1, 2]) assert.equal((await ask({}, { at, text })).status, 200, `request ${round}`);
  await isBadToken(await at.bearer(text), "as Bearer");
  await isBadToken(await ask({ key: await makeProofKey() }, { at, text }), "another key");
  await isProofFault(await ask({ claims: { ath: undefined } }, { at, text }));
  const unbound = (await (await clientOf(provider, "machine")).credentials(OPAQUE_API)).access_token;
  await isBadToken(await at.bearer(unbound), "unbound");
});
