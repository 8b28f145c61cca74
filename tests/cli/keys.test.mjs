// `edgeward keys …`: what is asked of the gateway, and what people and programs get to read.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { keyOf, NOW_S, recordOf } from "./support/records.mjs";
import { problem, stub } from "./support/stub.mjs";

const ID = "3kT9mQ2xVb7L";
const OTHER = "8fW0cZr5TnYp";
const DAY_S = 86_400;

const gateways = [];
after(() => Promise.all(gateways.map((gateway) => gateway.stop())));

async function gatewayOf(answers) {
  const gateway = await stub({ answers });
  gateways.push(gateway);
  return gateway;
}

const made = () => ({ status: 201, body: { key: keyOf(ID), record: recordOf(ID) } });

test("create asks for a key with nothing that was not said, and shows it once", async () => {
  const gateway = await gatewayOf({ createKey: made });
  const { code, stdout, stderr } = await gateway.run("keys", "create", "--subject", "shop-17");
  assert.deepEqual([code, stderr], [0, ""]);
  assert.deepEqual(gateway.requests[0].json, { subject: "shop-17", scopes: [] });
  assert.equal(stdout.split(keyOf(ID)).length, 2, stdout);
  assert.equal(stdout.split("\n")[0], keyOf(ID));
  assert.match(stdout, /never again/);
});

test("create passes on every flag", async () => {
  const gateway = await gatewayOf({ createKey: made });
  const flags = {
    "--subject": ["shop-17"],
    "--tenant": ["acme"],
    "--scope": ["orders:read", "orders:write"],
    "--role": ["customer"],
    "--plan": ["free"],
    "--cidr": ["192.0.2.0/24", "2001:db8::/32"],
    "--expires": ["2027-01-01"],
    "--not-before": [String(NOW_S)],
    "--env": ["test"],
    "--note": ["the web shop"],
    "--authenticator": ["keys"],
    "--limit": ["minute=500", "burst=10/s,burst=20", "slow=0.5/s,queue=0"],
  };
  const { code } = await gateway.run("keys", "create", ...Object.entries(flags).flat(2));
  assert.equal(code, 0);
  assert.deepEqual(gateway.requests[0].json, {
    authenticator: "keys",
    env: "test",
    subject: "shop-17",
    tenant: "acme",
    scopes: ["orders:read", "orders:write"],
    roles: ["customer"],
    plan: "free",
    cidrs: ["192.0.2.0/24", "2001:db8::/32"],
    not_before: NOW_S,
    expires_at: Date.UTC(2027, 0, 1) / 1_000,
    limits: {
      minute: { limit: 500 },
      burst: { rate_per_s: 10, burst: 20 },
      slow: { rate_per_s: 0.5, queue: 0 },
    },
    note: "the web shop",
  });
});

test("a flag that may be repeated takes one value at a time too", async () => {
  const gateway = await gatewayOf({ createKey: made });
  await gateway.run("keys", "create", "--scope", "a", "--subject", "s", "--scope", "b");
  assert.deepEqual(gateway.requests[0].json.scopes, ["a", "b"]);
});

test("a lifetime is counted from now, never has to be said, and now is left to the gateway's clock", async () => {
  const gateway = await gatewayOf({ createKey: made });
  const before_s = Math.floor(Date.now() / 1_000);
  await gateway.run("keys", "create", "--subject", "s", "--expires", "30d", "--not-before", "now");
  await gateway.run("keys", "create", "--subject", "s", "--expires", "never");
  const [first, second] = gateway.requests.map(({ json }) => json);
  const late_s = first.expires_at - before_s - 30 * DAY_S;
  assert.ok(late_s >= 0 && late_s < 60, `off by ${late_s} s`);
  assert.deepEqual(["not_before" in first, second.expires_at], [false, "never"]);
});

test("what is wrong in a flag is told before the gateway is asked", async () => {
  const gateway = await gatewayOf({});
  const wrong = [
    ["--tenant", "acme"],
    ["--subject", "s", "--expires", "1y"],
    ["--subject", "s", "--expires", "now"],
    ["--subject", "s", "--env", "prod"],
    ["--subject", "s", "--not-before", "90d"],
    ["--subject", "s", "--key", "x"],
    ["--subject", "s", "more"],
    ["--subject"],
  ];
  for (const flags of wrong) {
    const { code, stdout, stderr } = await gateway.run("keys", "create", ...flags);
    assert.deepEqual([code, stdout], [2, ""], flags.join(" "));
    assert.match(stderr, /\S+\n.*--help/, flags.join(" "));
  }
  assert.deepEqual(gateway.requests, []);
});

test("list walks every page, also over one that is empty", async () => {
  const [PAST, HANDED_OVER, STOPPED] = ["PastPastPast", "HandedOver12", "StoppedOne12"];
  const ended = { expires_at: 1_000_000_000, scopes: [], roles: [] };
  const over = [recordOf(PAST, ended), recordOf(HANDED_OVER, { ...ended, state: "retiring" }), recordOf(STOPPED, { ...ended, state: "revoked" })];
  const pages = {
    "": [[recordOf(ID, { expires_at: Date.UTC(2100, 0, 1) / 1_000 })], "a b"],
    "a b": [[], "c"],
    c: [[recordOf(OTHER, { tenant: "acme", expires_at: "never", roles: ["clerk"] }), ...over], null],
  };
  const listKeys = ({ query }) => {
    const [keys, cursor] = pages[new Map(query).get("cursor") ?? ""];
    return { status: 200, body: { keys, cursor } };
  };
  const gateway = await gatewayOf({ listKeys });
  const shown = await gateway.run("keys", "list", "--subject", "shop-17");
  assert.equal(shown.code, 0);
  const rows = shown.stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/ {2,}/));
  assert.deepEqual(rows, [
    ["ID", "STATE", "SUBJECT", "TENANT", "EXPIRES", "SCOPES", "ROLES"],
    [ID, "active", "shop-17", "-", "2100-01-01T00:00:00Z", "orders:read orders:write", "-"],
    [OTHER, "active", "shop-17", "acme", "never", "orders:read orders:write", "clerk"],
    ...[[PAST, "expired"], [HANDED_OVER, "expired"], [STOPPED, "revoked"]].map(([id, state]) => [id, state, "shop-17", "-", "2001-09-09T01:46:40Z", "-", "-"]),
  ]);
  assert.deepEqual(
    gateway.requests.map(({ query }) => Object.fromEntries(query)),
    [
      { subject: "shop-17", limit: "200" },
      { subject: "shop-17", cursor: "a b", limit: "200" },
      { subject: "shop-17", cursor: "c", limit: "200" },
    ],
  );
  const { stdout } = await gateway.run("keys", "list", "--json");
  const document = JSON.parse(stdout);
  assert.deepEqual([document.keys.map(({ id }) => id), document.cursor], [[ID, OTHER, PAST, HANDED_OVER, STOPPED], null]);
});

test("a list that leads in a circle ends", async () => {
  const gateway = await gatewayOf({ listKeys: () => ({ status: 200, body: { keys: [], cursor: "again" } }) });
  const { code, stderr } = await gateway.run("keys", "list");
  assert.deepEqual([code, gateway.requests.length], [2, 2]);
  assert.match(stderr, /circle/);
});

test("show tells the record and its use", async () => {
  const uses = [{ count: 12, last_used_at: NOW_S }, null];
  const showKey = ({ values }) => ({
    status: 200,
    body: { record: recordOf(values.id, { note: "for \u202eyou" }), use: uses.shift(), unheeded: [] },
  });
  const gateway = await gatewayOf({ showKey });
  const used = await gateway.run("keys", "show", ID);
  assert.match(used.stdout, /used 12 times or more, the last time at 2026-11-21T20:26:23Z/);
  assert.match(used.stdout, /^created_at +2026-11-21T20:26:23Z$/m);
  // A note comes from others: it does not steer the terminal.
  assert.match(used.stdout, /^note +for \?you$/m);
  const unused = await gateway.run("keys", "show", ID);
  assert.match(unused.stdout, /never used/);
});

test("rotate shows the new key and until when the old one is good", async () => {
  const replaced = recordOf(ID, { state: "retiring", replaced_by: OTHER, expires_at: NOW_S + 7 * DAY_S });
  const body = { key: keyOf(OTHER), record: recordOf(OTHER), replaced };
  const gateway = await gatewayOf({ rotateKey: () => ({ status: 201, body }) });
  const { code, stdout } = await gateway.run("keys", "rotate", ID);
  assert.equal(code, 0);
  assert.equal(stdout.split("\n")[0], keyOf(OTHER));
  assert.match(stdout, new RegExp(`old key ${ID} is good until 2026-11-28T20:26:23Z`));
  await gateway.run("keys", "rotate", ID, "--overlap", "12h");
  await gateway.run("keys", "rotate", ID, "--overlap", "0s");
  assert.deepEqual(
    gateway.requests.map(({ json }) => json),
    [{}, { overlap_s: 43_200 }, { overlap_s: 0 }],
  );
});

test("revoke tells by when the key is refused everywhere", async () => {
  const revokeKey = ({ values }) => ({
    status: 200,
    body: { record: recordOf(values.id, { state: "revoked" }), effective_within_s: 2 },
  });
  const gateway = await gatewayOf({ revokeKey });
  const before_ms = Date.now();
  const { code, stdout } = await gateway.run("keys", "revoke", ID);
  assert.equal(code, 0);
  assert.deepEqual(gateway.requests[0].json, {});
  const [, by] = /refused everywhere by (\S+Z), within 2 s/.exec(stdout);
  const after_ms = Date.parse(by) - before_ms;
  assert.ok(after_ms >= 2_000 && after_ms < 60_000, by);
});

test("an id that is none does not get into a path, and a whole key is not repeated", async () => {
  const gateway = await gatewayOf({});
  for (const verb of ["show", "rotate", "revoke"]) {
    for (const id of [keyOf(ID), "../status", "short", `${ID}x`, ""]) {
      const { code, stdout, stderr } = await gateway.run("keys", verb, id, "--json");
      assert.deepEqual([code, stderr], [2, ""], id);
      const { error } = JSON.parse(stdout);
      assert.match(error.fix, /12 letters and digits/);
      assert.ok(!id || !stdout.includes(id), id);
    }
  }
  assert.deepEqual(gateway.requests, []);
});

test("a key that is not there is told, and what to look at", async () => {
  const gateway = await gatewayOf({ showKey: () => problem(404, "route-not-found") });
  const { code, stdout, stderr } = await gateway.run("keys", "show", ID);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /404 route-not-found.*What is wrong\.\n.*ADMIN_KEY_HASH/);
});

test("limit writes a key's own numbers, takes others back, and tells what it has then", async () => {
  const limits = { minute: { limit: 500 }, burst: { rate_per_s: 10, burst: 20 } };
  const limitKey = ({ values }) => ({ status: 200, body: { record: recordOf(values.id, { limits }) } });
  const gateway = await gatewayOf({ limitKey });
  const numbers = ["minute=500", "burst=10/s,burst=20", "daily=policy"];
  const { code, stdout } = await gateway.run("keys", "limit", ID, ...numbers);
  assert.deepEqual(gateway.requests[0].json, { set: limits, clear: ["daily"] });
  assert.deepEqual(
    [code, stdout],
    [0, `key ${ID} of shop-17 has its own numbers: minute=500 burst=10/s,burst=20\n`],
  );
  await gateway.run("keys", "limit", ID, "daily=policy");
  assert.deepEqual(gateway.requests[1].json, { clear: ["daily"] });
});

test("numbers that do not read are told before the gateway is asked", async () => {
  const gateway = await gatewayOf({});
  for (const text of [
    "minute",
    "minute=",
    "=5",
    "minute=-5",
    "minute=5.5",
    "minute=5/s",
    "burst=5/s,size=2",
    "burst=x/s,burst=2",
    "a b=5",
    "minute=unlimited",
  ]) {
    const { code, stdout, stderr } = await gateway.run("keys", "limit", ID, text);
    assert.deepEqual([code, stdout], [2, ""], text);
    assert.match(stderr, /NAME=500/, text);
  }
  const twice = await gateway.run("keys", "limit", ID, "minute=5", "minute=policy");
  const none = await gateway.run("keys", "limit", ID);
  // A key that is new has nothing to take back.
  const created = await gateway.run("keys", "create", "--subject", "s", "--limit", "minute=policy");
  assert.deepEqual([twice.code, none.code, created.code, gateway.requests], [2, 2, 2, []]);
});

test("show tells a key's own numbers, and those that the policy does not heed", async () => {
  const limits = { minute: { limit: 500 }, gone: { rate_per_s: 1, queue: 5 } };
  const showKey = ({ values }) => ({
    status: 200,
    body: { record: recordOf(values.id, { limits }), use: null, unheeded: ["gone"] },
  });
  const gateway = await gatewayOf({ showKey });
  const { stdout } = await gateway.run("keys", "show", ID);
  assert.match(stdout, /^limits +minute=500 gone=1\/s,queue=5$/m);
  assert.match(stdout, /^not heeded.*: gone$/m);
});
