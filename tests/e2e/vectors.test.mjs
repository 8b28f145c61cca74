// Published signatures through the edge's own verifier. Their tokens are too old and too bare to be admitted, so the
// log's reason tells: a good signature is refused for what the token says, a changed one for the signature.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Response, start } from "./harness.mjs";
import { HOST, from, policyOf } from "./support/policies.mjs";

const vectors = JSON.parse(readFileSync(new URL("../vectors/jws.json", import.meta.url), "utf8"));
// RFC 8037 A.4 signs text that is no token: it is checked natively alone.
const tokens = vectors.filter(({ source }) => source.startsWith("RFC 7515"));

for (const { source, alg, jwk, jws } of tokens) {
  test(`${source}: the published signature verifies, one changed character does not`, async () => {
    const accounts = { kind: "jwt", issuer: "joe", audiences: ["a"], algorithms: [alg], jwks: { keys: [jwk] } };
    const policy = policyOf({ authenticators: { accounts }, routes: [{ auth: ["accounts"] }] });
    const gateway = await start({ policy, origin: () => new Response("ok") });
    const at = jws.lastIndexOf(".") + 5;
    const changed = jws.slice(0, at) + (jws[at] === "A" ? "B" : "A") + jws.slice(at + 1);
    for (const token of [jws, changed]) {
      const answer = await gateway.fetch(`${HOST}/orders`, { headers: from("192.0.2.1", { authorization: `Bearer ${token}` }) });
      assert.equal(answer.status, 401);
    }
    const lines = await gateway.decisions();
    assert.deepEqual(lines.map((line) => line.reason), ["token_claim", "token_signature"]);
    await gateway.stop();
  });
}
