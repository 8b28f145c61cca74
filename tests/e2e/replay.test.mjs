// The object that remembers used proofs: exact among parallel uses, and empty again when they could not be used any more.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { Response, start } from "./harness.mjs";
import { aheadHeader, clockedEntry } from "./provider/clock.mjs";
import { makeProofKey, prove } from "./provider/proofs.mjs";
import { objectName } from "./support/objects.mjs";
import { HOST, from, policyOf, tally } from "./support/policies.mjs";

const ISSUER = "https://issuer.example";
/** How long a use is remembered at most (`credential::dpop`), and more. */
const REMEMBERED_MS = 95_000;
const nowS = () => Math.floor(Date.now() / 1_000);

/** The built entry, whose `Replay` also tells what it holds and can be made to look at its clock. */
const entry = `${clockedEntry()}
Replay.prototype.held = function () {
  const count = (query) => this.ctx.storage.sql.exec(query).one().n;
  const tables = count("SELECT count(*) AS n FROM sqlite_master WHERE name = 'uses'");
  return tables === 0 ? "nothing, not even a table" : count("SELECT count(*) AS n FROM uses");
};
Replay.prototype.ring = async function () { await this.alarm(); };
Replay.prototype.armed = async function () { return (await this.ctx.storage.getAlarm()) !== null; };
`;

test("one proof passes once, whatever comes at the same time, and the object clears itself", async (t) => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: "one", alg: "ES256", use: "sig" };
  const accounts = {
    kind: "jwt",
    issuer: ISSUER,
    audiences: ["api"],
    algorithms: ["ES256"],
    jwks: { keys: [jwk] },
    sender_constraint: "required",
  };
  const policy = policyOf({ authenticators: { accounts }, routes: [{ auth: ["accounts"] }] });
  const gateway = await start({ policy, entry, origin: () => new Response("ok") });
  t.after(() => gateway.stop());
  const key = await makeProofKey();
  const claims = { iss: ISSUER, aud: "api", sub: "alice", iat: nowS(), exp: nowS() + 600, cnf: { jkt: key.thumbprint } };
  const token = await new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "one" }).sign(privateKey);
  const use = async (proof) => {
    const headers = from("192.0.2.1", { authorization: `DPoP ${token}`, dpop: proof });
    const answer = await gateway.fetch(`${HOST}/orders`, { headers });
    await answer.arrayBuffer();
    return answer.status;
  };
  const one = await prove({ key, htu: `${HOST}/orders`, token });
  const statuses = await Promise.all(Array.from({ length: 30 }, () => use(one)));
  assert.deepEqual(tally(statuses), { 200: 1, 401: 29 }, "thirty uses at once");
  for (let count = 0; count < 4; count += 1) assert.equal(await use(await prove({ key, htu: `${HOST}/orders`, token })), 200);

  const namespace = await gateway.miniflare.getDurableObjectNamespace("REPLAY");
  const object = namespace.get(namespace.idFromName(objectName("replay", key.thumbprint)));
  assert.equal(await object.held(), 5);
  assert.equal(await object.armed(), true);
  await object.ring();
  assert.equal(await object.held(), 5, "too early");
  assert.equal(await object.armed(), true, "it looks again");
  await gateway.fetch(`${HOST}/`, { headers: { [aheadHeader]: String(REMEMBERED_MS) } });
  await object.ring();
  assert.equal(await object.held(), "nothing, not even a table");
  assert.equal(await use(one), 401, "past its time it is too old by itself");
});
