// One reading of path, query and method: what was matched is what the origin gets. Targets go out as raw bytes, for
// every URL library resolves them first.
//
// workerd does so too, before the worker sees anything, and what it makes of a target is what is judged:
//
//   /a/../b  /a/%2e%2e/b  /./b   resolved to /b            /a\b               read as /a/b
//   /a#b                         cut off at #              /a^b "<>{}` [ ]    percent-encoded
//   /a b  /a<TAB>b               cut off at the blank      raw UTF-8          percent-encoded; a bad byte is U+FFFD
//   NUL                          refused with 400          unknown methods    refused with 501
//   http://host/a  *  a  \a      refused with 500, in plain text: no worker was asked
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { httpOrigin, start } from "./harness.mjs";
import { PEPPER } from "./support/keys.mjs";
import { policyOf } from "./support/policy.mjs";
import { codeOf, send, valuesOf } from "./support/raw.mjs";

let origin;
let gateway;

before(async () => {
  origin = await httpOrigin((request, response) => response.end(request.url));
  const routes = {
    "GET /": {},
    "GET,POST /open/{*rest}": {},
    "GET /exact": {},
    "GET,POST,DELETE /items/{item}": {},
    "HEAD /heads": {},
    "OPTIONS,POST /asked": {},
    "GET /secret/{*rest}": { auth: ["keys"] },
    "GET /{*any}": { auth: ["keys"] },
  };
  const authenticators = { keys: { kind: "api_key" } };
  const policy = policyOf(routes, { url: origin.url, authenticators });
  policy.routes.at(-1).id = "any";
  gateway = await start({ policy, vars: { KEY_PEPPER: PEPPER } });
});

beforeEach(() => {
  origin.requests.length = 0;
});

after(async () => {
  await gateway?.stop();
  await origin?.stop();
});

test("a path with two readings is refused", async () => {
  for (const target of [
    "//open/a",
    "/open//a",
    "/open/a//",
    "///",
    "//evil.test/open/a",
    "/open/a%2fb",
    "/open/a%2Fb",
    "/open%2fa",
    "/open/a%5cb",
    "/open/%2e%2e%2fsecret",
    "/open/..%2fsecret",
    "/open/..%5csecret",
    "/open/a%00",
    "/open/a%0d%0aX-Admin:1",
    "/open/a%09",
    "/open/a%7f",
    "/open/a%252fb",
    "/open/%2525",
    "/open/%252e%252e/secret",
    "/open/a%",
    "/open/a%4",
    "/open/a%zz",
    "/open/a%u002f",
    "/open/%ff",
    "/open/%c0%ae%c0%ae/secret",
    "/open/%c0%af",
    "/open/%ed%a0%80",
    "/open/%f8%88%80%80%80",
    "/open/a;b=1",
    "/open;/secret",
    "/open/a%3fb",
    "/open/a%23b",
    "/open/a|b",
    "/open/a\x01b",
  ]) {
    const answer = await send(gateway.url, { target });
    assert.deepEqual([answer.status, codeOf(answer)], [400, "ambiguous-path"], target);
  }
  assert.deepEqual(origin.requests, []);
});

test("a path is matched and sent in one spelling", async () => {
  for (const [target, sent] of [
    ["/", "/"],
    ["/open/a", "/open/a"],
    ["/open/a/", "/open/a/"],
    ["/open/%61", "/open/a"],
    ["/%6fpen/a", "/open/a"],
    ["/open/A", "/open/A"],
    ["/open/a%7Eb", "/open/a~b"],
    ["/open/a%20b", "/open/a%20b"],
    ["/open/a+b", "/open/a+b"],
    ["/open/a%2Bb", "/open/a+b"],
    ["/open/100%25", "/open/100%25"],
    ["/open/a%3bb=1", "/open/a%3Bb=1"],
    ["/open/caf%c3%a9", "/open/caf%C3%A9"],
    ["/open/caf\xc3\xa9", "/open/caf%C3%A9"],
    ["/open/%ef%bc%8f", "/open/%EF%BC%8F"], // U+FF0F: a letter like any other, no slash
    ["/open/\xef\xbc\x8f", "/open/%EF%BC%8F"],
    ["/open/...", "/open/..."],
    ["/open/.a", "/open/.a"],
    ["/open/a:b@c,d", "/open/a:b@c,d"],
    ["/open/a?b/../c", "/open/a?b/../c"],
  ]) {
    const answer = await send(gateway.url, { target });
    assert.deepEqual([answer.status, origin.requests.at(-1)?.url], [200, sent], target);
  }
});

test("what workerd makes of a target is what is decided about", async () => {
  for (const [target, sent] of [
    ["/open/a/../b", "/open/b"],
    ["/open/a/%2e%2e/b", "/open/b"],
    ["/open/a/.%2E/b", "/open/b"],
    ["/open/./b", "/open/b"],
    ["/open/b/.", "/open/b/"],
    ["/secret/../open/b", "/open/b"],
    ["/open\\b", "/open/b"],
    ["/secret\\..\\open\\b", "/open/b"],
    ["/open/b#c", "/open/b"],
    ["/open/b?c#d", "/open/b?c"],
    ["/open/b c", "/open/b"],
    ["/open/b\tc", "/open/b"],
    ["/open/a^b", "/open/a%5Eb"],
    ['/open/a"<b>', "/open/a%22%3Cb%3E"],
    ["/open/\xff", "/open/%EF%BF%BD"],
  ]) {
    const answer = await send(gateway.url, { target });
    assert.deepEqual([answer.status, origin.requests.at(-1)?.url], [200, sent], JSON.stringify(target));
  }
});

test("no spelling of a public path leads to what is not public", async () => {
  for (const target of [
    "/open/../secret/a",
    "/open/%2e%2e/secret/a",
    "/open/.%2e/secret/a",
    "/open/..\\secret/a",
    "/open\\..\\secret\\a",
    "/open/./../secret/a",
    "/open/x/../../secret/a",
    "/open/../../../secret/a",
    "/open/a/..;/secret/a",
    "/open/..%2f..%2fsecret/a",
    "/open/..%252fsecret/a",
    "/secret/a",
    "/%73ecret/a",
    "/secret/%61",
    "/secret/a?/open/a",
    "/secret/a#/open/a",
    "/secret/a%3f/open/a",
    "/secret/a/",
    "/secret/.",
    "/SECRET/a",
    "/secret%20/a",
    "/secret./a",
    "/secret",
    "/secret/",
    "/OPEN/a",
    "/open",
    "/open%20/a",
    "/open.",
    "/open../secret/a",
  ]) {
    const { status } = await send(gateway.url, { target });
    assert.ok([400, 401, 404].includes(status), `${status} to ${target}`);
  }
  assert.deepEqual(origin.requests, []);
});

test("the gateway's own paths are never the origin's, in any spelling", async () => {
  const catchAll = policyOf({ "GET /{*any}": {} }, { url: origin.url });
  catchAll.routes[0].id = "any";
  const open = await start({ policy: catchAll });
  try {
    for (const target of [
      "/.edgeward/health",
      "/.edgeward/none",
      "/.edgeward/",
      "/.%65dgeward/health",
      "/%2eedgeward/health",
      "/.edgewar%64/none",
      "/.edgeward%2fhealth",
      "//.edgeward/health",
      "/.edgeward//health",
      "/x/../.edgeward/health",
      "/.edgeward\\health",
      "/.edgeward/./health",
    ]) {
      await send(open.url, { target });
      const seen = origin.requests.map(({ url }) => url);
      assert.deepEqual(seen, [], target);
    }
  } finally {
    await open.stop();
  }
});

test("a target that is no path ends before the origin", async () => {
  for (const [method, target] of [
    ["GET", "http://gateway.test/open/a"],
    ["GET", "http://other.test/open/a"],
    ["GET", "https://gateway.test/open/a"],
    ["GET", "ftp://gateway.test/open/a"],
    ["GET", "open/a"],
    ["GET", "\\open/a"],
    ["GET", "?a"],
    ["GET", "*"],
    ["OPTIONS", "*"],
    ["CONNECT", "origin.test:443"],
    ["GET", "/open/a\0b"],
  ]) {
    const { status } = await send(gateway.url, { method, target });
    assert.ok(status === 0 || status >= 400, `${status} to ${method} ${target}`);
  }
  assert.deepEqual(origin.requests, []);
});

test("a query is matched and sent in one spelling", async () => {
  for (const [query, sent] of [
    ["?", "?"],
    ["??", "??"],
    ["?a=1;b=2", "?a=1%3Bb=2"],
    ["?a=1+2", "?a=1+2"],
    ["?a=1%2B2", "?a=1%2B2"],
    ["?a=%41%20b", "?a=A%20b"],
    ["?a=1%26admin=1", "?a=1%26admin=1"],
    ["?a%3Db=1", "?a%3Db=1"],
    ["?a&&b=", "?a&&b="],
    ["?a=\xc3\xa9", "?a=%C3%A9"],
    ["?a=\\..\\b", "?a=%5C..%5Cb"],
    ["?a='b'", "?a=%27b%27"],
    ["?a=[1]", "?a=[1]"],
    ["?a=https://evil.test/?b", "?a=https://evil.test/?b"],
  ]) {
    const answer = await send(gateway.url, { target: `/exact${query}` });
    assert.deepEqual([answer.status, origin.requests.at(-1)?.url], [200, `/exact${sent}`], query);
  }
});

test("a query that cannot be read is refused", async () => {
  const pairs = (count) => `?${Array.from({ length: count }, () => "a=1").join("&")}`;
  const coded = ["?%", "?a=%", "?a=%4", "?a=%zz", "?a=%00", "?a=%0d%0ax", "?a=%7f", "?a=%ff", "?%c0%ae=1"];
  for (const query of [...coded, pairs(257)]) {
    const answer = await send(gateway.url, { target: `/exact${query}` });
    assert.deepEqual([answer.status, codeOf(answer)], [400, "malformed-request"], query);
  }
  assert.deepEqual(origin.requests, []);
  assert.equal((await send(gateway.url, { target: `/exact${pairs(256)}` })).status, 200);
});

test("a path that takes other methods says which", async () => {
  for (const [method, target, status, allow] of [
    ["POST", "/exact", 405, ["GET, HEAD"]],
    ["PUT", "/items/1", 405, ["GET, HEAD, POST, DELETE"]],
    ["OPTIONS", "/exact", 405, ["GET, HEAD"]],
    ["TRACE", "/exact", 405, ["GET, HEAD"]],
    ["PROPFIND", "/exact", 405, ["GET, HEAD"]],
    ["GET", "/heads", 405, ["HEAD"]],
    ["GET", "/asked", 405, ["POST, OPTIONS"]],
    ["POST", "/.edgeward/health", 405, ["GET, HEAD"]],
    ["TRACE", "/.edgeward/none", 404, []],
  ]) {
    const answer = await send(gateway.url, { method, target, headers: ["Content-Length: 0"] });
    assert.deepEqual([answer.status, valuesOf(answer, "allow")], [status, allow], `${method} ${target}`);
  }
  assert.deepEqual(origin.requests, []);
});

test("a method in another spelling, and one that nobody knows, ends before the origin", async () => {
  for (const method of ["get", "Get", "GETS", "FOO", "TRACK", "GE%54"]) {
    const { status } = await send(gateway.url, { method, target: "/exact" });
    assert.ok(status === 0 || status >= 400, `${status} to ${method}`);
  }
  assert.deepEqual(origin.requests, []);
});

test("HEAD is answered as GET is, without content, and never as anything less", async () => {
  for (const [target, status] of [
    ["/exact", 200],
    ["/secret/a", 401],
    ["/none/a", 401],
    ["/asked", 405],
    ["/open//a", 400],
    ["/.edgeward/health", 200],
  ]) {
    const answer = await send(gateway.url, { method: "HEAD", target });
    assert.deepEqual([answer.status, answer.body.toString()], [status, ""], target);
  }
  assert.deepEqual(origin.requests.map(({ method, url }) => `${method} ${url}`), ["HEAD /exact"]);
});

test("OPTIONS that is no preflight is a request like any other", async () => {
  const asked = await send(gateway.url, { method: "OPTIONS", target: "/asked" });
  assert.equal(asked.status, 200);
  assert.deepEqual(origin.requests.map(({ method }) => method), ["OPTIONS"]);
  const headers = ["Origin: https://app.test", "Access-Control-Request-Method: GET"];
  const preflight = await send(gateway.url, { method: "OPTIONS", target: "/secret/a", headers });
  assert.notEqual(preflight.status, 204, "without `cors` there is no preflight to answer");
  assert.equal(origin.requests.length, 1);
});

test("a GET, HEAD or OPTIONS with content is refused", async () => {
  for (const [method, target] of [["GET", "/exact"], ["HEAD", "/exact"], ["OPTIONS", "/asked"]]) {
    for (const [headers, body] of [
      [["Content-Length: 2"], "{}"],
      [["Transfer-Encoding: chunked"], "2\r\n{}\r\n0\r\n\r\n"],
    ]) {
      const answer = await send(gateway.url, { method, target, headers, body });
      assert.equal(answer.status, 400, `${method} ${headers}`);
    }
  }
  assert.deepEqual(origin.requests, []);
  assert.equal((await send(gateway.url, { target: "/exact", headers: ["Content-Length: 0"] })).status, 200);
});
