// A key that signs before it was told: the first token of it makes the gateway read the key set anew, and the tokens
// that come while it reads wait for what it finds. (Rotations that are told ahead: provider-keys.test.mjs.)
import assert from "node:assert/strict";
import { test } from "node:test";
import { clientOf } from "./provider/client.mjs";
import { after } from "./provider/front.mjs";
import { gatewayFor, jwtOf } from "./provider/gateway.mjs";
import { makeSigningKey } from "./provider/keys.mjs";
import { startProvider } from "./provider/provider.mjs";
import { tally } from "./support/policies.mjs";

const REFETCH_MS = 30_000;

test("many first tokens of a new key at once are all admitted, and do not flood the issuer", async (t) => {
  const provider = await startProvider();
  const gateway = await gatewayFor({ authenticators: { accounts: jwtOf(provider) }, clocked: true });
  t.after(() => Promise.all([gateway.stop(), provider.stop()]));
  const machine = await clientOf(provider, "machine");
  const token = async () => (await machine.credentials()).access_token;
  const [first, old] = [await token(), await token()];
  assert.equal((await gateway.bearer(first)).status, 200);
  provider.rotate([await makeSigningKey(), ...provider.keys()]);
  await gateway.moveClock(REFETCH_MS);
  let release;
  provider.keySets.answer = after(new Promise((resolve) => (release = resolve)));
  const tokens = await Promise.all(Array.from({ length: 16 }, token));
  const answers = Promise.all(tokens.map((text) => gateway.bearer(text)));
  assert.equal((await gateway.bearer(old)).status, 200, "the old key is served meanwhile");
  release();
  assert.deepEqual(tally((await answers).map(({ status }) => status)), { 200: 16 });
  assert.equal(provider.keySets.asked, 2);
});
