// Between gateway and origin: what is sent, what of the answer comes back, and what happens when it is no answer.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { httpOrigin, start } from "./harness.mjs";
import { policyOf } from "./support/policy.mjs";
import { codeOf, rawOrigin, send, valuesOf } from "./support/raw.mjs";

const TIMEOUT_MS = 400;
const MB = 1_048_576;
const CONTENT = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

let raw; // answers with `bytes`, whatever they are
let bytes;
let origin; // answers with what it got
let gateway;

before(async () => {
  raw = await rawOrigin(() => bytes);
  origin = await httpOrigin(echo);
  const policy = policyOf(
    {
      "GET,POST /echo": {},
      "POST /small": { request: { max_bytes: 10 } },
      "POST /read": { request: { max_bytes: 64, body: { type: "object" } } },
      "POST /whole": { request: { max_bytes: MB, body: { type: "object" } } },
      "POST /large": { request: { max_bytes: 5 * MB } },
      "GET,POST /raw": { origin: "raw" },
      "GET /gone": { origin: "gone" },
    },
    { url: origin.url, timeout_ms: 5_000 },
  );
  policy.origins.raw = { url: raw.url, timeout_ms: TIMEOUT_MS };
  policy.origins.gone = { url: await closedPort() };
  gateway = await start({ policy });
});

beforeEach(() => {
  origin.requests.length = 0;
  raw.heads.length = 0;
});

after(async () => {
  await gateway?.stop();
  await Promise.all([raw?.stop(), origin?.stop()]);
});

test("an origin that cannot be reached is told as such, with a time to come back", async () => {
  const answer = await send(gateway.url, { target: "/gone" });
  assert.deepEqual([answer.status, codeOf(answer)], [503, "origin-unavailable"]);
  assert.match(valuesOf(answer, "retry-after")[0], /^[1-9]\d*$/);
});

test("an origin that does not answer is given up at its timeout, and asked once", async () => {
  bytes = undefined;
  const begun = Date.now();
  const answer = await send(gateway.url, { target: "/raw" });
  const ms = Date.now() - begun;
  assert.deepEqual([answer.status, codeOf(answer)], [504, "origin-timeout"]);
  assert.ok(ms >= TIMEOUT_MS && ms < TIMEOUT_MS + 3_000, `${ms} ms`);
  assert.equal(raw.heads.length, 1);
});

test("a status that is no answer is refused", async () => {
  for (const line of [
    "HTTP/1.1 600 Odd",
    "HTTP/1.1 999 Odd",
    "HTTP/1.1 199 Odd",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c",
  ]) {
    bytes = `${line}\r\nContent-Length: 2\r\n\r\nhi`;
    const answer = await send(gateway.url, { target: "/raw" });
    assert.deepEqual([answer.status, codeOf(answer)], [502, "origin-invalid"], line);
  }
});

// workerd tells no more than that its fetch failed, so 503 stands for what it could not read, too.
test("what is no HTTP is refused as the origin's fault", async () => {
  for (const text of [
    "",
    "garbage\r\n\r\n",
    "hi",
    "HTTP/1.1 000 Odd\r\nContent-Length: 2\r\n\r\nhi",
    "HTTP/1.1 200\r\nContent-Length: x\r\n\r\nhi",
    "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nhi",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!",
    `HTTP/1.1 200 OK\r\nX-Large: ${"a".repeat(200_000)}\r\nContent-Length: 2\r\n\r\nhi`,
  ]) {
    bytes = Buffer.from(text, "latin1");
    const answer = await send(gateway.url, { target: "/raw" });
    const name = JSON.stringify(text.slice(0, 60));
    assert.ok([502, 503].includes(answer.status), `${answer.status} to ${name}`);
    assert.match(valuesOf(answer, "x-request-id").join(), /^[0-9a-f-]{36}$/, name);
  }
});

test("a reason phrase that nobody can send on ends neither the answer nor its record", async () => {
  for (const phrase of ["\x01", "\x7f", "\xff\xfe", "caf\xc3\xa9", "\xe2\x80\xae"]) {
    bytes = Buffer.from(`HTTP/1.1 200 ${phrase}\r\nContent-Length: 2\r\n\r\nhi`, "latin1");
    const answer = await send(gateway.url, { target: "/raw" });
    assert.ok([200, 502].includes(answer.status), `${answer.status} to ${JSON.stringify(phrase)}`);
    assert.match(valuesOf(answer, "x-request-id").join(), /^[0-9a-f-]{36}$/, JSON.stringify(phrase));
  }
});

test("a redirect is passed on and never followed", async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    raw.heads.length = 0;
    bytes = `HTTP/1.1 ${status} Elsewhere\r\nLocation: ${origin.url}/echo\r\nContent-Length: 2\r\n\r\nhi`;
    const answer = await send(gateway.url, { target: "/raw" });
    assert.deepEqual([answer.status, answer.body.toString()], [status, "hi"]);
    assert.deepEqual(valuesOf(answer, "location"), ["http://gateway.test/echo"]);
    assert.deepEqual([raw.heads.length, origin.requests.length], [1, 0]);
  }
});

test("an origin's own errors of its callers are passed as they are", async () => {
  for (const status of [400, 401, 404, 418, 429, 499]) {
    bytes = `HTTP/1.1 ${status} Odd\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi`;
    const answer = await send(gateway.url, { target: "/raw" });
    assert.deepEqual([answer.status, answer.body.toString()], [status, "hi"]);
    assert.deepEqual(valuesOf(answer, "content-type"), ["text/plain"]);
  }
});

test("an answer without content stays one", async () => {
  for (const [method, status, head, length] of [
    ["GET", 204, "HTTP/1.1 204 No Content", []],
    ["GET", 304, 'HTTP/1.1 304 Not Modified\r\nETag: "a"', []],
    ["HEAD", 200, "HTTP/1.1 200 OK\r\nContent-Length: 5", ["5"]],
    ["GET", 200, "HTTP/1.1 200 OK\r\nContent-Length: 0", ["0"]],
  ]) {
    bytes = `${head}\r\n\r\n`;
    const answer = await send(gateway.url, { method, target: "/raw" });
    const told = [answer.status, answer.body.length, valuesOf(answer, "content-length")];
    assert.deepEqual(told, [status, 0, length], head);
  }
});

test("hop-by-hop fields, those that Connection names and the origin's software stay behind", async () => {
  bytes = [
    "HTTP/1.1 200 OK",
    "Connection: X-Dropped, close, X-Content-Type-Options, x-request-id",
    "X-Dropped: 1",
    "Keep-Alive: timeout=5",
    "Proxy-Authenticate: Basic",
    "Trailer: X-Late",
    "Upgrade: h2c",
    "Server: old/1.0",
    "X-Powered-By: old",
    "Strict-Transport-Security: max-age=0",
    "X-Content-Type-Options: off",
    "X-Request-Id: forged",
    "Edgeward-Identity: forged",
    "X-Kept: yes",
    "Content-Length: 2",
    "",
    "hi",
  ].join("\r\n");
  const answer = await send(gateway.url, { target: "/raw" });
  const told = Object.fromEntries(answer.fields);
  delete told.date;
  assert.match(told["x-request-id"], /^[0-9a-f-]{36}$/);
  assert.deepEqual(told, {
    "content-length": "2",
    "x-content-type-options": "nosniff",
    "x-kept": "yes",
    "x-request-id": told["x-request-id"],
  });
});

test("several cookies stay several, whatever stands in them", async () => {
  const cookies = ["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/", "b=2, c=3; HttpOnly", "a=4"];
  const lines = cookies.map((cookie) => `Set-Cookie: ${cookie}`);
  bytes = ["HTTP/1.1 200 OK", ...lines, "Content-Length: 2", "", "hi"].join("\r\n");
  const answer = await send(gateway.url, { target: "/raw" });
  assert.deepEqual(valuesOf(answer, "set-cookie").sort(), [...cookies].sort());
});

// Without Accept-Encoding: else miniflare, not the worker, codes answers anew.
test("coded content comes through byte by byte", async () => {
  for (const [coding, content] of [
    ["gzip", gzipSync("hello ".repeat(100))],
    ["gzip", Buffer.from("not gzip at all")],
    ["br", Buffer.from([0x0b, 0x02, 0x80, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x03])],
    ["odd", Buffer.from("hi")],
  ]) {
    const head = `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${content.length}\r\n\r\n`;
    bytes = Buffer.concat([Buffer.from(head), content]);
    const answer = await send(gateway.url, { target: "/raw" });
    assert.deepEqual(valuesOf(answer, "content-encoding"), [coding]);
    assert.deepEqual(answer.body, content, coding);
  }
});

// Of a broken chunked answer workerd makes a whole one: a length that was told is all that shows it.
test("an answer that breaks off keeps the length that it told", async () => {
  bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi";
  const answer = await send(gateway.url, { target: "/raw" });
  assert.deepEqual([answer.status, valuesOf(answer, "content-length"), answer.body.toString()], [200, ["10"], "hi"]);
});

test("large content streams both ways as it is", async () => {
  const content = randomBytes(5 * MB);
  const headers = { "content-type": "application/octet-stream" };
  const answer = await gateway.fetch("/large", { method: "POST", headers, body: content });
  assert.equal(answer.status, 200);
  assert.equal(digest(Buffer.from(await answer.arrayBuffer())), digest(content));
  const more = await gateway.fetch("/large", { method: "POST", headers, body: Buffer.alloc(5 * MB + 1) });
  assert.equal(more.status, 413);
  assert.equal(origin.requests.length, 1);
});

test("content has the size it may have, however its framing tells it", async () => {
  const chunked = (length) => ({
    headers: ["Transfer-Encoding: chunked"],
    body: `${length.toString(16)}\r\n${"x".repeat(length)}\r\n0\r\n\r\n`,
  });
  const known = (length) => ({ headers: [`Content-Length: ${length}`], body: "x".repeat(length) });
  for (const [request, status] of [
    [known(10), 200],
    [known(11), 413],
    [chunked(10), 200],
    [chunked(11), 413],
    [chunked(100_000), 413],
    [{ headers: ["Content-Length: 99999999999999999999"] }, 413],
  ]) {
    origin.requests.length = 0;
    const answer = await send(gateway.url, { method: "POST", target: "/small", ...request });
    // workerd itself refuses a length beyond 64 bits, with 500.
    if (status === 413) assert.ok(answer.status >= 400, String(answer.status));
    else assert.deepEqual([answer.status, answer.body.length], [status, 10]);
    assert.equal(origin.requests.length, status === 200 ? 1 : 0, request.headers[0]);
  }
});

test("an announced length does not hide what comes in chunks", async () => {
  for (const [length, chunk] of [[5, 11], [5, 100_000], [0, 11], [10, 11]]) {
    origin.requests.length = 0;
    const headers = [`Content-Length: ${length}`, "Transfer-Encoding: chunked"];
    const body = `${chunk.toString(16)}\r\n${"x".repeat(chunk)}\r\n0\r\n\r\n`;
    const answer = await send(gateway.url, { method: "POST", target: "/small", headers, body });
    assert.ok(answer.status >= 400 || answer.body.length <= 10, `${answer.body.length} bytes reached the origin`);
  }
});

test("content that ends before its announced length is not what was announced", async () => {
  for (const length of [20, 65_536, 65_537, 200_000]) {
    const socket = connect({ host: gateway.url.hostname, port: gateway.url.port, allowHalfOpen: true });
    const head = ["POST /whole HTTP/1.1", "Host: gateway.test", "Content-Type: application/json", `Content-Length: ${length}`];
    socket.end(`${head.join("\r\n")}\r\n\r\n{}`);
    const [answer] = await once(socket, "data");
    assert.match(answer.toString("latin1"), /^HTTP\/1.1 400 /, String(length));
    assert.equal(origin.requests.length, 0);
    socket.destroy();
  }
});

test("what was judged is what is sent, byte by byte", async () => {
  for (const body of [
    '{"b":1,"a":2}',
    ' {\n  "b" : 1.0,\t"a":2e0 }\r\n',
    '{"\\u0061":"\\u00e9é\\/"}',
    '{"z":-0,"n":1.10}',
  ]) {
    const headers = ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`];
    const answer = await send(gateway.url, { method: "POST", target: "/read", headers, body });
    assert.deepEqual([answer.status, answer.body.toString()], [200, body]);
    assert.deepEqual(valuesOf(answer, "x-got-length"), [String(Buffer.byteLength(body))]);
  }
});

test("content that fails its rule never reaches the origin", async () => {
  for (const body of ["", "{", "[]", '{"a":1,"a":2}', `{"a":"${"x".repeat(64)}"}`]) {
    const headers = ["Content-Type: application/json", `Content-Length: ${body.length}`];
    const answer = await send(gateway.url, { method: "POST", target: "/read", headers, body });
    assert.ok([400, 413, 422].includes(answer.status), `${answer.status} to ${body}`);
  }
  assert.deepEqual(origin.requests, []);
});

/** Answers with the content it got. */
function echo(request, response) {
  const parts = [];
  request.on("error", () => {});
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    response.setHeader("x-got-length", request.headers["content-length"] ?? "none");
    response.end(Buffer.concat(parts));
  });
}

/** The address of a port that nobody listens at. */
async function closedPort() {
  const gone = await rawOrigin(() => CONTENT);
  await gone.stop();
  return gone.url;
}

const digest = (content) => createHash("sha256").update(content).digest("hex");
