// Every request, refused or not, leaves exactly one line, and the lines form a chain.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { Response, start } from "./harness.mjs";
import { HOST, PEPPER, from, keyFor, policyOf, window } from "./support/policies.mjs";

const AUDIT_KEY = "a key for the chain";

test("each request leaves one line: admitted, refused at any stage, preflight and own page", async () => {
  const key = keyFor("alice");
  const policy = policyOf({
    limits: { ip: window("ip", 100) },
    authenticators: { keys: { kind: "api_key" } },
    cors: { origins: ["https://app.example"] },
    routes: [
      {},
      { auth: ["keys"], match: { methods: ["POST"], path: "/orders" }, request: { max_bytes: 32, body: { type: "object" } } },
      { auth: ["keys"], match: { methods: ["GET"], path: "/admin" }, require: { scopes: ["admin"] } },
    ],
  });
  const origin = () => new Response("ok");
  const gateway = await start({ policy, kv: Object.fromEntries([key.entry]), vars: { KEY_PEPPER: PEPPER, AUDIT_KEY }, origin });
  const keyed = (more) => from("192.0.2.1", { "x-api-key": key.text, ...more });
  const json = { "content-type": "application/json" };
  const requests = [
    ["GET", "/orders", from("192.0.2.1"), , 200, undefined],
    ["HEAD", "/orders", from("192.0.2.1"), , 200, undefined],
    ["GET", "/nothing", from("192.0.2.1"), , 404, "no_route"],
    ["DELETE", "/orders", from("192.0.2.1"), , 405, "other_method"],
    ["GET", "/a%2fb", from("192.0.2.1"), , 400, "ambiguous_path"],
    ["POST", "/orders", from("192.0.2.1", json), "{}", 401, "no_credential"],
    ["POST", "/orders", from("192.0.2.1", { ...json, "x-api-key": "ew_live_x" }), "{}", 401, "key_malformed"],
    ["GET", "/admin", keyed(), , 403, "missing_scopes"],
    ["POST", "/orders", keyed({ "content-type": "text/plain" }), "{}", 415, "media_type"],
    ["POST", "/orders", keyed(json), "[]", 422, "invalid"],
    ["POST", "/orders", keyed(json), `{"a":"${"x".repeat(40)}"}`, 413, "too_large"],
    ["POST", "/orders", keyed(json), "{}", 200, undefined],
    ["OPTIONS", "/orders", from("192.0.2.1", { origin: "https://app.example", "access-control-request-method": "GET" }), , 204, undefined],
    ["GET", "/.edgeward/health", from("192.0.2.1"), , 200, undefined],
    ["GET", "/.edgeward/nothing", from("192.0.2.1"), , 404, "no_route"],
  ];
  const ids = [];
  for (const [method, path, headers, body, status] of requests) {
    const answer = await gateway.fetch(HOST + path, { method, headers, body });
    await answer.arrayBuffer();
    assert.equal(answer.status, status, `${method} ${path}`);
    ids.push(answer.headers.get("x-request-id"));
  }
  const lines = await gateway.decisions();
  assert.deepEqual(lines.map((line) => line.request_id), ids);
  assert.deepEqual(lines.map((line) => line.reason), requests.map((request) => request[5]));
  assert.deepEqual(lines.map((line) => line.status), requests.map((request) => request[4]));
  checkChain(gateway.lines.map(({ message }) => message).filter((text) => text.includes('"event":"decision"')));
  const all = JSON.stringify(gateway.lines);
  assert.ok(!all.includes(key.text.split("_").at(-1)), "a secret stands in the log");
  await gateway.stop();
});

/** The MAC of a line is over its text with `chain` but without `chain.mac`; `prev` is the MAC before. */
function checkChain(texts) {
  let prev = "A".repeat(43);
  for (const text of texts) {
    const { chain } = JSON.parse(text);
    assert.equal(chain.prev, prev);
    const unsigned = text.replace(`,"mac":"${chain.mac}"`, "");
    assert.equal(createHmac("sha256", AUDIT_KEY).update(unsigned).digest("base64url"), chain.mac);
    prev = chain.mac;
  }
}
