// Origins that are reached by a binding: a second Worker under workerd, and TLS with the gateway's certificate. What
// holds for an origin by its URL holds for them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { boundElsewhere } from "../../scripts/serve/worker.mjs";
import { start } from "./harness.mjs";
import { adminOf, rootKey } from "./support/admin.mjs";
import { identityKey } from "./support/identity.mjs";
import { makeKey, PEPPER } from "./support/keys.mjs";
import { policyOf } from "./support/policy.mjs";
import { codeOf, send } from "./support/raw.mjs";
import { recipe } from "./support/recipes.mjs";
import { certificateBinding, client, mtlsOrigin, other } from "./support/tls.mjs";

const STOCK = readFileSync(new URL("support/stock.mjs", import.meta.url), "utf8");
const URL_SEEN = "https://stock.internal";
const key = makeKey({ subject: "shop-17" });

let gateway;
let signer;

before(async () => {
  signer = await identityKey();
  gateway = await begin({ "GET,HEAD,PUT,POST /{*rest}": {} }, { signature: {} });
});

after(() => gateway?.stop());

/** A Worker with `name`, which verifies what it is sent. */
function stock(name) {
  const { d, ...published } = signer;
  return {
    name,
    modules: [
      { type: "ESModule", path: "stock.mjs", contents: STOCK },
      { type: "ESModule", path: "message.mjs", contents: recipe("message.mjs") },
    ],
    compatibilityDate: "2026-07-01",
    bindings: { NAME: name, KEYS: [published] },
  };
}

async function begin(routes, rules, { services = { STOCK: "stock" }, beside = [stock("stock")], more = {}, vars } = {}) {
  const policy = policyOf(routes, { url: URL_SEEN, authenticators: { keys: { kind: "api_key" } } });
  policy.origins.api = { ...policy.origins.api, service_binding: "STOCK", ...rules };
  Object.assign(policy.origins, more);
  const secrets = { KEY_PEPPER: PEPPER, IDENTITY_KEY: JSON.stringify(signer), ...vars };
  return start({ policy, vars: secrets, kv: Object.fromEntries([key.entry]), services, beside });
}

const seenBy = async (its, name = "stock") => {
  const worker = await its.miniflare.getWorker(name);
  return (await worker.fetch("https://any.test/__seen")).json();
};

test("another Worker gets what an origin gets, and verifies it", async () => {
  const headers = { "x-api-key": key.text, "content-type": "text/plain", "x-forwarded-for": "forged", signature: "edgeward=:AAAA:" };
  const answer = await gateway.fetch("https://api.test/v1/orders?a=%201", { method: "POST", headers, body: "hello" });
  const seen = await answer.json();
  assert.deepEqual([seen.name, seen.fault, seen.url], ["stock", null, `${URL_SEEN}/v1/orders?a=%201`]);
  assert.deepEqual([seen.method, seen.content], ["POST", "hello"]);
  assert.equal(seen.fields["x-api-key"], undefined);
  assert.equal(seen.fields["x-forwarded-host"], "api.test");
  assert.notEqual(seen.fields["x-forwarded-for"], "forged");
  assert.equal(answer.headers.get("x-request-id"), seen.fields["edgeward-request-id"]);
  const { origin } = await gateway.decisionOf(answer);
  assert.deepEqual([origin.name, origin.status], ["api", 200]);
  for (const method of ["GET", "PUT"]) {
    const again = await (await gateway.fetch("/v1/x", { method, body: method === "PUT" ? "" : undefined })).json();
    assert.equal(again.fault, null, method);
  }
  assert.equal((await gateway.fetch("/v1/x", { method: "HEAD" })).status, 200);
});

test("its redirects are passed on and not followed", async () => {
  const seen = await seenBy(gateway);
  const answer = await send(gateway.url, { target: "/moved" });
  assert.deepEqual([answer.status, answer.fields.find(([name]) => name === "location")[1]], [302, "https://elsewhere.test/secret"]);
  assert.equal(await seenBy(gateway), seen + 1);
});

test("it has its timeout, and what it throws is an origin that failed", async (t) => {
  const its = await begin({ "GET /{*rest}": {} }, { timeout_ms: 200 });
  t.after(() => its.stop());
  const begun = performance.now();
  assert.deepEqual(await told(its, "/slow"), [504, "origin-timeout"]);
  assert.ok(performance.now() - begun < 2_500);
  assert.deepEqual(await told(its, "/throws"), [503, "origin-unavailable"]);
  assert.equal((await send(its.url, { target: "/v1" })).status, 200);
});

test("breaker, retry, places and bounds of answers are those of any origin", async (t) => {
  const its = await begin(
    { "GET /{*rest}": {} },
    {
      circuit_breaker: { consecutive: 2, open_s: 60, on: ["connect"] },
      retry: { attempts: 1, on: ["503"] },
      max_concurrent: 1,
      answer: { max_bytes: 999 },
    },
  );
  t.after(() => its.stop());
  const retried = await its.fetch("/broken");
  assert.deepEqual([retried.status, await seenBy(its)], [503, 2]);
  assert.equal((await its.decisionOf(retried)).origin.retries, 1);
  // No length is told from Worker to Worker, so what is too large shows only on its way.
  const large = await send(its.url, { target: "/large" });
  assert.ok(large.body.length <= 999, `${large.body.length} bytes`);
  while (!its.lines.some(({ message }) => /"event":"cut".*"reason":"size"/.test(message))) await sleep(5);
  const held = send(its.url, { target: "/held" });
  while ((await seenBy(its)) < 4);
  assert.deepEqual(await told(its, "/v1"), [503, "overloaded"]);
  assert.equal((await held).status, 200);
  for (let count = 0; count < 2; count += 1) assert.equal((await told(its, "/throws"))[0], 503);
  const seen = await seenBy(its);
  assert.deepEqual(await told(its, "/v1"), [503, "origin-unavailable"]);
  assert.equal(await seenBy(its), seen, "an open breaker sent something");
});

test("two Workers under one URL are two origins", async (t) => {
  const more = { second: { url: URL_SEEN, service_binding: "SECOND", circuit_breaker: { consecutive: 1 } } };
  const services = { STOCK: "stock", SECOND: "second" };
  const routes = { "GET /{*rest}": {}, "GET /second/{*rest}": { origin: "second" }, "GET /throws": { origin: "second" } };
  const its = await begin(routes, { circuit_breaker: { consecutive: 1 } }, { services, beside: [stock("stock"), stock("second")], more });
  t.after(() => its.stop());
  assert.equal((await (await its.fetch("/second/x")).json()).name, "second");
  assert.equal((await its.fetch("/throws")).status, 503);
  assert.equal((await its.fetch("/second/x")).status, 503);
  assert.equal((await (await its.fetch("/x")).json()).name, "stock");
});

test("the gateway shows its certificate by its binding, and by nothing else", async (t) => {
  const origin = await mtlsOrigin();
  t.after(() => origin.stop());
  const rules = (binding) => ({ url: origin.url, service_binding: undefined, client_certificate_binding: binding });
  const services = { MTLS: certificateBinding(client), OTHER: certificateBinding(other), NONE: certificateBinding() };
  for (const [binding, status] of [["MTLS", 200], ["OTHER", 503], ["NONE", 503]]) {
    const its = await begin({ "GET /{*rest}": {} }, rules(binding), { services, beside: [] });
    t.after(() => its.stop());
    origin.requests.length = 0;
    assert.equal((await its.fetch("/orders?a=1")).status, status, binding);
    const expected = [{ method: "GET", url: "/orders?a=1", subject: "client.example" }];
    assert.deepEqual(origin.requests, status === 200 ? expected : [], binding);
    if (status !== 200) continue;
    const moved = await send(its.url, { target: "/moved" });
    assert.deepEqual([moved.status, origin.requests.length], [302, 2]);
  }
});

test("a binding that is not there, or is of another kind, is told before it is missed", async (t) => {
  const root = rootKey();
  const its = await begin({ "GET /{*rest}": {} }, {}, { vars: root.vars });
  t.after(() => its.stop());
  const admin = adminOf((url, init) => its.fetch(url, init), root.text);
  const { origins } = await admin("status");
  assert.deepEqual(origins.map(({ name, binding }) => [name, binding]), [["api", "STOCK"]]);
  for (const [field, name, lines] of [
    ["service_binding", "NOWHERE", /\[\[services\]\] binding = "NOWHERE"/],
    ["service_binding", "STORE", /\[\[services\]\] binding = "STORE"/],
    ["service_binding", "LIMITER", /\[\[services\]\]/],
    ["service_binding", "KEY_PEPPER", /\[\[services\]\]/],
    ["client_certificate_binding", "NOWHERE", /\[\[mtls_certificates\]\] binding = "NOWHERE".*mtls-certificate upload/],
  ]) {
    const policy = policyOf({ "GET /x": {} }, { url: URL_SEEN });
    policy.origins.api[field] = name;
    const { loads, faults } = await admin("policy/check", policy);
    assert.deepEqual([loads, faults.map(({ pointer }) => pointer)], [false, [`/origins/api/${field}`]], name);
    assert.match(faults[0].fix, lines);
    assert.match(faults[0].problem, new RegExp(name));
  }
});

test("on a machine that has not what wrangler.toml binds, a policy that names it loads and says so", async (t) => {
  const origin = await mtlsOrigin();
  t.after(() => origin.stop());
  const services = boundElsewhere({
    services: [{ binding: "STOCK", service: "stock-production" }],
    mtls_certificates: [{ binding: "MTLS", certificate_id: "…" }],
  });
  const more = { bare: { url: origin.url, client_certificate_binding: "MTLS" } };
  const its = await begin({ "GET /{*rest}": { errors: "pass" }, "GET /bare/{*rest}": { origin: "bare" } }, {}, { services, beside: [], more });
  t.after(() => its.stop());
  const answer = await its.fetch("/x");
  assert.deepEqual([answer.status, /stock-production does not run here/.test(await answer.text())], [503, true]);
  assert.equal((await its.fetch("/bare/x")).status, 503);
  assert.deepEqual(origin.requests, []);
});

async function told(its, target) {
  const answer = await send(its.url, { target });
  return [answer.status, codeOf(answer)];
}
