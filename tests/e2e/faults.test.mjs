// Every way an origin can fail: what the caller got and in what time, and that the next request was served.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "./harness.mjs";
import { adminOf, rootKey } from "./support/admin.mjs";
import { ask, faultyOrigin, flood } from "./support/faults.mjs";
import { policyOf } from "./support/policy.mjs";

const HEAD_MS = 500;
const IDLE_MS = 400;
const TOTAL_MS = 1_200;
const BYTES_MAX = 1_000_000;
/** How late a loaded machine may be. */
const SLACK_MS = 1_500;
const MB100 = 100 * 1_048_576;
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const megabyte = Buffer.alloc(1_048_576, "x");
const chunk = Buffer.concat([Buffer.from("100000\r\n"), megabyte, Buffer.from("\r\n")]);

const redirect = (to) => (socket) =>
  socket.write(`HTTP/1.1 302 Found\r\nLocation: ${to}\r\nContent-Length: 0\r\n\r\n`);

const FAULTS = {
  "/well": (socket) => socket.write(OK),
  "/hangs": () => {},
  "/resets": (socket) => socket.resetAndDestroy(),
  "/closes": (socket) => socket.end(),
  "/garbage": (socket) => socket.end("\x16\x03\x01 no HTTP at all\r\n\r\n"),
  "/halfhead": (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Le"),
  "/hangsinbody": (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi"),
  "/hangsinchunks": (socket) => socket.write(`${CHUNKED}2\r\nhi\r\n`),
  "/resetsinbody": (socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi");
    setTimeout(() => socket.resetAndDestroy(), 50);
  },
  "/short": (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi"),
  "/long": (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi, and more than that"),
  "/drips": (socket) => {
    socket.write(CHUNKED);
    const drip = setInterval(() => socket.write("1\r\n.\r\n"), 100);
    socket.on("close", () => clearInterval(drip));
  },
  "/dripshead": (socket) => {
    socket.write("HTTP/1.1 200 OK\r\n");
    const drip = setInterval(() => socket.write("X-Drip: 1\r\n"), 50);
    socket.on("close", () => clearInterval(drip));
  },
  "/earlyhints": (socket) => {
    for (let count = 0; count < 1_000; count += 1) socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    socket.write(OK);
  },
  "/endlesshints": (socket) => flood(socket, Buffer.from("HTTP/1.1 100 Continue\r\n\r\n".repeat(100)), Infinity),
  "/huge": (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${MB100}\r\n\r\n`);
    flood(socket, megabyte, MB100);
  },
  "/hugechunks": (socket) => {
    socket.write(CHUNKED);
    flood(socket, chunk, MB100);
  },
  "/itself": redirect("/itself"),
  "/metadata": redirect("http://169.254.169.254/latest/meta-data/"),
  "/600": (socket) => socket.write("HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\nhi"),
  default: (socket) => socket.write(OK),
};

// What a caller gets, `complete` being whether its answer came to its end; and in what time. Of a chunked answer that is
// cut off workerd makes a whole one, as of one that its origin breaks off: there, only the log's line shows it.
const TABLE = [
  ["/refuses", { statuses: [503], code: "origin-unavailable" }, [0, HEAD_MS]],
  ["/hangs", { statuses: [504], code: "origin-timeout" }, [HEAD_MS, HEAD_MS]],
  ["/halfhead", { statuses: [504], code: "origin-timeout" }, [HEAD_MS, HEAD_MS]],
  ["/dripshead", { statuses: [504], code: "origin-timeout" }, [HEAD_MS, HEAD_MS]],
  ["/resets", { statuses: [503], code: "origin-unavailable" }, [0, 0]],
  ["/closes", { statuses: [503], code: "origin-unavailable" }, [0, 0]],
  ["/garbage", { statuses: [503], code: "origin-unavailable" }, [0, 0]],
  ["/600", { statuses: [502], code: "origin-invalid" }, [0, 0]],
  ["/hangsinbody", { statuses: [200], complete: false, bytes: 2, cut: "idle" }, [IDLE_MS, IDLE_MS]],
  ["/hangsinchunks", { statuses: [200], bytes: 2, cut: "idle" }, [IDLE_MS, IDLE_MS]],
  ["/resetsinbody", { statuses: [200], complete: false, bytes: 2 }, [0, 0]],
  ["/short", { statuses: [200], complete: false, bytes: 2 }, [0, 0]],
  // workerd asks on the same connection again, and finds what was left there: it costs one more request.
  ["/long", { statuses: [200], complete: true, bytes: 2, costs: 1 }, [0, 0]],
  ["/drips", { statuses: [200], cut: "total" }, [TOTAL_MS - 100, TOTAL_MS]],
  // workerd takes the first head for the answer's, whatever it is.
  ["/earlyhints", { statuses: [502], code: "origin-invalid" }, [0, 0]],
  ["/endlesshints", { statuses: [502], code: "origin-invalid" }, [0, HEAD_MS]],
  ["/huge", { statuses: [502], code: "origin-invalid" }, [0, 0]],
  ["/hugechunks", { statuses: [200], cut: "size" }, [0, TOTAL_MS]],
  ["/itself", { statuses: [302], complete: true, bytes: 0 }, [0, 0]],
  ["/metadata", { statuses: [302], complete: true, bytes: 0 }, [0, 0]],
];

let origin;
let gateway;
const root = rootKey();

before(async () => {
  origin = await faultyOrigin(FAULTS);
  const gone = await faultyOrigin(FAULTS);
  const policy = policyOf(
    { "GET,POST /{*rest}": {}, "GET /refuses": { origin: "gone" } },
    { url: origin.url, timeout_ms: HEAD_MS },
  );
  policy.origins.api.answer = { max_bytes: BYTES_MAX, idle_timeout_ms: IDLE_MS, total_timeout_ms: TOTAL_MS };
  policy.origins.gone = { url: gone.url, timeout_ms: HEAD_MS };
  await gone.stop();
  gateway = await start({ policy, vars: root.vars });
});

after(async () => {
  await gateway?.stop();
  await origin?.stop();
});

for (const [path, expected, [msMin, msMax]] of TABLE) {
  test(`an origin at ${path} fails alone, and in time`, async () => {
    const told = await ask(gateway.url, path);
    const said = JSON.stringify({ ...told, headers: undefined });
    assert.ok(expected.statuses.includes(told.status), said);
    if (expected.code) assert.equal(told.code, expected.code, said);
    if (expected.complete !== undefined) assert.equal(told.complete, expected.complete, said);
    if (expected.bytes !== undefined) assert.equal(told.bytes, expected.bytes, said);
    assert.ok(told.ms >= msMin - 5 && told.ms <= msMax + SLACK_MS, said);
    assert.ok(told.bytes <= BYTES_MAX, said);
    if (expected.cut) {
      await sleep(50);
      const id = told.headers["x-request-id"];
      const line = gateway.lines.map(({ message }) => message).find((one) => one.includes('"cut"') && one.includes(id));
      assert.equal(JSON.parse(line).reason, expected.cut, said);
    }
    for (let count = 0; count < (expected.costs ?? 0); count += 1) await ask(gateway.url, "/well");
    const next = await ask(gateway.url, "/well");
    assert.deepEqual([next.status, next.bytes, next.complete], [200, 2, true], "the next request");
    assert.ok(next.ms <= SLACK_MS, `the next request took ${next.ms} ms`);
  });
}

test("a redirect is never followed, to itself or to a metadata address", () => {
  assert.deepEqual([origin.counts["/itself"], origin.counts["/metadata"]], [1, 1]);
});

test("hung requests hold up no other, however many there are", async () => {
  const hung = Array.from({ length: 40 }, () => ask(gateway.url, "/hangs"));
  await sleep(100);
  const next = await ask(gateway.url, "/well");
  assert.equal(next.status, 200);
  assert.ok(next.ms < HEAD_MS, `${next.ms} ms`);
  for (const told of await Promise.all(hung)) assert.equal(told.status, 504);
});

test("content that is within its bounds passes whole, and one byte more does not", async () => {
  const sizes = { "/fits": BYTES_MAX, "/over": BYTES_MAX + 1 };
  for (const [path, size] of Object.entries(sizes)) {
    FAULTS[path] = (socket) => {
      socket.write(CHUNKED);
      socket.end(`${size.toString(16)}\r\n${"x".repeat(size)}\r\n0\r\n\r\n`);
    };
    const told = await ask(gateway.url, path);
    assert.equal(told.status, 200, path);
    if (size <= BYTES_MAX) assert.equal(told.bytes, size, path);
    else assert.ok(told.bytes < BYTES_MAX, `${told.bytes} bytes`);
    FAULTS[path] = (socket) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`);
    const known = await ask(gateway.url, path);
    assert.equal(known.status, size <= BYTES_MAX ? 200 : 502, path);
  }
});

test("connections to the origin are given back when answers are cut", async () => {
  const until = Date.now() + 5_000;
  while (origin.open() > 5 && Date.now() < until) await sleep(50);
  assert.ok(origin.open() <= 5, `${origin.open()} connections are open`);
});

test("what was cut is counted where an operator looks", async () => {
  const admin = adminOf((url, init) => gateway.fetch(url, init), root.text);
  const { origins } = await admin("status");
  const api = origins.find(({ name }) => name === "api");
  assert.ok(api.cut >= 4, JSON.stringify(origins));
  assert.equal(api.breaker, null);
});
