// `edgeward status` and `edgeward check`.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { POLICY_BYTES_MAX } from "../../cli/verbs/check.mjs";
import { stub } from "./support/stub.mjs";

const folder = mkdtempSync(join(tmpdir(), "edgeward-cli-"));
const FAULT = { pointer: "/routes/0/auth", problem: "missing", fix: "Say `public` or name authenticators." };
const gateways = [];
after(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  rmSync(folder, { recursive: true });
});

async function gatewayOf(answers) {
  const gateway = await stub({ answers });
  gateways.push(gateway);
  return gateway;
}

function file(name, content) {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const originOf = (name, breaker) => {
  const counts = { binding: null, open: 0, waiting: 0, refused_open: 0, refused_full: 0, retries: 0, cut: 0 };
  return { name, breaker, ...counts };
};

test("status tells what is in force and what was refused", async () => {
  const body = {
    policy: { name: "orders", version: "99990acc572b", profile: "production" },
    refused: { at: 1_795_292_783, faults: [FAULT] },
    authenticators: [{ name: "keys", kind: "api_key" }],
    origins: [originOf("orders", "closed"), originOf("billing", "open")],
    silent_counters: 3,
  };
  const gateway = await gatewayOf({ readStatus: () => ({ status: 200, body }) });
  const { code, stdout } = await gateway.run("status");
  assert.equal(code, 0);
  assert.deepEqual(stdout.split("\n"), [
    "policy orders, version 99990acc572b, production",
    "authenticators: keys (api_key)",
    "origin billing fails, as far as this isolate knows: its breaker is open",
    "counters were silent 3 times, as far as this isolate knows: on_error decided",
    "a newer policy was refused at 2026-11-21T20:26:23Z:",
    "/routes/0/auth: missing",
    "  Say `public` or name authenticators.",
    "",
  ]);
  assert.deepEqual(JSON.parse((await gateway.run("status", "--json")).stdout), body);
});

test("status tells that no policy is in force", async () => {
  const body = { policy: null, refused: null, authenticators: [], origins: [], silent_counters: 0 };
  const gateway = await gatewayOf({ readStatus: () => ({ status: 200, body }) });
  const { code, stdout } = await gateway.run("status");
  assert.equal(code, 0);
  assert.match(stdout, /^no policy is in force/);
});

test("check sends the policy as it is written and tells that it loads", async () => {
  const body = { loads: true, name: "orders", version: "99990acc572b", faults: [] };
  const gateway = await gatewayOf({ checkPolicy: () => ({ status: 200, body }) });
  // A member that stands twice is for the gateway to find.
  const text = '{ "name": "a",\n  "name": "orders" }\n';
  const { code, stdout } = await gateway.run("check", file("good.json", text));
  assert.deepEqual([code, gateway.requests[0].body], [0, text]);
  assert.match(stdout, /good\.json loads: orders, version 99990acc572b\n$/);
});

test("check names the routes that every caller may use", async () => {
  const body = { loads: true, name: "orders", version: "99990acc572b", faults: [], open_routes: ["whoAmI", "list"] };
  const gateway = await gatewayOf({ checkPolicy: () => ({ status: 200, body }) });
  const { code, stdout } = await gateway.run("check", file("open.json", "{}"));
  assert.equal(code, 0);
  assert.match(stdout, /version 99990acc572b\nopen to every caller with a good credential: whoAmI, list\n {2}Name require/);
});

test("check says where to look again", async () => {
  const notices = ["list: no role of `roles` is named `clrk`; there is clerk"];
  const body = { loads: true, name: "orders", version: "99990acc572b", faults: [], open_routes: [], notices };
  const gateway = await gatewayOf({ checkPolicy: () => ({ status: 200, body }) });
  const { code, stdout } = await gateway.run("check", file("slip.json", "{}"));
  assert.equal(code, 0);
  assert.match(stdout, /version 99990acc572b\nlook again: list: no role of `roles` is named `clrk`; there is clerk\n$/);
});

test("check of a policy that does not load exits 1 and tells each fault", async () => {
  const body = { loads: false, name: "orders", version: null, faults: [FAULT, { ...FAULT, pointer: "" }] };
  const gateway = await gatewayOf({ checkPolicy: () => ({ status: 200, body }) });
  const path = file("bad.json", "{}");
  const shown = await gateway.run("check", path);
  assert.deepEqual([shown.code, shown.stderr], [1, ""]);
  assert.match(shown.stdout, /does not load:\n\/routes\/0\/auth: missing\n {2}Say .*\n\/: missing\n/);
  const told = await gateway.run("--json", "check", path);
  assert.deepEqual([told.code, JSON.parse(told.stdout)], [1, body]);
});

test("what is no JSON object does not load either, and is not sent", async () => {
  const gateway = await gatewayOf({});
  const contents = ["", "{", "[]", "null", "\ufeff{}", Buffer.from([0x7b, 0xff, 0x7d])];
  for (const content of contents) {
    const { code, stdout } = await gateway.run("check", file("not.json", content), "--json");
    const { loads, faults } = JSON.parse(stdout);
    assert.deepEqual([code, loads, faults.length], [1, false, 1], String(content));
    assert.ok(faults[0].problem && faults[0].fix);
  }
  assert.deepEqual(gateway.requests, []);
});

test("a file that cannot be read, or is too long, is a failure and no finding", async () => {
  const gateway = await gatewayOf({});
  const long = file("long.json", `{}${" ".repeat(POLICY_BYTES_MAX - 1)}`);
  for (const path of [join(folder, "none.json"), folder, long]) {
    const { code, stdout, stderr } = await gateway.run("check", path);
    assert.deepEqual([code, stdout], [2, ""], path);
    assert.match(stderr, /\n(?:Name|A policy has at most)/, path);
  }
  assert.deepEqual(gateway.requests, []);
});

test("a file of the greatest length is sent", async () => {
  const body = { loads: true, name: "orders", version: "99990acc572b", faults: [] };
  const gateway = await gatewayOf({ checkPolicy: () => ({ status: 200, body }) });
  const { code } = await gateway.run("check", file("full.json", `{}${" ".repeat(POLICY_BYTES_MAX - 2)}`));
  assert.deepEqual([code, gateway.requests[0].body.length], [0, POLICY_BYTES_MAX]);
});
