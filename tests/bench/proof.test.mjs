// The proof that a variant makes its checks, against workers that leave one out.
import assert from "node:assert/strict";
import test from "node:test";
import { BAD_BODY, PATH } from "../../benches/gateway/policy.mjs";
import { proveIdentity, proveLimit, proveRefusals } from "../../benches/gateway/proof.mjs";

const TOKEN = "head.claims.signature";

/** A worker that checks everything, but for what it is told to leave out. */
function worker(leftOut, limit = Infinity) {
  let admitted = 0;
  const refusal = ({ path, headers, body }) => {
    const checks = {
      path: [path !== PATH, 404],
      credential: [!headers.authorization, 401],
      signature: [headers.authorization !== `Bearer ${TOKEN}`, 401],
      json: [body === "{", 400],
      schema: [body === BAD_BODY, 422],
      limit: [admitted >= limit, 429],
    };
    return Object.entries(checks).find(([check, [holds]]) => holds && check !== leftOut)?.[1][1];
  };
  const ask = async (call) => {
    const status = refusal(call) ?? 200;
    admitted += status === 200 ? 1 : 0;
    const seen = { user: "caller", statement: "", credential: leftOut === "credential kept" ? "Bearer" : "" };
    return { status, text: JSON.stringify(seen) };
  };
  return { ask, firstAnswer: ask };
}

test("a worker that makes every check passes", async () => {
  await proveRefusals(worker(), {}, TOKEN);
  await proveLimit(worker(undefined, 3), {}, TOKEN, 3);
  await proveIdentity(worker(), {}, TOKEN, { user: /^caller$/ });
});

test("a worker that leaves one check out does not", async () => {
  for (const check of ["path", "signature", "json", "schema"]) {
    await assert.rejects(proveRefusals(worker(check), {}, TOKEN), check);
  }
  const withoutToken = worker("credential");
  const lax = { ask: (call) => (call.headers.authorization ? withoutToken.ask(call) : { status: 200, text: "" }) };
  await assert.rejects(proveRefusals(lax, {}, TOKEN), /no token/);
});

test("one more than the limit, and one fewer, are both found", async () => {
  await assert.rejects(proveLimit(worker(undefined, 4), {}, TOKEN, 3), /over the limit/);
  await assert.rejects(proveLimit(worker(undefined, 2), {}, TOKEN, 3), /request 3 of 3/);
});

test("an origin that sees the credential, or hears of another caller, is found", async () => {
  await assert.rejects(proveIdentity(worker("credential kept"), {}, TOKEN, {}), /credential/);
  await assert.rejects(proveIdentity(worker(), {}, TOKEN, { user: /^another$/ }), /user/);
});
