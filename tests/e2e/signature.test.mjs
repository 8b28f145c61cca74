// The signature of each request to its origin, as WebCrypto makes it under workerd: verified on the other side of a
// real connection, by the recipe of docs/IDENTITY.md and nothing of the gateway's.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { httpOrigin, start } from "./harness.mjs";
import { identityKey } from "./support/identity.mjs";
import { policyOf } from "./support/policy.mjs";
import { send } from "./support/raw.mjs";
import { recipeModule } from "./support/recipes.mjs";

const ROUTES = {
  "GET,PUT,POST /a/{*rest}": {},
  "POST /judged": { request: { body: { type: "object" } } },
  "POST /small": { request: { max_bytes: 10 } },
};
const FORGED = ["Signature: edgeward=:AAAA:", 'Signature-Input: edgeward=("@method");created=1', "Content-Digest: md5=:AAAA:"];

let origin;
let gateway;
let key;
let verifyRequest;

before(async () => {
  key = await identityKey();
  ({ verifyRequest } = await recipeModule("message.mjs"));
  origin = await httpOrigin(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    origin.requests.at(-1).body = Buffer.concat(parts);
    response.end("ok");
  });
  gateway = await begin({});
});

beforeEach(() => {
  origin.requests.length = 0;
});

after(async () => {
  await gateway?.stop();
  await origin?.stop();
});

function begin(signature, { vars, routes = ROUTES, ...rules } = {}) {
  const policy = policyOf(routes, { url: origin.url });
  Object.assign(policy.origins.api, { signature, ...rules });
  return start({ policy, vars: { IDENTITY_KEY: JSON.stringify(key), ...vars } });
}

/** The last request that reached the origin; `change` is laid over it. */
function arrived(change = {}) {
  const { method, url, headers, body } = { ...origin.requests.at(-1), ...change };
  const content = ["GET", "HEAD"].includes(method) ? undefined : body;
  return new Request(new URL(url, origin.url), { method, headers, body: content });
}

async function keysOf(its) {
  return (await (await its.fetch("/.edgeward/jwks.json")).json()).keys;
}

test("what arrives verifies with the published keys, whatever path, query and content it has", async () => {
  const keys = await keysOf(gateway);
  const large = randomBytes(1_048_576);
  for (const [method, target, body] of [
    ["GET", "/a/b"],
    ["GET", "/a/b?"],
    ["GET", "/a/b?x=1&y=2&x=3"],
    ["GET", "/a/b%20c/%7Euser/%C3%A9?q=%20+%26&z='%22%3C%3E"],
    ["GET", "/a/!$&'()*+,=:@-._~?a=!$'()*,:@/?"],
    ["GET", "/a/b?q=a|b^c`d{e}"],
    ["PUT", "/a/b", ""],
    ["PUT", "/a/b?c", "x"],
    ["POST", "/a/b", "{ }\r\n"],
    ["POST", "/judged", '{"b":1,  "a":2}'],
    ["POST", "/a/b", large],
  ]) {
    const headers = body === undefined ? [] : [`Content-Length: ${body.length}`, "Content-Type: application/json"];
    const { status } = await send(gateway.url, { method, target, headers: [...headers, ...FORGED], body });
    assert.equal(status, 200, target);
    await verifyRequest(arrived(), keys);
  }
});

test("content that came in chunks is covered too, and nothing is sent that could not be", async () => {
  const chunked = (text) => ({
    method: "POST",
    headers: ["Transfer-Encoding: chunked"],
    body: `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`,
  });
  assert.equal((await send(gateway.url, { target: "/small", ...chunked("0123456789") })).status, 200);
  await verifyRequest(arrived(), await keysOf(gateway));
  assert.equal((await send(gateway.url, { target: "/small", ...chunked("0123456789a") })).status, 413);
  assert.equal(origin.requests.length, 1);
});

test("content that is not what its caller says goes no further", async () => {
  const headers = { "content-digest": "sha-256=:AAAA:" };
  const answer = await gateway.fetch("/a/b", { method: "POST", headers, body: "hello" });
  assert.deepEqual([answer.status, (await answer.json()).code], [400, "malformed-request"]);
  assert.deepEqual(origin.requests, []);
  const right = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:";
  const { status } = await gateway.fetch("/a/b", { method: "POST", headers: { "content-digest": right }, body: "hello" });
  assert.equal(status, 200);
});

test("changed on its way, late, early or for another purpose, it does not verify", async () => {
  const keys = await keysOf(gateway);
  await gateway.fetch("/a/b?c=1", { method: "POST", body: "hello" });
  const { headers } = origin.requests.at(-1);
  const nowS = Date.now() / 1_000;
  await verifyRequest(arrived(), keys, { nowS: nowS + 50 });
  const other = await identityKey();
  for (const [what, change, options, known = keys] of [
    ["signature", { method: "PUT" }],
    ["signature", { url: "/a/c?c=1" }],
    ["signature", { url: "/a/b?c=2" }],
    ["signature", {}, { authority: "other.example" }],
    ["content", { body: Buffer.from("hellp") }],
    ["content", { body: Buffer.alloc(0) }],
    ["signature", { headers: { ...headers, "content-digest": "sha-256=:AAAA:" } }],
    ["signature", { headers: { ...headers, "edgeward-identity": "a.b.c" } }],
    ["what is signed", { headers: { ...headers, "signature-input": headers["signature-input"].replace(' "content-digest"', "") } }],
    ["what is signed", { headers: { ...headers, "signature-input": "" } }],
    ["when", {}, { nowS: nowS + 61 }],
    ["when", {}, { nowS: nowS - 30 }],
    ["what for", {}, { tag: "another" }],
    ["by whom", {}, {}, [other]],
    ["signature", {}, {}, [{ ...other, kid: key.kid }]],
  ]) {
    await assert.rejects(verifyRequest(arrived(change), known, options), new RegExp(`sent it: .*${what}`), what);
  }
});

test("a request is signed by the new key while those of the key before still verify", async (t) => {
  await gateway.fetch("/a/b", { method: "POST", body: "hello" });
  const before = arrived();
  const old = key;
  key = await identityKey();
  t.after(() => (key = old));
  const rotated = await begin({}, { vars: { IDENTITY_KEY_PREVIOUS: JSON.stringify(old) } });
  t.after(() => rotated.stop());
  await rotated.fetch("/a/b", { method: "POST", body: "hello" });
  const keys = await keysOf(rotated);
  assert.match(arrived().headers.get("signature-input"), new RegExp(`keyid="${key.kid}"`));
  for (const request of [before, arrived()]) await verifyRequest(request, keys);
  await assert.rejects(verifyRequest(arrived(), [old]), /by whom/);
});

test("where only what is read is covered, large content streams and says that it is not", async (t) => {
  const routes = { ...ROUTES, "POST /large": { request: { max_bytes: 20 << 20 } } };
  const its = await begin({ content_digest: "when_read" }, { routes });
  t.after(() => its.stop());
  const keys = await keysOf(its);
  const headers = { "content-type": "application/json", "content-digest": "md5=:AAAA:" };
  await its.fetch("/judged", { method: "POST", headers, body: "{}" });
  await verifyRequest(arrived(), keys);
  const content = Buffer.alloc(9 << 20);
  const lines = ["Content-Type: application/json", `Content-Length: ${content.length}`, ...FORGED];
  assert.equal((await send(its.url, { method: "POST", target: "/large", headers: lines, body: content })).status, 200);
  assert.equal(origin.requests.at(-1).body.length, content.length);
  assert.equal(origin.requests.at(-1).headers["content-digest"], undefined);
  await assert.rejects(verifyRequest(arrived(), keys), /what is signed/);
  const { verifyRequest: verifyHead } = await recipeModule("message.mjs", (text) =>
    text.replace(' "content-digest"', "").replace(/must\(field\("content-digest"\).*/, ""),
  );
  await verifyHead(arrived(), keys);
});

test("content too large for a digest is a policy that does not load", async (t) => {
  const routes = { "POST /large": { request: { max_bytes: (8 << 20) + 1 } } };
  const its = await begin({}, { routes });
  t.after(() => its.stop());
  assert.equal((await its.fetch("/large", { method: "POST", body: "x" })).status, 503);
  assert.match(its.lines.map(({ message }) => message).join("\n"), /content whose digest is signed has at most 8388608 bytes/);
});
