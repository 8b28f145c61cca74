// Where the policy comes from, and what a bad one does: nothing, but be told of.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Response, start } from "./harness.mjs";
import { HOST, from, policyOf } from "./support/policies.mjs";

const origin = (request) => new Response(new URL(request.url).pathname);
const ask = (gateway, path = "/orders") => gateway.fetch(HOST + path, { headers: from("192.0.2.1") });
const policyLines = (gateway) =>
  gateway.lines.map(({ message }) => message).filter((text) => text.includes('"event":"policy"')).map((text) => JSON.parse(text));

test("without a policy every request answers 503, and the gateway's own pages stay", async () => {
  const gateway = await start({ origin });
  const answer = await ask(gateway);
  assert.equal(answer.status, 503);
  assert.equal((await answer.json()).code, "policy-unavailable");
  assert.ok(Number(answer.headers.get("retry-after")) >= 1);
  assert.equal((await ask(gateway, "/.edgeward/health")).status, 503);
  assert.equal((await ask(gateway, "/.edgeward/problems/policy-unavailable")).status, 200);
  assert.equal(gateway.originRequests.length, 0);
  await gateway.stop();
});

test("a policy that does not load answers 503 and says everything that is wrong with it", async () => {
  const policy = policyOf({ routes: [{ auth: undefined, limits: ["none"], colour: "red" }, { allow: "user.id == 1" }] });
  const gateway = await start({ policy, origin });
  assert.equal((await ask(gateway)).status, 503);
  await gateway.decisions(1);
  const [line] = policyLines(gateway);
  assert.equal(line.verdict, "refused");
  for (const place of ["/routes/0/auth", "/routes/0/colour"]) {
    assert.ok(line.faults.some((fault) => fault.startsWith(place)), `${place} in ${line.faults.join("\n")}`);
  }
  await gateway.stop();
});

test("faults that the shape does not show are told together too", async () => {
  const policy = policyOf({
    routes: [{ limits: ["none"] }, { allow: "user.id == 1" }, { origin: "nowhere", match: { methods: ["GET"], path: "/x" } }],
  });
  const gateway = await start({ policy, origin });
  await ask(gateway);
  await gateway.decisions(1);
  const places = policyLines(gateway)[0].faults.map((fault) => fault.split(":")[0]);
  assert.deepEqual(places, ["/routes/0/limits/0", "/routes/1/allow", "/routes/1/match/path", "/routes/2/origin"]);
  await gateway.stop();
});

test("the POLICY var wins over the store, as text or as JSON", async () => {
  const other = policyOf({ routes: [{ match: { methods: ["GET"], path: "/other" } }] });
  for (const POLICY of [policyOf(), JSON.stringify(policyOf())]) {
    const gateway = await start({ policy: other, vars: { POLICY }, origin });
    assert.equal((await ask(gateway)).status, 200);
    assert.equal((await ask(gateway, "/other")).status, 404);
    await gateway.stop();
  }
});

test("a changed policy is in force within 30 s, a bad one leaves the last good one, and no request fails", async () => {
  const gateway = await start({ policy: policyOf(), origin });
  const failures = [];
  const until = async (path, status) => {
    const began = Date.now();
    while (Date.now() - began < 30_000) {
      const [held, changing] = [await ask(gateway), await ask(gateway, path)];
      if (held.status !== 200) failures.push(held.status);
      if (![404, status].includes(changing.status)) failures.push(changing.status);
      if (changing.status === status) return;
      await sleep(200);
    }
    assert.fail(`${path} did not become ${status} in 30 s`);
  };
  const more = policyOf({ routes: [{}, { match: { methods: ["GET"], path: "/more" } }] });
  await gateway.kv.put("policy/active", JSON.stringify(more));
  await until("/more", 200);
  await gateway.kv.put("policy/active", '{"name":');
  const told = () => policyLines(gateway).some((line) => line.verdict === "refused");
  for (const began = Date.now(); !told() && Date.now() - began < 30_000; await sleep(200)) {
    assert.equal((await ask(gateway, "/more")).status, 200);
  }
  assert.ok(told(), "the bad policy was not told of");
  assert.equal((await ask(gateway, "/more")).status, 200);
  assert.deepEqual(failures, []);
  await gateway.stop();
});
