// What of an origin's answer leaves, and which fields reach the origin: objects and fields that not everybody may have.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { httpOrigin, Response, start } from "./harness.mjs";
import { policyOf } from "./support/policy.mjs";

const JSON_TYPE = { "content-type": "application/json" };
const CANARY = "canary-5b1e77a0";
const OWN = { response: { allow: "body.owner == path.id" } };
const ANY = { response: { allow: "true" } };
const FIELDS = {
  response: {
    fields: [
      { pointer: "/secret", read: "false" },
      { pointer: "/items/*/cost", read: "false", mask: "***" },
    ],
  },
};
const WRITES = (on_refusal) => ({
  request: { fields: [{ pointer: "/items/*/price", write: "request.headers['x-role'] == 'admin'", on_refusal }] },
});

let gateway;
let answer;

before(async () => {
  const policy = policyOf({
    "GET,HEAD /own/{id}": OWN,
    "GET /hidden/{id}": { response: { ...OWN.response, refused_as: "not_found" } },
    "GET /watched/{id}": { response: { ...OWN.response, mode: "observe" } },
    "GET /fields": FIELDS,
    "GET /small": { response: { allow: "true", max_bytes: 1_000 } },
    "GET /schema": { response: { body: { required: ["a"] } } },
    "POST /refuse": WRITES("refuse"),
    "POST /strip": WRITES("strip"),
  });
  gateway = await start({ policy, origin: (request) => answer(request) });
});

after(() => gateway?.stop());

const json = (text, init = {}) => new Response(text, { ...init, headers: { ...JSON_TYPE, ...init.headers } });

test("an object of somebody else does not leave, and nothing that came with it", async () => {
  answer = () => json(`{"owner":"8","x":"${CANARY}"}`, { headers: { "set-cookie": CANARY, "x-tell": CANARY } });
  const refused = await gateway.fetch("/own/7");
  const text = await refused.text();
  assert.deepEqual([refused.status, JSON.parse(text).code], [403, "access-denied"]);
  assert.ok(!(text + JSON.stringify([...refused.headers])).includes(CANARY));
  const line = await gateway.decisionOf(refused);
  assert.deepEqual([line.reason, line.stage, line.origin.status], ["object_refused", "released", 200]);
  const own = await gateway.fetch("/own/8");
  assert.equal(await own.text(), `{"owner":"8","x":"${CANARY}"}`);
  assert.equal(own.headers.get("set-cookie"), CANARY);
});

test("hidden is answered as what is not there, but for the id of the request", async () => {
  const seen = [];
  for (const told of [() => json('{"owner":"8"}'), () => new Response("no such thing", { status: 404 })]) {
    answer = told;
    const response = await gateway.fetch("/hidden/7");
    const id = response.headers.get("x-request-id");
    const headers = [...response.headers].filter(([name]) => name !== "x-request-id");
    seen.push([response.status, headers, (await response.text()).replaceAll(id, "")]);
  }
  assert.equal(seen[0][0], 404);
  assert.deepEqual(seen[0], seen[1]);
});

test("what no rule names keeps its bytes, and the fields of the answer tell the truth", async () => {
  const text = '{ "n":1.0, "secret":{"a":[1]}, "big":12345678901234567890, "items":[{"cost":1e2,"e":1e2}] }';
  answer = () =>
    json(text, { headers: { etag: '"a"', "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT", "content-digest": "x", "accept-ranges": "bytes" } });
  const response = await gateway.fetch("/fields");
  const cut = '{ "n":1.0, "big":12345678901234567890, "items":[{"cost":"***","e":1e2}] }';
  assert.equal(await response.text(), cut);
  for (const name of ["etag", "last-modified", "content-digest", "accept-ranges", "content-encoding"]) {
    assert.equal(response.headers.get(name), null, name);
  }
  assert.ok([null, String(cut.length)].includes(response.headers.get("content-length")));
  assert.equal(response.headers.get("cache-control"), "private, no-cache");
  assert.deepEqual((await gateway.decisionOf(response)).fields, [
    { pointer: "/secret", act: "removed" },
    { pointer: "/items/*/cost", act: "masked" },
  ]);
});

test("an answer is asked for whole, and a HEAD by its content", async () => {
  answer = () => json('{"owner":"7"}');
  const headers = { range: "bytes=0-1", "if-none-match": '"a"', "accept-encoding": "br" };
  assert.equal((await gateway.fetch("/own/7", { headers })).status, 200);
  const asked = gateway.originRequests.at(-1);
  assert.deepEqual([asked.headers.range, asked.headers["if-none-match"]], [undefined, undefined]);
  assert.equal(asked.headers["accept-encoding"], "identity");
  const head = await gateway.fetch("/own/7", { method: "HEAD" });
  assert.deepEqual([head.status, await head.text(), gateway.originRequests.at(-1).method], [200, "", "GET"]);
  assert.equal((await gateway.fetch("/own/9", { method: "HEAD" })).status, 403);
});

test("what cannot be judged is kept back, and an error keeps its status alone", async () => {
  for (const [told, status, code] of [
    [() => json('{"owner":"7"', {}), 502, "origin-invalid"],
    [() => json('{"owner":"8","owner":"7"}'), 502, "origin-invalid"],
    [() => new Response("<p>", { headers: { "content-type": "text/html" } }), 502, "origin-invalid"],
    [() => new Response('{"owner":"7"}\n', { headers: { "content-type": "application/x-ndjson" } }), 502, "origin-invalid"],
    [() => json('{"owner":"7"}', { status: 206 }), 502, "origin-invalid"],
    [() => json(`${"[".repeat(300_000)}`), 502, "origin-invalid"],
    [() => new Response(null, { status: 204 }), 403, "access-denied"],
    [() => new Response(CANARY, { status: 409, headers: { "content-type": "text/html" } }), 409, null],
    [() => new Response(CANARY, { status: 500, headers: { "content-type": "text/html" } }), 502, "origin-invalid"],
  ]) {
    answer = told;
    const response = await gateway.fetch("/own/7");
    const text = await response.text();
    assert.equal(response.status, status, text);
    if (code) assert.equal(JSON.parse(text).code, code);
    else assert.equal(text, "");
  }
});

test("an answer that is too large is not held", async () => {
  answer = () => json(JSON.stringify("x".repeat(998)));
  assert.equal((await gateway.fetch("/small")).status, 200);
  answer = () => json(JSON.stringify("x".repeat(999)));
  const response = await gateway.fetch("/small");
  assert.equal(response.status, 502);
  assert.equal((await gateway.decisionOf(response)).reason, "answer_too_large");
});

test("observe passes what came, and says what it would have done", async () => {
  answer = () => json('{"owner":"8"}', { headers: { etag: '"a"' } });
  const response = await gateway.fetch("/watched/7");
  assert.deepEqual([response.status, await response.text(), response.headers.get("etag")], [200, '{"owner":"8"}', '"a"']);
  const line = await gateway.decisionOf(response);
  assert.deepEqual([line.verdict, line.reason], ["observed", "object_refused"]);
  answer = () => json("{}");
  const formed = await gateway.fetch("/schema");
  assert.deepEqual([formed.status, (await gateway.decisionOf(formed)).reason], [200, "answer_schema"]);
});

test("a field that a caller may not set refuses the request or does not reach the origin", async () => {
  answer = () => json("{}");
  const body = `{ "n":1.0, "items":[ {"price":"${CANARY}","q":2} ] }`;
  const post = (path, headers) => gateway.fetch(path, { method: "POST", body, headers: { ...JSON_TYPE, ...headers } });
  const refused = await post("/refuse", { "x-role": "guest" });
  const text = await refused.text();
  assert.deepEqual([refused.status, JSON.parse(text).errors[0].pointer], [403, "/items/0/price"]);
  assert.ok(!text.includes(CANARY));
  assert.equal((await post("/refuse", { "x-role": "admin" })).status, 200);
  assert.equal((await post("/strip", { "x-role": "guest" })).status, 200);
  assert.equal(gateway.originRequests.at(-1).body.toString(), '{ "n":1.0, "items":[ {"q":2} ] }');
});

test("over a network: coded answers are read as they are, and what no rule names is not waited for", async () => {
  const origin = await httpOrigin((request, response) => {
    if (request.url === "/coded") {
      response.writeHead(200, { ...JSON_TYPE, "content-encoding": "gzip", etag: '"a"' });
      return response.end(gzipSync('{"secret":1,"a":2}'));
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: first\n\n"); // and it goes on
  });
  const policy = policyOf({ "GET /coded": FIELDS, "GET /stream": {}, "GET /judged": ANY }, { url: origin.url });
  const real = await start({ policy });
  try {
    const coded = await real.fetch("/coded");
    assert.deepEqual([coded.status, await coded.text(), coded.headers.get("etag")], [200, '{"a":2}', null]);
    const stream = await real.fetch("/stream");
    const reader = stream.body.getReader();
    const first = Buffer.from((await reader.read()).value).toString();
    assert.equal(first, "data: first\n\n");
    await reader.cancel();
    assert.equal((await real.fetch("/judged")).status, 502);
  } finally {
    await real.stop();
    await origin.stop();
  }
});
