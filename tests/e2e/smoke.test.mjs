// The build itself: its Durable Object takes RPC, and a panic ends one request only.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "./harness.mjs";

let gateway;

before(async () => {
  gateway = await start();
});

after(() => gateway.stop());

test("the Durable Object takes calls by RPC", async () => {
  const limiter = await object("rpc");
  assert.equal(await limiter.charge("q"), "q1");
  assert.equal(await limiter.charge("q"), "q2");
});

test("a panic ends its own request only: it is answered, and the Durable Object keeps its count", async () => {
  const limiter = await object("panic");
  assert.equal(await limiter.charge("q"), "q1");
  const answers = await Promise.all([1, 2, 3].map(() => gateway.fetch("/panic")));
  for (const answer of answers) {
    assert.equal(answer.status, 500);
    assert.match(await answer.text(), /PanicError/); // an instance that was lost says "hung" instead
  }
  assert.equal(await limiter.charge("q"), "q2");
});

async function object(name) {
  const namespace = await gateway.miniflare.getDurableObjectNamespace("LIMITER");
  return namespace.get(namespace.idFromName(name));
}
