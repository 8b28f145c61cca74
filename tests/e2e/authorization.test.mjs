// Roles, tenants and the bound on trying objects, over the built worker; and what `check` tells of a rule.
import assert from "node:assert/strict";
import { before, after, describe, test } from "node:test";
import { adminOf, rootKey } from "./support/admin.mjs";
import { Response, start } from "./harness.mjs";
import { HOST, PEPPER, from, keyFor, policyOf, tally, window } from "./support/policies.mjs";

const PROBES = 5;
const wide = { wide: window("caller", 100_000) };
const probes = window("caller", PROBES, 300, { counts: "refused_objects" });
const route = (id, path, more = {}) => ({
  id,
  match: { methods: ["GET"], path },
  auth: ["keys"],
  limits: ["wide"],
  ...more,
});

const policy = policyOf({
  authenticators: { keys: { kind: "api_key" } },
  roles: {
    reader: ["orders:read"],
    support: { inherits: ["reader"], scopes: ["notes:*"] },
    operator: { inherits: ["support"] },
  },
  tenancy: { path: "tenantId", except_roles: ["operator"] },
  limits: { ...wide, probes },
  routes: [
    route("list", "/t/{tenantId}/orders", { require: { scopes: ["orders:read"] } }),
    route("note", "/t/{tenantId}/notes", { require: { scopes: { any: ["notes:write", "notes:admin"] } } }),
    route("order", "/t/{tenantId}/orders/{id}", { limits: ["wide", "probes"] }),
    route("staff", "/staff", { tenancy: "none", require: { roles: ["reader"] } }),
    route("rule", "/rule", { tenancy: "none", allow: "caller.claims.none == 'x'" }),
    route("loop", "/loop", { tenancy: "none", allow: "request.query.a.all(a, a == 'x' || a in caller.roles)" }),
  ],
});

const keys = {
  reader: keyFor("reader", { tenant: "acme", scopes: [], roles: ["reader"] }),
  support: keyFor("support", { tenant: "acme", scopes: [], roles: ["support"] }),
  operator: keyFor("operator", { scopes: [], roles: ["operator"] }),
  homeless: keyFor("homeless", { scopes: ["orders:read"] }),
  one: keyFor("one", { tenant: "acme", scopes: [] }),
  two: keyFor("two", { tenant: "acme", scopes: [] }),
  three: keyFor("three", { tenant: "acme", scopes: [] }),
};

/** What the origin knows; anything else is a 404. */
const origin = ({ url }) => new Response("here", { status: /orders\/(?!own)/.test(url) ? 404 : 200 });

describe("who may do what", () => {
  let gateway;
  let admin;
  before(async () => {
    const root = rootKey();
    gateway = await start({
      policy,
      vars: { KEY_PEPPER: PEPPER, ...root.vars },
      kv: Object.fromEntries(Object.values(keys).map(({ entry }) => entry)),
      origin,
    });
    admin = adminOf(gateway.fetch, root.text);
  });
  after(() => gateway?.stop());

  const ask = async (name, path) => {
    const answer = await gateway.fetch(`${HOST}${path}`, { headers: from("192.0.2.1", { "x-api-key": keys[name].text }) });
    const text = await answer.text();
    return { answer, text, line: await gateway.decisionOf(answer) };
  };

  test("roles grant what they inherit, and a caller stays with its tenant", async () => {
    for (const [name, path, status, reason] of [
      ["reader", "/t/acme/orders", 200],
      ["reader", "/t/%61cme/orders", 200],
      ["reader", "/t/globex/orders", 403, "other_tenant"],
      ["reader", "/t/acme/notes", 403, "missing_any_scope"],
      ["support", "/t/acme/notes", 200],
      ["support", "/t/globex/notes", 403, "other_tenant"],
      ["operator", "/t/globex/notes", 200],
      ["operator", "/t/acme/orders", 200],
      ["homeless", "/t/acme/orders", 403, "no_tenant"],
      ["support", "/staff", 200],
      ["homeless", "/staff", 403, "missing_role"],
    ]) {
      const { answer, text, line } = await ask(name, path);
      assert.deepEqual([answer.status, line.reason], [status, reason], `${name} ${path}`);
      if (status === 403) assert.ok(!/globex|acme/.test(text), text);
    }
    const sent = gateway.originRequests.map(({ url }) => new URL(url).pathname);
    assert.ok(!sent.some((path) => path.includes("globex/orders")), "no other tenant's request left");
  });

  test("an expression that fails refuses, and the log says which and why", async () => {
    const { answer, line } = await ask("one", "/rule");
    assert.deepEqual([answer.status, line.reason, line.detail], [403, "allow_failed", "allow: error NoSuchKey"]);
  });

  test("a loop over all that one request can send ends", async () => {
    const pairs = Array.from({ length: 256 }, () => "a=x").join("&");
    assert.equal((await ask("one", `/loop?${pairs}`)).answer.status, 200);
    assert.equal((await ask("one", `/loop?${pairs.replace("a=x", "a=y")}`)).answer.status, 403);
  });

  test("one who tries objects that are missing is slowed down, and nobody else", async () => {
    assert.equal((await ask("one", "/t/acme/orders/own")).answer.status, 200);
    for (let id = 0; id < PROBES; id += 1) {
      assert.equal((await ask("one", `/t/${id % 2 ? "globex" : "acme"}/orders/${id}`)).answer.status, id % 2 ? 403 : 404);
    }
    const { answer, line } = await ask("one", "/t/acme/orders/own");
    assert.deepEqual([answer.status, line.reason], [429, "over_limit"]);
    assert.ok(Number(answer.headers.get("retry-after")) >= 1);
    assert.equal((await ask("one", "/staff")).answer.status, 403, "another route goes on");
    assert.equal((await ask("two", "/t/acme/orders/own")).answer.status, 200);
  });

  test("of many that are tried at once, no more are told of than there is room", async () => {
    const before = gateway.originRequests.length;
    const answers = await Promise.all(Array.from({ length: 40 }, (_, id) => ask("three", `/t/acme/orders/${id}`)));
    const statuses = tally(answers.map(({ answer }) => answer.status));
    assert.deepEqual(Object.keys(statuses), ["404", "429"]);
    assert.ok(statuses[404] <= PROBES, JSON.stringify(statuses));
    assert.ok(statuses[404] > 0);
    assert.ok(gateway.originRequests.length - before <= 40);
    assert.equal((await ask("three", "/t/acme/orders/own")).answer.status, 429);
  });

  test("check tells line and column, what is wrong and the text there", async () => {
    const wrong = structuredClone(policy);
    wrong.routes[0].allow = "caller.kind == 'api_key'\n  && caller.scoops == 'a'";
    wrong.routes[1].allow = "path.tenantId == 7";
    wrong.routes[2].allow = "path.id";
    const { loads, faults } = await admin("policy/check", wrong);
    assert.equal(loads, false);
    const told = faults.map(({ pointer, problem }) => `${pointer}: ${problem}`);
    assert.match(told[0], /^\/routes\/0\/allow: line 2, column 12: no `caller\.scoops`; there is .* \(at `\.scoops == 'a'`\)$/);
    assert.match(told[1], /^\/routes\/1\/allow: line 1, column \d+: text and a number are never equal \(at `== 7`\)$/);
    assert.match(told[2], /^\/routes\/2\/allow: line 1, column \d+: gives text, and has to give true or false/);
    const open = structuredClone(policy);
    delete open.routes[3].require;
    assert.deepEqual((await admin("policy/check", open)).open_routes, ["staff"]);
  });
});
