// Which pages in a browser may read answers; and that this never stands in for authentication.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Response, start } from "./harness.mjs";
import { makeKey, PEPPER } from "./support/keys.mjs";
import { perMinute, policyOf } from "./support/policy.mjs";

const PAGE = "https://app.test";
const EXPOSED =
  "RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, " +
  "WWW-Authenticate, DPoP-Nonce, X-Request-Id, Traceparent, etag";
const ROUTES = {
  "GET,POST /open": {},
  "GET /counted": { limits: ["two"] },
  "GET,DELETE /closed": { auth: ["keys"] },
  "OPTIONS /asked": {},
};
const CORS = {
  origins: [PAGE, "https://app.test:8443", "http://localhost:3000", "app://shell"],
  methods: ["GET", "DELETE"],
  headers: ["authorization", "content-type"],
  credentials: true,
  max_age_s: 60,
  expose: ["etag"],
};

const key = makeKey();
let gateway;

before(async () => {
  gateway = await started({ cors: CORS });
});

after(() => gateway?.stop());

test("a preflight is answered before authentication, and asks nothing of the origin", async () => {
  for (const path of ["/open", "/closed", "/counted"]) {
    const answer = await preflight(path, { headers: { "access-control-request-headers": "authorization" } });
    assert.equal(answer.status, 204, path);
    assert.deepEqual(aca(answer), {
      "access-control-allow-credentials": "true",
      "access-control-allow-headers": "authorization, content-type",
      "access-control-allow-methods": "GET, DELETE",
      "access-control-allow-origin": PAGE,
      "access-control-expose-headers": EXPOSED,
      "access-control-max-age": "60",
    });
    assert.equal(answer.headers.get("vary"), "Origin");
    assert.equal(await answer.text(), "");
  }
  assert.equal(gateway.originRequests.length, 0);
});

test("preflights are not charged to a limit", async () => {
  const headers = { origin: PAGE, "cf-connecting-ip": "192.0.2.1" };
  for (let count = 0; count < 5; count += 1) {
    const answer = await preflight("/counted", { headers });
    assert.deepEqual([answer.status, answer.headers.get("ratelimit")], [204, null]);
  }
  const statuses = [];
  for (let count = 0; count < 3; count += 1) statuses.push((await gateway.fetch("/counted", { headers })).status);
  assert.deepEqual(statuses, [200, 200, 429]);
});

test("an origin is compared whole", async () => {
  for (const [origin, allowed] of [
    [PAGE, true],
    ["https://app.test:8443", true],
    ["http://localhost:3000", true],
    ["app://shell", true],
    ["http://app.test", false],
    ["https://app.test:443", false],
    ["https://app.test:8444", false],
    ["https://APP.test", false],
    ["HTTPS://app.test", false],
    ["https://app.test.", false],
    ["https://app.test/", false],
    ["https://evilapp.test", false],
    ["https://evil.app.test", false],
    ["https://app.test.evil.test", false],
    ["https://appxtest", false],
    ["https://user@app.test", false],
    ["https://app.test https://evil.test", false],
    ["https://evil.test, https://app.test", false],
    ["https://app.test, https://app.test", false],
    ["https://app.testé", false],
    ["null", false],
    ["*", false],
    ["app.test", false],
  ]) {
    const name = JSON.stringify(origin);
    const plain = await gateway.fetch("/open", { headers: { origin: latin1(origin) } });
    assert.equal(plain.status, 200, name); // CORS lets pages read; it turns nobody away
    assert.equal(plain.headers.get("access-control-allow-origin"), allowed ? origin : null, name);
    assert.equal(plain.headers.get("access-control-allow-credentials"), allowed ? "true" : null, name);
    assert.match(plain.headers.get("vary"), /\bOrigin\b/, name);
    const asked = await preflight("/open", { headers: { origin: latin1(origin) } });
    assert.equal(asked.status, allowed ? 204 : 403, name);
    if (!allowed) {
      assert.equal((await asked.json()).code, "origin-not-allowed", name);
      assert.deepEqual(aca(asked), {}, name);
    }
  }
});

test("a page may read errors as it reads answers", async () => {
  const address = { "cf-connecting-ip": "192.0.2.2" };
  for (let count = 0; count < 2; count += 1) await gateway.fetch("/counted", { headers: address });
  for (const [status, path, init] of [
    [200, "/open"],
    [400, "/open//"],
    [401, "/closed"],
    [401, "/closed", { headers: { "x-api-key": "nonsense" } }],
    [403, "/open", { cf: { country: "KP" } }],
    [404, "/none"],
    [405, "/open", { method: "PUT" }],
    [429, "/counted", { headers: address }],
  ]) {
    for (const origin of [PAGE, "https://evil.test"]) {
      const answer = await gateway.fetch(path, { ...init, headers: { ...init?.headers, origin } });
      const read = origin === PAGE ? PAGE : null;
      assert.equal(answer.status, status, path);
      assert.equal(answer.headers.get("access-control-allow-origin"), read, `${status} to ${origin}`);
      assert.equal(answer.headers.get("access-control-expose-headers"), read && EXPOSED, `${status} to ${origin}`);
      assert.match(answer.headers.get("vary"), /\bOrigin\b/, path);
    }
  }
});

test("a page may read what the gateway itself serves", async () => {
  for (const [status, path] of [[200, "/.edgeward/health"], [404, "/.edgeward/none"], [405, "/.edgeward/health"]]) {
    const method = status === 405 ? "POST" : "GET";
    const answer = await gateway.fetch(path, { method, headers: { origin: PAGE } });
    assert.equal(answer.status, status, path);
    assert.equal(answer.headers.get("access-control-allow-origin"), PAGE, path);
    assert.equal(answer.headers.get("vary"), "Origin", path);
  }
});

test("Vary names Origin for a request without one too, beside what the origin varies by", async () => {
  for (const [path, vary] of [["/open", "Accept-Language, Origin"], ["/none", "Origin"], ["/closed", "Origin"]]) {
    const answer = await gateway.fetch(path, { headers: { vary: "Forged" } });
    assert.equal(answer.headers.get("vary"), vary, path);
    assert.equal(answer.headers.get("access-control-allow-origin"), null, path);
  }
});

test("what the origin says of cross-origin reading is taken out", async () => {
  for (const [origin, expected] of [[PAGE, PAGE], ["https://evil.test", null], [undefined, null]]) {
    const answer = await gateway.fetch("/open", { headers: origin ? { origin } : {} });
    assert.equal(answer.headers.get("access-control-allow-origin"), expected);
    for (const name of ["methods", "headers", "private-network"]) {
      assert.equal(answer.headers.get(`access-control-allow-${name}`), null, name);
    }
    assert.equal(answer.headers.get("access-control-max-age"), null);
  }
});

test("OPTIONS without Origin or without a method to ask for is a request, not a preflight", async () => {
  const method = "OPTIONS";
  for (const [path, headers, status] of [
    ["/asked", {}, 200],
    ["/asked", { origin: PAGE }, 200],
    ["/asked", { "access-control-request-method": "GET" }, 200],
    ["/closed", { origin: PAGE }, 405],
    ["/closed", { "access-control-request-method": "GET" }, 405],
    ["/asked", { origin: PAGE, "access-control-request-method": "GET" }, 204],
  ]) {
    assert.equal((await gateway.fetch(path, { method, headers })).status, status, JSON.stringify(headers));
  }
});

test("an allowed origin is no credential, and a good key from another origin is one", async () => {
  const closed = (headers) => gateway.fetch("/closed", { headers });
  assert.equal((await closed({ origin: PAGE })).status, 401);
  assert.equal((await closed({ origin: PAGE, "x-api-key": key.text })).status, 200);
  const elsewhere = await closed({ origin: "https://evil.test", "x-api-key": key.text });
  assert.equal(elsewhere.status, 200);
  assert.equal(elsewhere.headers.get("access-control-allow-origin"), null);
});

test("a preflight with odd or huge lists is answered at once", async () => {
  for (const asked of ["", ",", " ".repeat(16_000), ",".repeat(16_000), "x-" + "a".repeat(8_000)]) {
    const answer = await preflight("/open", { headers: { "access-control-request-headers": asked } });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get("access-control-allow-headers"), "authorization, content-type");
  }
});

test("any origin is told as *, without credentials", async (t) => {
  const open = await started({ cors: { origins: ["*"] } });
  t.after(() => open.stop());
  for (const origin of [PAGE, "null"]) {
    const answer = await open.fetch("/open", { headers: { origin } });
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    assert.equal(answer.headers.get("access-control-allow-credentials"), null);
  }
});

test("any origin with credentials is no policy", async (t) => {
  const broken = await started({ cors: { origins: ["*"], credentials: true } });
  t.after(() => broken.stop());
  const answer = await broken.fetch("/open", { headers: { origin: PAGE } });
  assert.deepEqual([answer.status, (await answer.json()).code], [503, "policy-unavailable"]);
});

test("without cors no page may read, and a preflight is a request like any other", async (t) => {
  const closed = await started({});
  t.after(() => closed.stop());
  const headers = { origin: PAGE, "access-control-request-method": "GET" };
  const answers = [];
  for (const method of ["GET", "OPTIONS"]) answers.push(await closed.fetch("/open", { method, headers }));
  assert.deepEqual(answers.map(({ status }) => status), [200, 405]);
  for (const answer of answers) assert.deepEqual(aca(answer), {});
});

function started(members) {
  const policy = policyOf(ROUTES, {
    authenticators: { keys: { kind: "api_key" } },
    limits: { two: perMinute("ip", 2) },
    network: { deny_countries: ["KP"] },
    ...members,
  });
  const headers = {
    "access-control-allow-origin": "*",
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "*",
    "access-control-allow-headers": "*",
    "access-control-allow-private-network": "true",
    "access-control-expose-headers": "*",
    "access-control-max-age": "99999",
    vary: "Accept-Language",
  };
  const origin = () => new Response("open", { headers });
  return start({ policy, origin, vars: { KEY_PEPPER: PEPPER }, kv: Object.fromEntries([key.entry]) });
}

function preflight(path, { headers } = {}) {
  const asked = { origin: PAGE, "access-control-request-method": "GET", ...headers };
  return gateway.fetch(path, { method: "OPTIONS", headers: asked });
}

const aca = ({ headers }) => Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-")));

/** Header values are bytes: a letter beyond latin-1 would not be sent at all. */
const latin1 = (text) => Buffer.from(text).toString("latin1");
