// DPoP with nonces of the gateway (RFC 9449 §9): what a client library does when it is asked for one, and what is
// refused. No state stands behind a nonce: any worker with the same secret takes it, for a while.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { challengeOf } from "./provider/challenges.mjs";
import { LOOPBACK, clientOf, retried } from "./provider/client.mjs";
import { gatewayFor, jwtOf } from "./provider/gateway.mjs";
import { makeProofKey, prove } from "./provider/proofs.mjs";
import { startProvider } from "./provider/provider.mjs";

const URL_OF = "http://gateway.test/orders";
const ORIGIN = "https://app.example";
const HOUR_MS = 3_600_000;

let provider;
let gateway;
let key;
let token;

before(async () => {
  provider = await startProvider({ lifetimeS: 36_000 });
  gateway = await begin();
  key = await makeProofKey();
  const machine = await clientOf(provider, "machine", { dpop: oauth.DPoP({}, key) });
  token = (await machine.credentials()).access_token;
});

after(async () => {
  await gateway?.stop();
  await provider?.stop();
});

/** A gateway that wants a nonce in each proof; `secret` makes its nonces. */
function begin(secret = "a secret for nonces, held by every worker of a gateway") {
  const accounts = jwtOf(provider, {
    sender_constraint: "required",
    dpop_nonce_binding: "DPOP_NONCE_KEY",
    max_lifetime_s: 86_400,
  });
  const cors = { origins: [ORIGIN], headers: ["authorization", "dpop"] };
  return gatewayFor({ authenticators: { accounts }, policy: { cors }, vars: { DPOP_NONCE_KEY: secret }, clocked: true });
}

async function ask({ at = gateway, headers, ...proof } = {}) {
  const dpop = await prove({ key, htu: URL_OF, token, ...proof });
  return at.fetch(URL_OF, { headers: { authorization: `DPoP ${token}`, dpop, ...headers } });
}

/** The nonce that a refusal offers; fails unless it is a refusal for the nonce's sake. */
async function offered(answer, message) {
  assert.equal(answer.status, 401, message);
  assert.equal((await answer.json()).code, "dpop-nonce-required", message);
  assert.equal(challengeOf(answer, "DPoP").error, "use_dpop_nonce", message);
  const nonce = answer.headers.get("dpop-nonce");
  // RFC 9449 §8.1: NQCHAR.
  assert.match(nonce ?? "", /^[!#-[\]-~]{16,}$/, message);
  return nonce;
}

test("a client library is asked for a nonce once, and goes on with it", async () => {
  const handle = oauth.DPoP({}, key);
  const statuses = [];
  const request = () =>
    oauth.protectedResourceRequest(token, "GET", new URL(URL_OF), new Headers(), null, {
      ...LOOPBACK,
      DPoP: handle,
      async [oauth.customFetch](address, init) {
        const answer = await gateway.fetch(address, init);
        statuses.push(answer.status);
        return answer;
      },
    });
  assert.equal((await retried(request)).status, 200);
  assert.equal((await request()).status, 200, "the same nonce is good for more than one request");
  assert.deepEqual(statuses, [401, 200, 200]);
});

test("without a nonce, and with one that the gateway never gave, a proof is refused (DP-10, DP-19)", async () => {
  const nonce = await offered(await ask(), "none");
  const last = nonce.at(-1) === "A" ? "B" : "A";
  const first = nonce.startsWith("A") ? "B" : "A";
  const changed = [nonce.slice(0, -1) + last, first + nonce.slice(1), nonce.slice(0, -1), `${nonce}A`, nonce + nonce];
  for (const wrong of [randomUUID(), ...changed]) await offered(await ask({ nonce: wrong }), wrong);
  // Of the wrong type is no nonce either; which of the two faults it is, is open.
  for (const wrong of [7, null, [nonce], true]) assert.equal((await ask({ nonce: wrong })).status, 401, `${wrong}`);
  assert.equal((await ask({ nonce })).status, 200);
});

test("a nonce does not mend a proof: each other check stands (DP-03 to DP-13)", async () => {
  const nonce = await offered(await ask());
  for (const made of [{ claims: { htm: "POST" } }, { claims: { ath: undefined } }, { signer: await makeProofKey() }]) {
    const answer = await ask({ nonce, ...made });
    assert.deepEqual([answer.status, (await answer.json()).code], [401, "dpop-invalid"]);
  }
  const proof = await prove({ key, htu: URL_OF, token, nonce });
  const once = () => gateway.fetch(URL_OF, { headers: { authorization: `DPoP ${token}`, dpop: proof } });
  assert.equal((await once()).status, 200);
  const again = await once();
  assert.deepEqual([again.status, (await again.json()).code], [401, "dpop-invalid"], "a replay");
});

test("a nonce grows old, and its successor is offered (DP-20)", async (t) => {
  const at = await begin();
  t.after(() => at.stop());
  const nonce = await offered(await ask({ at }));
  assert.equal((await ask({ at, nonce })).status, 200);
  await at.moveClock(HOUR_MS);
  const iat = Math.floor((Date.now() + HOUR_MS) / 1_000);
  const next = await offered(await ask({ at, nonce, claims: { iat } }), "an hour later");
  assert.notEqual(next, nonce);
  assert.equal((await ask({ at, nonce: next, claims: { iat } })).status, 200);
});

test("any worker with the same secret takes a nonce, and none with another (DP-20)", async (t) => {
  const [same, other] = await Promise.all([begin(), begin("another secret for nonces, of another gateway")]);
  t.after(() => Promise.all([same.stop(), other.stop()]));
  const nonce = await offered(await ask());
  assert.equal((await ask({ at: same, nonce })).status, 200);
  await offered(await ask({ at: other, nonce }), "another secret");
});

test("a page in a browser may read the nonce and the challenge (DP-21)", async () => {
  const answer = await ask({ headers: { origin: ORIGIN } });
  const exposed = answer.headers.get("access-control-expose-headers").toLowerCase().split(/, */);
  await offered(answer);
  for (const name of ["dpop-nonce", "www-authenticate"]) assert.ok(exposed.includes(name), exposed.join());
  assert.equal(answer.headers.get("access-control-allow-origin"), ORIGIN);
});
