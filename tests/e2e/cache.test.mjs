// Answers that are kept at the gateway, in the real cache of workerd, with callers that are not each other and an origin
// that counts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { buildFolder } from "../../scripts/place.mjs";
import { Response, httpOrigin, start } from "./harness.mjs";
import { HOST, PEPPER, from, keyFor, policyOf, window } from "./support/policies.mjs";
import { rawOrigin, send, valuesOf } from "./support/raw.mjs";

const vars = { KEY_PEPPER: PEPPER };
const alice = keyFor("alice", { tenant: "acme" });
const bob = keyFor("bob", { tenant: "acme" });
const kv = Object.fromEntries([alice.entry, bob.entry]);
/** Behind the answer: what is kept is read and put there. */
const PATIENCE_MS = 5_000;

const policyWith = (route = {}, { origins, ...more } = {}) =>
  policyOf({
    limits: { mine: window("caller", 1_000) },
    authenticators: { keys: { kind: "api_key" } },
    routes: [{ match: { methods: ["GET", "HEAD"], path: "/orders/{id}" }, auth: ["keys"], cache: { max_age_s: 60 }, ...route }],
    ...(origins && { origins }),
    ...more,
  });

const ask = (gateway, { caller = alice, path = "/orders/7", headers = {}, ...init } = {}) =>
  gateway.fetch(HOST + path, { headers: from("192.0.2.1", { "x-api-key": caller.text, ...headers }), ...init });

/** What the log says of the cache. */
const wordOf = async (gateway, answer) => (await gateway.decisionOf(answer)).cache;

/** Asks until the answer is one that was kept. */
async function untilKept(gateway, init) {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask(gateway, init);
    const text = await answer.text();
    if (/; hit/.test(answer.headers.get("cache-status")) || Date.now() > until) return { answer, text };
    await sleep(10);
  }
}

/** An origin that numbers its answers. */
function counting(headers = { "cache-control": "max-age=600" }, more = {}) {
  const origin = (request) => {
    origin.asked += 1;
    const own = { "content-type": "application/json", ...headers };
    return new Response(JSON.stringify({ number: origin.asked, path: new URL(request.url).pathname }), { headers: own, ...more });
  };
  origin.asked = 0;
  return origin;
}

test("a kept answer is given to its caller, with its age, and to nobody else", async () => {
  const origin = counting({ "cache-control": "max-age=600", etag: '"a"', server: "inner", ratelimit: '"q";r=1', "x-total-count": "9" });
  const gateway = await start({ policy: policyWith(), vars, kv, origin });
  const first = await ask(gateway);
  const text = await first.text();
  assert.equal(first.headers.get("cache-status"), "edgeward; fwd=miss");
  assert.equal(await wordOf(gateway, first), "miss");
  const kept = await untilKept(gateway);
  const before = origin.asked;
  assert.equal(JSON.parse(kept.text).path, JSON.parse(text).path);
  for (let times = 0; times < 5; times += 1) {
    const answer = await ask(gateway);
    assert.deepEqual([answer.status, await answer.text()], [200, kept.text]);
    assert.match(answer.headers.get("age"), /^\d$/);
    assert.match(answer.headers.get("cache-status"), /^edgeward; hit; ttl=5\d$/);
    for (const [name, value] of [["cache-control", "private, max-age=600"], ["etag", '"a"'], ["x-total-count", "9"], ["server", null], ["content-type", "application/json"]])
      assert.equal(answer.headers.get(name), value, name);
    assert.notEqual(answer.headers.get("ratelimit"), '"q";r=1');
    assert.notEqual(answer.headers.get("x-request-id"), first.headers.get("x-request-id"));
    const line = await gateway.decisionOf(answer);
    assert.deepEqual([line.verdict, line.cache, line.origin, line.caller.subject], ["admitted", "hit", undefined, "alice"]);
  }
  assert.equal(origin.asked, before);
  const other = await ask(gateway, { caller: bob });
  assert.equal(JSON.parse(await other.text()).number, before + 1);
  assert.equal(await wordOf(gateway, other), "miss");
  const elsewhere = await ask(gateway, { path: "/orders/8" });
  assert.equal(JSON.parse(await elsewhere.text()).path, "/orders/8");
  assert.equal((await gateway.fetch(`${HOST}/orders/7`, { headers: from("192.0.2.1") })).status, 401);
  assert.equal(origin.asked, before + 2);
  await gateway.stop();
});

test("HEAD and a copy that still holds are answered from it, a part is not", async () => {
  const server = await httpOrigin((request, response) => {
    const body = "0123456789";
    const part = request.headers.range ? body.slice(0, 2) : body;
    const headers = { "cache-control": "max-age=600", etag: '"a"', "content-length": part.length };
    response.writeHead(request.headers.range ? 206 : 200, headers).end(request.method === "HEAD" ? "" : part);
  });
  const policy = policyWith({}, { origins: { orders: { url: server.url } } });
  const gateway = await start({ policy, vars, kv });
  const part = await ask(gateway, { headers: { range: "bytes=0-1" } });
  assert.deepEqual([part.status, await part.text(), await wordOf(gateway, part)], [206, "01", "bypass"]);
  assert.equal((await untilKept(gateway)).text, "0123456789");
  const before = server.requests.length;
  const head = await ask(gateway, { method: "HEAD" });
  assert.deepEqual([head.status, await head.text(), head.headers.get("etag")], [200, "", '"a"']);
  assert.equal(await wordOf(gateway, head), "hit");
  // Without a word of its own, `fetch` says `no-cache` beside a condition.
  const copies = { "if-none-match": '"a"', "cache-control": "max-age=600" };
  const copy = await ask(gateway, { headers: copies });
  assert.deepEqual([copy.status, await copy.text(), copy.headers.get("etag"), copy.headers.get("content-type")], [304, "", '"a"', null]);
  assert.match(copy.headers.get("cache-status"), /; hit/);
  assert.equal(server.requests.length, before);
  const again = await ask(gateway, { headers: { range: "bytes=0-1" } });
  assert.deepEqual([again.status, await again.text(), server.requests.length], [206, "01", before + 1]);
  await gateway.stop();
  await server.stop();
});

test("what is judged is judged each time, and what is refused is refused each time", async () => {
  const response = { fields: [{ pointer: "/number", read: "request.headers['x-as'] == 'clerk'" }], allow: "request.headers['x-as'] != 'guest'" };
  const origin = counting();
  const gateway = await start({ policy: policyWith({ response }), vars, kv, origin });
  const as = (name) => ({ headers: { "x-as": name } });
  const kept = await untilKept(gateway, as("clerk"));
  assert.deepEqual(Object.keys(JSON.parse(kept.text)), ["number", "path"]);
  const before = origin.asked;
  const less = await ask(gateway, as("nobody"));
  assert.deepEqual(Object.keys(await less.json()), ["path"]);
  assert.equal(less.headers.get("cache-control"), "private, no-cache");
  const guest = await ask(gateway, as("guest"));
  assert.deepEqual([guest.status, (await gateway.decisionOf(guest)).cache], [403, "hit"]);
  assert.equal(origin.asked, before);
  await gateway.stop();
});

test("a caller that was taken back gets nothing that was kept for it", async () => {
  const origin = counting();
  const gateway = await start({ policy: policyWith(), vars, kv, origin, state: undefined });
  await untilKept(gateway);
  const before = origin.asked;
  const [name, record] = alice.entry;
  await gateway.kv.put(name, JSON.stringify({ ...(typeof record === "string" ? JSON.parse(record) : record), state: "revoked" }));
  const until = Date.now() + 15_000;
  let answer = await ask(gateway);
  // A record is remembered for five seconds.
  while (answer.status === 200 && Date.now() < until) {
    await sleep(250);
    answer = await ask(gateway);
  }
  assert.equal(answer.status, 401);
  assert.equal((await gateway.decisionOf(answer)).cache, undefined);
  assert.equal(origin.asked, before);
  await gateway.stop();
});

test("what is not whole, too large, an error, a cookie's, coded or endless is asked for each time", async () => {
  let bytes;
  const raw = await rawOrigin(() => bytes);
  const policy = policyWith({ errors: "pass", cache: { max_age_s: 60, max_bytes: 1_000 } }, { origins: { orders: { url: raw.url, timeout_ms: 2_000 } } });
  const gateway = await start({ policy, vars, kv });
  const fresh = "Cache-Control: max-age=600";
  const told = (status, lines, content) => [`HTTP/1.1 ${status} Told`, ...lines, "Connection: close", "", content].join("\r\n");
  const twice = async (path, answer) => {
    bytes = answer;
    const before = raw.heads.length;
    for (let times = 0; times < 2; times += 1) {
      await ask(gateway, { path }).then((one) => one.arrayBuffer()).catch(() => {});
      await sleep(100);
    }
    return raw.heads.length - before;
  };
  const chunked = (...parts) => parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("");
  const cases = {
    "/orders/whole": [1, told(200, [fresh, "Content-Length: 3"], "abc")],
    "/orders/chunked": [1, told(200, [fresh, "Transfer-Encoding: chunked"], `${chunked("abc", "de")}0\r\n\r\n`)],
    "/orders/cut": [2, told(200, [fresh, "Content-Length: 4"], "abc")],
    "/orders/cut-chunk": [2, told(200, [fresh, "Transfer-Encoding: chunked"], chunked("abc"))],
    "/orders/until-the-end": [2, told(200, [fresh], "abc")],
    "/orders/large": [2, told(200, [fresh, "Content-Length: 1001"], "x".repeat(1_001))],
    "/orders/large-chunks": [2, told(200, [fresh, "Transfer-Encoding: chunked"], `${chunked("x".repeat(1_001))}0\r\n\r\n`)],
    "/orders/cookie": [2, told(200, [fresh, "Set-Cookie: a=1", "Content-Length: 3"], "abc")],
    "/orders/coded": [2, told(200, [fresh, "Content-Encoding: gzip", "Content-Length: 3"], "abc")],
    "/orders/events": [2, told(200, [fresh, "Content-Type: text/event-stream", "Content-Length: 3"], "abc")],
    "/orders/no-store": [2, told(200, ["Cache-Control: no-store, max-age=600", "Content-Length: 3"], "abc")],
    "/orders/silent": [2, told(200, ["Content-Length: 3"], "abc")],
    "/orders/hidden-word": [2, told(200, ["Expires: Fri, 01 Jan 2100 00:00:00 GMT", "Cache-Control: no-store", "Connection: cache-control", "Content-Length: 3"], "abc")],
    "/orders/hidden-cookie": [2, told(200, [fresh, "Set-Cookie: a=1", "Connection: set-cookie", "Content-Length: 3"], "abc")],
    "/orders/hidden-vary": [2, told(200, [fresh, "Vary: *", "Connection: Vary", "Content-Length: 3"], "abc")],
  };
  // The platform tells an origin these, whatever the caller says.
  for (const name of ["CF-Connecting-IP", "CF-IPCountry", "CF-Ray", "True-Client-IP", "X-Real-IP", "CDN-Loop"])
    cases[`/orders/by-${name}`] = [2, told(200, [fresh, `Vary: Accept, ${name}`, "Content-Length: 3"], "abc")];
  for (const status of [301, 401, 403, 404, 429, 500, 503]) cases[`/orders/${status}`] = [2, told(status, [fresh, "Content-Length: 3"], "abc")];
  const found = {};
  for (const [path, [, answer]] of Object.entries(cases)) found[path] = await twice(path, answer);
  assert.deepEqual(found, Object.fromEntries(Object.entries(cases).map(([path, [times]]) => [path, times])));
  await gateway.stop();
  await raw.stop();
});

test("bytes of a field that are no UTF-8 are asked for as they are, and their answer is given to nobody else", async () => {
  const server = await httpOrigin((request, response) => {
    response.writeHead(200, { "cache-control": "max-age=600" }).end(Buffer.from(request.headers["x-edition"] ?? "", "latin1"));
  });
  const public_ = { auth: "public", limits: [], cache: { max_age_s: 60, vary: ["x-edition"] } };
  const policy = policyWith(public_, { origins: { orders: { url: server.url } }, profile: "development", transport: { https_only: false } });
  const gateway = await start({ policy, vars, kv });
  const edition = async (value) => {
    const answer = await send(gateway.url, { target: "/orders/7", headers: ["cf-connecting-ip: 192.0.2.1", `x-edition: ${value}`] });
    // Behind the answer: what is kept is put there.
    await sleep(100);
    return [answer.status, answer.body.toString("latin1"), valuesOf(answer, "cache-status")[0].split("; ")[1]];
  };
  const [asked, missed, given] = ["fwd=bypass", "fwd=miss", "hit"];
  for (const value of ["caf\xe9", "caf\xe8", "caf\xe9"]) assert.deepEqual(await edition(value), [200, value, asked]);
  const readable = "caf\xc3\xa9";
  assert.deepEqual(await edition(readable), [200, readable, missed]);
  let found = missed;
  for (const until = Date.now() + PATIENCE_MS; found === missed && Date.now() < until; ) found = (await edition(readable))[2];
  assert.equal(found, given);
  await gateway.stop();
  await server.stop();
});

test("a cache that fails or is silent costs a moment, and is as one without the answer", async () => {
  const built = readFileSync(join(process.env.EDGEWARD_BUILD ?? buildFolder("release"), "entry.js"), "utf8");
  for (const [name, open] of [
    ["fails", "async () => { throw new Error('no cache'); }"],
    ["is silent", "() => new Promise(() => {})"],
    ["gives what is another's", "async () => ({ match: async () => new Response('{}\\nabc'), put: async () => {} })"],
  ]) {
    const origin = counting();
    const entry = `Object.defineProperty(globalThis, "caches", { value: { open: ${open} } });\n${built}`;
    const gateway = await start({ policy: policyWith(), vars, kv, origin, entry });
    for (const times of [1, 2]) {
      const answer = await ask(gateway);
      assert.deepEqual([answer.status, (await answer.json()).number], [200, times], name);
      assert.equal(await wordOf(gateway, answer), name.startsWith("gives") ? "miss" : "silent", name);
    }
    await gateway.stop();
  }
});
