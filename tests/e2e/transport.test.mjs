// What a connection and a request's frame must be before anything else is looked at.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { httpOrigin, Response, start } from "./harness.mjs";
import { perMinute, policyOf } from "./support/policy.mjs";
import { codeOf, send, valuesOf } from "./support/raw.mjs";

const TARGET_BYTES_MAX = 8_192;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let strict; // as transport is by default
let plain; // http is allowed
let plainOrigin;

before(async () => {
  const origin = () => new Response("open");
  const routes = { "GET,POST /open": {}, "GET /counted": { limits: ["two"] }, "GET /closed": { auth: ["keys"] } };
  const members = {
    network: {
      deny_cidrs: ["203.0.113.0/24", "2001:db8:bad::/48"],
      deny_countries: ["KP", "T1", "XX"],
    },
    cors: { origins: ["https://app.test"] },
    authenticators: { keys: { kind: "api_key" } },
    limits: { two: perMinute("ip", 2) },
  };
  const vars = { KEY_PEPPER: "a pepper of tests, long enough to be one" };
  plainOrigin = await httpOrigin((request, response) => {
    request.resume();
    response.end("open");
  });
  strict = await start({ policy: policyOf(routes, { ...members, transport: undefined }), origin, vars });
  plain = await start({ policy: policyOf(routes, { url: plainOrigin.url, ...members }), vars });
});

after(async () => {
  await Promise.all([strict, plain].map((gateway) => gateway?.stop()));
  await plainOrigin?.stop();
});

// The answer's `Upgrade` field is not looked for: workerd takes it off.
test("plain http is refused and told what to use, never redirected", async () => {
  for (const path of ["/open", "/none", "/closed"]) {
    const answer = await strict.fetch(`http://gateway.test${path}`);
    assert.equal(answer.status, 426, path);
    assert.equal((await answer.json()).code, "upgrade-required");
    assert.equal(answer.headers.get("location"), null);
  }
  assert.equal(strict.originRequests.length, 0);
});

test("a TLS version under 1.2, and one that is not told, is too old", async () => {
  for (const [tlsVersion, status] of [
    ["TLSv1.3", 200],
    ["TLSv1.2", 200],
    ["TLSv1.1", 426],
    ["TLSv1", 426],
    ["SSLv3", 426],
    ["TLSv1.20", 426],
    ["", 426],
    [undefined, 426],
  ]) {
    const answer = await strict.fetch("https://gateway.test/open", { cf: { tlsVersion } });
    assert.equal(answer.status, status, String(tlsVersion));
  }
});

test("min_tls 1.3 refuses 1.2", async (t) => {
  const policy = policyOf({ "GET /open": {} }, { transport: { min_tls: "1.3" } });
  const gateway = await start({ policy, origin: () => new Response("open") });
  t.after(() => gateway.stop());
  for (const [tlsVersion, status] of [["TLSv1.3", 200], ["TLSv1.2", 426]]) {
    const answer = await gateway.fetch("https://gateway.test/open", { cf: { tlsVersion } });
    assert.equal(answer.status, status, tlsVersion);
  }
});

test("Strict-Transport-Security is told over https alone, on refusals too", async () => {
  const year = "max-age=31536000; includeSubDomains";
  for (const [gateway, url, status, expected] of [
    [strict, "https://gateway.test/open", 200, year],
    [strict, "https://gateway.test/none", 404, year],
    [strict, "https://gateway.test/.edgeward/health", 200, year],
    [strict, "http://gateway.test/open", 426, null],
    [plain, "http://gateway.test/open", 200, null],
    [plain, "http://gateway.test/.edgeward/health", 200, null],
    [plain, "https://gateway.test/open", 200, year],
  ]) {
    const answer = await gateway.fetch(url);
    assert.equal(answer.status, status, url);
    assert.equal(answer.headers.get("strict-transport-security"), expected, url);
  }
});

test("whatever is made here is not stored, is not sniffed and names its request", async () => {
  const seen = new Set();
  const preflight = { origin: "https://app.test", "access-control-request-method": "GET" };
  for (const [status, path, init] of [
    [200, "/.edgeward/health"],
    [200, "/.edgeward/problems/route-not-found"],
    [404, "/.edgeward/none"],
    [405, "/.edgeward/health", { method: "POST" }],
    [204, "/open", { method: "OPTIONS", headers: preflight }],
    [400, "/open//"],
    [401, "/closed"],
    [403, "/open", { cf: { country: "KP" } }],
    [404, "/none"],
    [405, "/open", { method: "DELETE" }],
    [426, "http://gateway.test/open"],
  ]) {
    const headers = { "x-request-id": "00000000-0000-4000-8000-000000000000", ...init?.headers };
    const answer = await strict.fetch(new URL(path, "https://gateway.test").href, { ...init, headers });
    const told = Object.fromEntries(answer.headers);
    assert.equal(answer.status, status, path);
    assert.equal(told["cache-control"], "no-store", path);
    assert.equal(told["x-content-type-options"], "nosniff", path);
    assert.equal(told["content-security-policy"], "default-src 'none'; frame-ancestors 'none'", path);
    assert.match(told["x-request-id"], UUID, path);
    if (status >= 400) assert.equal((await answer.json()).instance, `urn:uuid:${told["x-request-id"]}`);
    seen.add(told["x-request-id"]);
  }
  assert.equal(seen.size, 11, "a caller's x-request-id is never taken for ours");
  assert.equal(strict.originRequests.some(({ url }) => url.includes("none")), false);
});

test("path and query together have a bounded length", async () => {
  for (const [bytes, status] of [[TARGET_BYTES_MAX, 200], [TARGET_BYTES_MAX + 1, 414], [16_384, 414]]) {
    const query = "q".repeat(bytes - "/open".length);
    assert.equal((await plain.fetch(`/open?${query}`)).status, status, `${bytes} in the query`);
  }
  for (const [bytes, status] of [[TARGET_BYTES_MAX, 404], [TARGET_BYTES_MAX + 1, 414]]) {
    assert.equal((await plain.fetch(`/${"p".repeat(bytes - 1)}`)).status, status, `${bytes} in the path`);
  }
});

test("header fields have a bounded number and a bounded size", async () => {
  const fields = (count, bytes) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-h-${index}`, "v".repeat(bytes)]));
  for (const [count, bytes, status] of [
    [110, 1, 200],
    [129, 1, 431],
    [1_000, 1, 431],
    [16, 1_900, 200],
    [16, 2_049, 431],
    [1, 31_000, 200],
    [1, 32_768, 431],
  ]) {
    const answer = await plain.fetch("/open", { headers: fields(count, bytes) });
    assert.equal(answer.status, status, `${count} fields of ${bytes} bytes`);
    if (status === 431) assert.equal((await answer.json()).code, "headers-too-large");
  }
});

test("denied networks and countries are refused, in every spelling of an address", async () => {
  for (const [ip, country, status] of [
    ["203.0.113.0", "US", 403],
    ["203.0.113.255", "US", 403],
    ["203.0.112.255", "US", 200],
    ["203.0.114.0", "US", 200],
    ["::ffff:203.0.113.7", "US", 403],
    ["::FFFF:cb00:7107", "US", 403],
    ["2001:db8:bad::1", "US", 403],
    ["2001:0DB8:0BAD:ffff::1", "US", 403],
    ["2001:db8:bae::1", "US", 200],
    ["198.51.100.1", "KP", 403],
    ["198.51.100.1", "T1", 403],
    ["198.51.100.1", undefined, 403], // `XX`, unknown, is denied too
    ["198.51.100.1", "KR", 200],
  ]) {
    const answer = await plain.fetch("/open", { headers: { "cf-connecting-ip": ip }, cf: { country } });
    assert.equal(answer.status, status, `${ip} ${country}`);
    if (status === 403) assert.equal((await answer.json()).code, "access-denied");
  }
});

test("an address that is none is refused", async () => {
  for (const ip of ["nonsense", "203.0.114.256", "203.0.114.01", "2001:db8::1%eth0", "203.0.114.1, 203.0.114.2"]) {
    const answer = await plain.fetch("/open", { headers: { "cf-connecting-ip": ip } });
    assert.equal(answer.status, 400, ip);
  }
});

test("no header but the platform's moves a caller to another limit", async () => {
  const statuses = [];
  for (const name of ["x-forwarded-for", "x-real-ip", "true-client-ip", "forwarded", "x-edgeward-test-ip"]) {
    const value = `198.51.100.${statuses.length + 10}`;
    const headers = { "cf-connecting-ip": "198.51.100.1", [name]: name === "forwarded" ? `for=${value}` : value };
    statuses.push((await plain.fetch("/counted", { headers })).status);
  }
  assert.deepEqual(statuses, [200, 200, 429, 429, 429]);
  const other = await plain.fetch("/counted", { headers: { "cf-connecting-ip": "198.51.100.2" } });
  assert.equal(other.status, 200);
});

test("a household's IPv6 network is one address, and IPv4 in IPv6 is IPv4", async () => {
  for (const [ips, expected] of [
    [["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:ffff::3"], [200, 200, 429]],
    [["2001:db8:0:2::1", "2001:db8:0:3::1", "2001:db8:0:4::1"], [200, 200, 200]],
    [["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"], [200, 200, 429]],
    [["::ffff:192.0.2.2", "::ffff:192.0.2.3", "::ffff:192.0.2.4"], [200, 200, 200]],
  ]) {
    const statuses = [];
    for (const ip of ips) {
      statuses.push((await plain.fetch("/counted", { headers: { "cf-connecting-ip": ip } })).status);
    }
    assert.deepEqual(statuses, expected, ips.join(" "));
  }
});

test("a field that has one value does not come twice", async () => {
  const content = ["Content-Length: 2"];
  for (const [headers, code] of [
    [["Content-Type: application/json", "Content-Type: text/plain", ...content], "header-invalid"],
    [["Content-Type: application/json, text/plain", ...content], "header-invalid"],
    [['Idempotency-Key: "a"', 'Idempotency-Key: "b"', ...content], "header-invalid"],
  ]) {
    const sent = plainOrigin.requests.length;
    const answer = await send(plain.url, { method: "POST", target: "/open", headers, body: "{}" });
    assert.equal(answer.status, 400, headers.join(" | "));
    assert.equal(codeOf(answer), code, headers.join(" | "));
    assert.equal(plainOrigin.requests.length, sent);
  }
});

// workerd answers these itself, some with 500, before the worker sees them: what counts is where they end.
test("a frame with two readings ends before the origin", async () => {
  const post = (...headers) => ({ method: "POST", target: "/open", headers, body: "{}x" });
  for (const request of [
    post("Content-Length: 2", "Content-Length: 3"),
    post("Content-Length: 2", "Content-Length: 2"),
    post("Content-Length: 2, 2"),
    post("Content-Length: +2"),
    post("Content-Length: 0x2"),
    post("Transfer-Encoding: xchunked"),
    post("Transfer-Encoding: chunked, identity"),
    post("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    { target: "/open", host: null, headers: ["Host: a.test", "Host: b.test"] },
    { target: "/open", host: null },
    { target: "/open", host: "a.test, b.test" },
    { target: "/open", host: "a@b.test" },
    { target: "/open", headers: ["X-A: b\0c"] },
  ]) {
    const sent = plainOrigin.requests.length;
    const { status } = await send(plain.url, request);
    assert.ok(status === 0 || status >= 400, `${status} to ${JSON.stringify(request)}`);
    assert.equal(plainOrigin.requests.length, sent, JSON.stringify(request));
  }
});

test("a field that hides behind white space or a line feed is read like any other", async () => {
  for (const lines of [
    ["Edgeward-Identity : forged"],
    ["Edgeward-Identity\t: forged"],
    ["X-A: b\nEdgeward-Identity: forged"],
    ["X-A: b\rEdgeward-Identity: forged"],
  ]) {
    const { status } = await send(plain.url, { target: "/open", headers: lines });
    const names = status === 200 ? plainOrigin.requests.at(-1).raw.map((text) => text.trim().toLowerCase()) : [];
    assert.equal(names.includes("edgeward-identity"), false, JSON.stringify(lines));
  }
});

test("a switch of protocols is not asked of the origin", async () => {
  const headers = ["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQ"];
  const answer = await send(plain.url, { target: "/open", headers });
  assert.equal(answer.status, 200);
  assert.deepEqual(valuesOf(answer, "upgrade"), []);
  const { headers: seen } = plainOrigin.requests.at(-1);
  assert.equal(seen.upgrade ?? seen["http2-settings"], undefined);

  // One to WebSocket is refused where the route has none.
  const asked = plainOrigin.requests.length;
  const refused = await send(plain.url, { target: "/open", headers: ["Upgrade: websocket", "Connection: Upgrade"] });
  assert.equal(refused.status, 400);
  assert.equal(plainOrigin.requests.length, asked);
});
