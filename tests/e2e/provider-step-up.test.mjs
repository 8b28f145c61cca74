// Asking for a stronger or fresher login (RFC 9470): the gateway says what it wants, the client takes that to a real
// OpenID provider, and comes back with a token that has it. SU-01 to SU-04 are the numbers of the checks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { openBrowser } from "./provider/browser.mjs";
import { challengeOf } from "./provider/challenges.mjs";
import { LOOPBACK, clientOf } from "./provider/client.mjs";
import { OPAQUE_API, SECRET } from "./provider/configuration.mjs";
import { gatewayFor, jwtOf, opaqueOf } from "./provider/gateway.mjs";
import { mint } from "./provider/mint.mjs";
import { startProvider } from "./provider/provider.mjs";

const MAX_AGE_S = 600;
const nowS = () => Math.floor(Date.now() / 1_000);

let provider;
let gateway;

before(async () => {
  provider = await startProvider();
  const auth = ["accounts"];
  gateway = await gatewayFor({
    authenticators: { accounts: jwtOf(provider) },
    routes: {
      "POST /payments": { auth, require: { acr: ["aal2"], max_auth_age_s: MAX_AGE_S } },
      "GET /strong": { auth, require: { acr: ["aal2", "aal3"] } },
      "GET /fresh": { auth, require: { max_auth_age_s: MAX_AGE_S } },
    },
  });
});

after(async () => {
  await gateway?.stop();
  await provider?.stop();
});

const payments = { path: "/payments", method: "POST", body: "{}" };

/** The challenge of a refusal for the login's sake; fails unless it is one. */
async function steppedUp(answer, message) {
  assert.equal(answer.status, 401, message);
  assert.equal((await answer.json()).code, "step-up-required", message);
  const challenge = challengeOf(answer, "Bearer");
  assert.equal(challenge.error, "insufficient_user_authentication", message);
  return challenge;
}

test("a client is told what login is wanted, gets it of its user, and passes (SU-01)", async () => {
  const browser = openBrowser();
  const app = await clientOf(provider, "app");
  const weak = await app.logIn({ browser });
  assert.equal((await gateway.bearer(weak.access_token)).status, 200, "elsewhere it is enough");
  const failed = await oauth
    .protectedResourceRequest(weak.access_token, "POST", new URL("http://gateway.test/payments"), new Headers(), "{}", {
      ...LOOPBACK,
      [oauth.customFetch]: (address, init) => gateway.fetch(address, init),
    })
    .catch((error) => error);
  assert.ok(failed instanceof oauth.WWWAuthenticateChallengeError, `${failed}`);
  const { parameters } = failed.cause.find(({ scheme }) => scheme === "bearer");
  const { error, acr_values, max_age } = parameters;
  assert.equal(error, "insufficient_user_authentication");
  assert.deepEqual({ acr_values, max_age }, { acr_values: "aal2", max_age: `${MAX_AGE_S}` });
  assert.equal(gateway.origin.requests.some(({ url }) => url === "/payments"), false);

  browser.logsIn({ acr: "aal2" });
  const strong = await app.logIn({ browser, parameters: { acr_values, max_age } });
  assert.equal((await gateway.bearer(strong.access_token, payments)).status, 200);
  const { acr, amr } = gateway.told();
  assert.deepEqual({ acr, amr }, { acr: "aal2", amr: ["pwd", "otp"] }, "the origin is told how");
  await steppedUp(await gateway.bearer(weak.access_token, payments), "the first token is what it was");
});

test("a login that was too long ago is asked for again (SU-02)", async () => {
  const browser = openBrowser();
  const app = await clientOf(provider, "app");
  browser.logsIn({ acr: "aal2", ago_s: `${MAX_AGE_S + 120}` });
  const old = await app.logIn({ browser });
  const { acr_values, max_age } = await steppedUp(await gateway.bearer(old.access_token, payments));
  browser.logsIn({ ago_s: "0" });
  const fresh = await app.logIn({ browser, parameters: { acr_values, max_age } });
  assert.equal((await gateway.bearer(fresh.access_token, payments)).status, 200);
  browser.logsIn({ ago_s: `${MAX_AGE_S - 300}` });
  const young = await app.logIn({ browser, parameters: { prompt: "login" } });
  assert.equal((await gateway.bearer(young.access_token, payments)).status, 200, "young enough");
});

test("a refresh keeps the login it came from", async () => {
  const browser = openBrowser();
  const app = await clientOf(provider, "app");
  const weak = await app.refresh((await app.logIn({ browser })).refresh_token);
  await steppedUp(await gateway.bearer(weak.access_token, payments));
});

test("each requirement is told alone, and every value that would do", async () => {
  const token = (await (await clientOf(provider, "machine")).credentials()).access_token;
  const strong = await steppedUp(await gateway.bearer(token, { path: "/strong" }));
  assert.deepEqual([strong.acr_values, strong.max_age], ["aal2 aal3", undefined]);
  const fresh = await steppedUp(await gateway.bearer(token, { path: "/fresh" }));
  assert.deepEqual([fresh.acr_values, fresh.max_age], [undefined, `${MAX_AGE_S}`]);
  for (const acr of ["aal2", "aal3"]) {
    assert.equal((await gateway.bearer(await mint(provider, { acr }), { path: "/strong" })).status, 200, acr);
  }
});

test("a token that does not say when its user logged in is not fresh (SU-03)", async () => {
  for (const auth_time of [undefined, nowS() - MAX_AGE_S - 120, 0, 1]) {
    const token = await mint(provider, { acr: "aal2", auth_time });
    await steppedUp(await gateway.bearer(token, { path: "/fresh" }), `${auth_time}`);
  }
  // Of the wrong type, or ahead of time: no login, whichever fault it is.
  for (const auth_time of [`${nowS()}`, null, [nowS()], true, -1, nowS() + 86_400]) {
    const answer = await gateway.bearer(await mint(provider, { acr: "aal2", auth_time }), { path: "/fresh" });
    assert.equal(answer.status, 401, JSON.stringify(auth_time));
  }
  assert.equal((await gateway.bearer(await mint(provider, { auth_time: nowS() }), { path: "/fresh" })).status, 200);
});

test("acr is compared exactly (SU-04)", async () => {
  for (const acr of [undefined, "aal1", "AAL2", "aal", "aal22", " aal2", "aal2 aal1", "urn:aal2", ""]) {
    const answer = await gateway.bearer(await mint(provider, { acr }), { path: "/strong" });
    await steppedUp(answer, JSON.stringify(acr));
  }
  for (const acr of [["aal2"], { aal2: true }, 2, true, null]) {
    const answer = await gateway.bearer(await mint(provider, { acr }), { path: "/strong" });
    assert.equal(answer.status, 401, JSON.stringify(acr));
  }
});

test("what an issuer says of an opaque token counts as much", async (t) => {
  const at = await gatewayFor({
    authenticators: { accounts: opaqueOf(provider) },
    route: { require: { scopes: ["orders:read"], acr: ["aal2"], max_auth_age_s: MAX_AGE_S } },
    vars: { INTROSPECTION_SECRET: SECRET },
  });
  t.after(() => at.stop());
  const browser = openBrowser();
  const app = await clientOf(provider, "app");
  const weak = await app.logIn({ browser, resource: OPAQUE_API });
  for (const round of [1, 2]) await steppedUp(await at.bearer(weak.access_token), `request ${round}`);
  browser.logsIn({ acr: "aal2" });
  const strong = await app.logIn({ browser, resource: OPAQUE_API, parameters: { acr_values: "aal2", max_age: "600" } });
  assert.equal((await at.bearer(strong.access_token)).status, 200);
});
