// What of an origin's answer its caller gets, against the built wasm: 5xx, addresses, cookies, the policy's fields, and who
// may keep it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "./harness.mjs";
import { keyFor, PEPPER } from "./support/policies.mjs";
import { perMinute, policyOf } from "./support/policy.mjs";
import { rawOrigin, send, valuesOf } from "./support/raw.mjs";

const CANARY = "at Orders.find (/srv/orders/lib/db.js:17:9)";
const PAGE = "https://app.example.com";
const PUBLIC = "https://api.example.com";
const key = keyFor("7");

let bytes;
let raw;
let gateway;

before(async () => {
  raw = await rawOrigin(() => bytes);
  const policy = policyOf(
    {
      "GET,HEAD /open": {},
      "GET /passes": { errors: "pass" },
      "GET /own": { auth: ["keys"] },
      "GET /shared": { auth: ["keys"], cacheable_by: "everyone" },
      "GET /judged": { response: { fields: [{ pointer: "/secret", read: "false" }] } },
      "POST /once": { auth: ["keys"], idempotency: "required" },
      "GET /counted": { limits: ["ip"] },
    },
    {
      url: raw.url,
      public_url: PUBLIC,
      authenticators: { keys: { kind: "api_key" } },
      limits: { ip: perMinute("ip", 1_000) },
      cors: { origins: [PAGE], credentials: true, methods: ["GET"] },
    },
  );
  gateway = await start({ policy, vars: { KEY_PEPPER: PEPPER }, kv: Object.fromEntries([key.entry]) });
});

after(async () => {
  await gateway?.stop();
  await raw?.stop();
});

/** An origin's answer as bytes: its status, header lines, and content. */
function answers(status, lines = [], content = "hi") {
  bytes = [`HTTP/1.1 ${status} Told`, ...lines, `Content-Length: ${content.length}`, "", content].join("\r\n");
}

const ask = (target, { headers = [], ...more } = {}) => send(gateway.url, { target, headers, ...more });
const asCaller = (target, { headers = [], ...more } = {}) =>
  ask(target, { headers: [`X-Api-Key: ${key.text}`, ...headers], ...more });
const has = (answer, name) => valuesOf(answer, name).join(" | ");

test("a 5xx is told by the gateway, and its text, its fields and its software stay behind", async () => {
  for (const [status, told, code] of [
    [500, 502, "origin-invalid"],
    [501, 502, "origin-invalid"],
    [502, 502, "origin-invalid"],
    [503, 503, "origin-unavailable"],
    [504, 504, "origin-timeout"],
    [599, 502, "origin-invalid"],
  ]) {
    answers(status, ["X-Trace: canary", "Set-Cookie: canary=1", "X-Powered-By: canary", "Cache-Control: public"], CANARY);
    const answer = await ask("/open");
    const document = JSON.parse(answer.body);
    assert.deepEqual([answer.status, document.code, document.status], [told, code, told], String(status));
    assert.doesNotMatch(answer.body + JSON.stringify(answer.fields), /canary|db\.js/);
    assert.deepEqual([has(answer, "cache-control"), has(answer, "content-type")], ["no-store", "application/problem+json"]);
    const line = await gateway.decisionOf({ headers: new Map([["x-request-id", has(answer, "x-request-id")]]) });
    assert.deepEqual([line.verdict, line.reason, line.origin.status, line.status], ["refused", "origin_failed", status, told]);
    answers(status, ["X-Trace: seen"], CANARY);
    const passed = await ask("/passes");
    assert.deepEqual([passed.status, passed.body.toString(), has(passed, "x-trace")], [status, CANARY, "seen"]);
  }
  answers(500, [], "");
  const head = await ask("/open", { method: "HEAD" });
  assert.deepEqual([head.status, head.body.length], [502, 0]);
});

test("what is under 500 passes with its text", async () => {
  for (const status of [400, 404, 409, 422, 499]) {
    answers(status, ["Content-Type: text/plain"], CANARY);
    const answer = await ask("/open");
    assert.deepEqual([answer.status, answer.body.toString()], [status, CANARY]);
  }
});

test("an origin that is not available says when it will be, within a day", async () => {
  for (const [told, least, most] of [["120", 120, 132], ["999999", 86_400, 95_040], ["soon", 5, 5], [null, 5, 5]]) {
    answers(503, told === null ? [] : [`Retry-After: ${told}`]);
    const after_s = Number(has(await ask("/open"), "retry-after"));
    assert.ok(after_s >= least && after_s <= most, `${after_s} for ${told}`);
  }
});

test("a failure that was kept back is told again for its key, byte by byte, and the origin acts once", async () => {
  answers(500, ["X-Trace: canary"], CANARY);
  const pay = () =>
    asCaller("/once", { method: "POST", headers: ['Idempotency-Key: "a"', "Content-Length: 0"] });
  const [before, first, again] = [raw.heads.length, await pay(), await pay()];
  assert.deepEqual([first.status, again.status], [502, 502]);
  assert.equal(again.body.toString(), first.body.toString());
  assert.match(first.body.toString(), /origin-invalid/);
  assert.deepEqual([has(first, "idempotent-replayed"), has(again, "idempotent-replayed")], ["", "true"]);
  for (const name of ["content-type", "cache-control", "content-security-policy"]) {
    assert.equal(has(again, name), has(first, name), name);
  }
  assert.equal(raw.heads.length - before, 1);
});

test("an address of the inside becomes the gateway's, or is not told", async () => {
  for (const [given, told] of [
    [`${raw.url}/orders/7?a=1#b`, `${PUBLIC}/orders/7?a=1#b`],
    [`${raw.url.replace("http:", "")}/orders`, `${PUBLIC}/orders`],
    ["/orders/7", "/orders/7"],
    ["https://login.example.net/authorize", "https://login.example.net/authorize"],
    [`${PUBLIC}/orders`, `${PUBLIC}/orders`],
    ["http://169.254.169.254/latest/meta-data/", ""],
    ["http://10.1.2.3/", ""],
    ["http://localhost:9/", ""],
    ["http://orders/7", ""],
    ["http://orders.internal/7", ""],
    ["http:\\\\10.1.2.3/", ""],
    ["//10.1.2.3/", ""],
  ]) {
    for (const status of [201, 302]) {
      answers(status, [`Location: ${given}`, `Content-Location: ${given}`, `Link: <${given}>; rel=next`]);
      const answer = await ask("/open");
      const link = told && `<${told}>; rel=next`;
      const seen = ["location", "content-location", "link"].map((name) => has(answer, name));
      assert.deepEqual([answer.status, ...seen], [status, told, told, link], given);
    }
  }
});

test("what tells of the inside stays behind", async () => {
  const fields = {
    Server: "nginx/1.1",
    Via: "1.1 inner-proxy.internal",
    "X-Powered-By": "Express",
    "X-AspNet-Version": "4",
    "X-AspNetMvc-Version": "5",
    "X-Runtime": "0.03",
    "X-Debug-Token-Link": "/_profiler/1",
    "X-Backend-Server": "orders-3",
    "X-Upstream-Addr": "10.1.2.3:80",
    "X-Served-By": "orders-3",
    "Alt-Svc": 'h3=":8443"',
    "DPoP-Nonce": "forged",
    "Idempotent-Replayed": "true",
    "Edgeward-Anything": "forged",
  };
  answers(200, [...Object.entries(fields).map(([name, value]) => `${name}: ${value}`), "X-Total-Count: 3"]);
  const answer = await ask("/open");
  for (const name of Object.keys(fields)) assert.equal(has(answer, name.toLowerCase()), "", name);
  assert.equal(has(answer, "x-total-count"), "3");
});

test("cross-origin, transport and type rules are the policy's, whatever the origin says", async () => {
  answers(200, [
    "Access-Control-Allow-Origin: *",
    "Access-Control-Allow-Credentials: true",
    "Access-Control-Allow-Methods: *",
    "Access-Control-Expose-Headers: *",
    "Access-Control-Allow-Private-Network: true",
    "Strict-Transport-Security: max-age=0",
    "X-Content-Type-Options: off",
    "X-Request-Id: forged",
    "Vary: Accept",
  ]);
  const stranger = await ask("/open", { headers: ["Origin: https://evil.example"] });
  const names = stranger.fields.map(([name]) => name).filter((name) => name.startsWith("access-control-"));
  assert.deepEqual(names, []);
  const page = await ask("/open", { headers: [`Origin: ${PAGE}`] });
  assert.deepEqual(valuesOf(page, "access-control-allow-origin"), [PAGE]);
  assert.deepEqual(valuesOf(page, "access-control-allow-credentials"), ["true"]);
  assert.deepEqual([has(page, "access-control-allow-methods"), has(page, "access-control-allow-private-network")], ["", ""]);
  assert.doesNotMatch(has(page, "access-control-expose-headers"), /\*/);
  for (const answer of [stranger, page]) {
    assert.deepEqual([has(answer, "strict-transport-security"), has(answer, "x-content-type-options")], ["", "nosniff"]);
    assert.match(has(answer, "x-request-id"), /^[0-9a-f-]{36}$/);
    assert.match(has(answer, "vary"), /Accept.*Origin/);
  }
  const secure = await gateway.fetch("https://gateway.test/open");
  assert.match(secure.headers.get("strict-transport-security"), /^max-age=31536000/);
});

test("several cookies stay several, on every way out", async () => {
  const cookies = ["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/", "b=2, c=3; HttpOnly", "a=4"];
  const lines = ["Content-Type: application/json", ...cookies.map((cookie) => `Set-Cookie: ${cookie}`)];
  for (const [target, content] of [["/open", "{}"], ["/judged", '{"secret":1}'], ["/judged", "{}"], ["/own", "{}"]]) {
    answers(200, lines, content);
    const answer = await asCaller(target);
    assert.deepEqual([answer.status, valuesOf(answer, "set-cookie").sort()], [200, [...cookies].sort()], target);
  }
  answers(201, lines);
  const headers = ['Idempotency-Key: "cookies"', "Content-Length: 0"];
  const first = await asCaller("/once", { method: "POST", headers });
  assert.deepEqual(valuesOf(first, "set-cookie").sort(), [...cookies].sort());
});

test("what a caller shows a credential for is kept by its own cache alone, and varies by it", async () => {
  for (const [said, own] of [
    [[], "private"],
    [["Cache-Control: public, s-maxage=600, max-age=60"], "private, max-age=60"],
    [["Cache-Control: public", "Cache-Control: max-age=60"], "private, max-age=60"],
    [["Cache-Control: no-store"], "no-store"],
  ]) {
    answers(200, ["Vary: Accept", "CDN-Cache-Control: max-age=60", "Surrogate-Control: max-age=60", ...said]);
    const answer = await asCaller("/own");
    assert.equal(has(answer, "cache-control"), own);
    assert.deepEqual([has(answer, "cdn-cache-control"), has(answer, "surrogate-control")], ["", ""]);
    const vary = own === "no-store" ? /^Accept/ : /^Accept, x-api-key/;
    assert.match(has(answer, "vary"), vary);
    assert.match(has(answer, "vary"), /Origin/);
    for (const target of ["/shared", "/open"]) {
      const shared = await asCaller(target);
      assert.equal(has(shared, "cache-control"), said.map((line) => line.split(": ")[1]).join(", "), target);
      assert.equal(has(shared, "cdn-cache-control"), "max-age=60");
    }
  }
});

test("an answer that is told again says of keeping what it said first", async () => {
  answers(201, ["Cache-Control: public", `Location: ${raw.url}/orders/7`, "CDN-Cache-Control: max-age=60"]);
  const headers = ['Idempotency-Key: "kept"', "Content-Length: 0"];
  const first = await asCaller("/once", { method: "POST", headers });
  const again = await asCaller("/once", { method: "POST", headers });
  assert.equal(has(again, "idempotent-replayed"), "true");
  for (const answer of [first, again]) {
    assert.deepEqual([has(answer, "cache-control"), has(answer, "location")], ["private", `${PUBLIC}/orders/7`]);
    assert.equal(has(answer, "cdn-cache-control"), "");
    assert.match(has(answer, "vary"), /x-api-key/);
  }
});

test("nobody keeps an error that its origin does not say may be kept, nor one of a request", async () => {
  for (const [status, said, told] of [
    [404, [], "no-store"],
    [410, [], "no-store"],
    [404, ["Cache-Control: public, max-age=5"], "public, max-age=5"],
    [400, ["Cache-Control: public, max-age=5"], "no-store"],
    [401, ["Cache-Control: public, max-age=5"], "no-store"],
    [429, ["Cache-Control: public, max-age=5"], "no-store"],
    [431, ["Cache-Control: public, max-age=5"], "no-store"],
  ]) {
    answers(status, said);
    assert.equal(has(await ask("/open"), "cache-control"), told, `${status} ${said}`);
  }
});

test("an origin that names a field in its Connection loses its own word, and not the gateway's", async () => {
  answers(200, ["Connection: Cache-Control, vary, x-mine", "Cache-Control: public, max-age=60", "Vary: accept", "X-Mine: 1"]);
  const own = await asCaller("/own");
  assert.deepEqual([own.status, has(own, "cache-control")], [200, "private, max-age=60"]);
  assert.match(has(own, "vary"), /x-api-key/);
  assert.equal(has(own, "x-mine"), "");
});

test("an answer without content tells no length that is none", async () => {
  for (const length of ["-1", "x", "2, 3"]) {
    bytes = `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
    const { status, fields } = await ask("/open", { method: "HEAD" });
    const lengths = fields.filter(([name]) => name === "content-length").map(([, value]) => value);
    assert.ok([200, 503].includes(status), `${length}: ${status}`);
    assert.ok(!lengths.includes(length), `${length}: ${lengths}`);
  }
});
