// `edgeward check` of a policy with `openapi`: what is read, what is sent, what is told.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { BUNDLE_BYTES_MAX, FILES_MAX, bundleOf } from "../../cli/documents.mjs";
import { stub } from "./support/stub.mjs";

const folder = mkdtempSync(join(tmpdir(), "edgeward-cli-"));
const gateways = [];
after(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  rmSync(folder, { recursive: true });
});

/** A folder of its own with these files; gives the path of `policy.json` in it. */
function filesOf(files) {
  const place = mkdtempSync(join(folder, "policy-"));
  for (const [name, content] of Object.entries({ "policy.json": "{}", ...files })) {
    mkdirSync(dirname(join(place, name)), { recursive: true });
    writeFileSync(join(place, name), content);
  }
  return join(place, "policy.json");
}

const sent = (policyFile, entry) => JSON.parse(bundleOf(policyFile, "{}", entry).content);

test("every file that a reference names is sent, YAML as JSON, each once", () => {
  const policy = filesOf({
    "api/openapi.yaml": 'paths: { /a: { $ref: "parts/a.yaml#/a" } }\nback: { $ref: "../shared%20one.json" }\n',
    "api/parts/a.yaml": 'a: { $ref: "../openapi.yaml#/paths" }\n',
    "shared one.json": '{ "self": { "$ref": "#/here" }, "web": { "$ref": "https://example.com/x.json" } }',
    "unread.json": "{}",
  });
  assert.deepEqual(Object.keys(sent(policy, "./api/openapi.yaml").files), [
    "api/openapi.yaml",
    "shared one.json",
    "api/parts/a.yaml",
  ]);
});

test("a JSON file is sent as it is written: what stands twice in it is for the gateway to find", () => {
  const text = '{ "a": 1,\n "a": 2.0 }';
  const { content } = bundleOf(filesOf({ "api.json": text }), '{"name": "x"}', "api.json");
  assert.equal(content, `{"policy":{"name": "x"},"files":{"api.json":${text}}}`);
});

test("nothing outside the policy's folder is read, by dots, by root or by a link", () => {
  writeFileSync(join(folder, "secret.json"), "{}");
  const policy = filesOf({ "api.json": '{ "$ref": "../secret.json" }', "inner/x.json": "{}" });
  symlinkSync(join(folder, "secret.json"), join(dirname(policy), "link.json"));
  for (const entry of ["api.json", "../secret.json", "/etc/hostname.json", "link.json", "inner/../../secret.json"]) {
    assert.throws(() => bundleOf(policy, "{}", entry), /not below the policy's folder/, entry);
  }
});

test("YAML with a member twice, or that grows without end, does not read", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 9; level += 1) {
    const [name, before] = ["abcdefghi"[level], "abcdefghi"[level - 1]];
    bomb.push(`${name}: &${name} [${Array(10).fill(`*${before}`).join(", ")}]`);
  }
  for (const text of ["a: 1\na: 2\n", bomb.join("\n"), "a: &a [*a]\n", "a: [\n"]) {
    assert.throws(() => bundleOf(filesOf({ "api.yaml": text }), "{}", "api.yaml"), /api\.yaml does not read/, text.slice(0, 20));
  }
});

test("files and bytes are bounded on both sides", () => {
  const many = (count) => {
    const refs = Array.from({ length: count - 1 }, (_, index) => ({ $ref: `${index}.json` }));
    const parts = refs.map(({ $ref }) => [$ref, "{}"]);
    return filesOf({ "api.json": JSON.stringify(refs), ...Object.fromEntries(parts) });
  };
  assert.equal(Object.keys(sent(many(FILES_MAX), "api.json").files).length, FILES_MAX);
  assert.throws(() => bundleOf(many(FILES_MAX + 1), "{}", "api.json"), /more than 200 documents/);
  const long = (bytes) => filesOf({ "api.json": `{}${" ".repeat(bytes - 4)}` });
  assert.doesNotThrow(() => bundleOf(long(BUNDLE_BYTES_MAX), "{}", "api.json"));
  assert.throws(() => bundleOf(long(BUNDLE_BYTES_MAX + 1), "{}", "api.json"), /more than 25165824 bytes/);
});

const REPORT = {
  operations: 3,
  imported: 2,
  routed: [
    { id: "b.read", place: "api.json#/paths/~1b/get" },
    { id: "b.write", place: "api.json#/paths/~1b/post" },
  ],
  left_out: [{ operation: "GET /a", place: "api.json#/paths/~1a/get", problem: "no `$ref`" }],
  not_enforced: [{ problem: "cookie parameters are not checked", place: "api.json#/x", times: 2 }],
};

test("check tells what became of each operation, and writes the policy that was made", async () => {
  const made = { name: "orders", routes: [] };
  const body = { loads: true, name: "orders", version: "99990acc572b", faults: [], policy: made, report: REPORT };
  const gateway = await stub({ answers: { importPolicy: () => ({ status: 200, body }) } });
  gateways.push(gateway);
  const policy = filesOf({ "policy.json": '{ "openapi": "api.json" }', "api.json": "{}" });
  const out = join(folder, "made.json");
  const { code, stdout } = await gateway.run("check", policy, "--write", out);
  assert.equal(code, 0);
  assert.deepEqual(stdout.split("\n").slice(0, 3), [
    "2 of 3 operations imported",
    "  not routed: GET /a: no `$ref` (api.json#/paths/~1a/get)",
    "  not enforced: cookie parameters are not checked (2 times, first api.json#/x)",
  ]);
  assert.deepEqual(JSON.parse(readFileSync(out, "utf8")), made);
  assert.deepEqual(gateway.requests[0].json, { policy: { openapi: "api.json" }, files: { "api.json": {} } });
  const told = JSON.parse((await gateway.run("check", policy, "--json")).stdout);
  assert.deepEqual(told, { loads: true, name: "orders", version: "99990acc572b", faults: [], report: REPORT });
});

test("a strict check fails where a document says what is not held", async () => {
  const none = { ...REPORT, left_out: [], not_enforced: [] };
  for (const [report, strict, expected] of [
    [REPORT, [], 0],
    [REPORT, ["--strict"], 1],
    [{ ...REPORT, left_out: [] }, ["--strict"], 1],
    [{ ...REPORT, not_enforced: [] }, ["--strict"], 1],
    [none, ["--strict"], 0],
  ]) {
    const body = { loads: true, name: "orders", version: "99990acc572b", faults: [], policy: {}, report };
    const gateway = await stub({ answers: { importPolicy: () => ({ status: 200, body }) } });
    gateways.push(gateway);
    const policy = filesOf({ "policy.json": '{ "openapi": "api.json" }', "api.json": "{}" });
    const { code, stdout } = await gateway.run("check", policy, ...strict);
    assert.equal(code, expected, JSON.stringify(report));
    assert.match(stdout, /loads: orders/);
  }
});

test("a strict export gives the document and fails where it says what is not held", async () => {
  for (const [report, strict, expected] of [
    [REPORT, [], 0],
    [REPORT, ["--strict"], 1],
    [{ ...REPORT, left_out: [], not_enforced: [] }, ["--strict"], 0],
  ]) {
    const made = { name: "orders", routes: [] };
    const body = { loads: true, name: "orders", version: "99990acc572b", faults: [], policy: made, report };
    const gateway = await stub({ answers: { importPolicy: () => ({ status: 200, body }) } });
    gateways.push(gateway);
    const document = JSON.stringify({ openapi: "3.1.0", paths: { "/a": { get: {} }, "/b": { get: {}, post: {} } } });
    const policy = filesOf({ "policy.json": '{ "openapi": "api.json" }', "api.json": document });
    const { code, stdout } = await gateway.run("openapi", policy, "--export", ...strict);
    assert.equal(code, expected, stdout);
    assert.equal(JSON.parse(stdout).openapi, "3.1.0");
  }
});

test("the document is given back with the gateway's callers, limits and answers", async () => {
  const document = {
    openapi: "3.1.0",
    paths: {
      "/a": { get: {} },
      "/b": {
        get: { security: [{ old: [] }], responses: { 200: { description: "b" }, 404: { description: "none" } } },
        post: { requestBody: {}, responses: { 422: { description: "its own" } } },
      },
    },
  };
  const limit = { by: "caller", algorithm: "sliding_window", limit: 5, window_s: 60, on_error: "refuse" };
  const made = {
    name: "orders",
    authenticators: { keys: { kind: "api_key" }, accounts: { kind: "jwt" } },
    limits: { minute: limit },
    routes: [
      { id: "b.read", auth: "public", limits: [], request: { query: {} } },
      { id: "b.write", auth: ["keys", "accounts"], require: { scopes: ["b:write"] }, limits: ["minute"], request: { body: {} } },
    ],
  };
  const body = { loads: true, name: "orders", version: "99990acc572b", faults: [], policy: made, report: REPORT };
  const gateway = await stub({ answers: { importPolicy: () => ({ status: 200, body }) } });
  gateways.push(gateway);
  const policy = filesOf({ "policy.json": '{ "openapi": "api.json" }', "api.json": JSON.stringify(document) });
  const { code, stdout } = await gateway.run("openapi", policy, "--export", "--json");
  assert.equal(code, 0, stdout);
  const { paths, components } = JSON.parse(stdout);
  assert.equal(paths["/a"].get["x-edgeward-not-routed"], "no `$ref`");
  const { get, post } = paths["/b"];
  assert.deepEqual(get.security, []);
  assert.deepEqual(Object.keys(get.responses), ["200", "400", "404", "422", "502", "503", "504"]);
  assert.deepEqual(post.security, [{ keys: ["b:write"] }, { accounts: ["b:write"] }]);
  assert.deepEqual(Object.keys(post.responses), ["400", "401", "403", "413", "415", "422", "429", "502", "503", "504"]);
  assert.deepEqual(post.responses[422], { description: "its own" });
  assert.deepEqual(post["x-edgeward-limits"], [{ name: "minute", ...limit }]);
  assert.deepEqual(components.securitySchemes, {
    keys: { type: "apiKey", in: "header", name: "x-api-key" },
    accounts: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
  });
  for (const { $ref } of [get.responses[400], post.responses[429]]) assert.ok(components.responses[$ref.split("/").at(-1)]);
  assert.ok(components.responses.EdgewardTooManyRequests.headers["ratelimit"]);
});

test("documents that no policy can be made of are findings, and nothing is written", async () => {
  const fault = { pointer: "/openapi", problem: "GET /a says no `auth`", fix: "Say it." };
  const body = { loads: false, name: null, version: null, faults: [fault], policy: null, report: null };
  const gateway = await stub({ answers: { importPolicy: () => ({ status: 200, body }) } });
  gateways.push(gateway);
  const policy = filesOf({ "policy.json": '{ "openapi": "api.json" }', "api.json": "{}" });
  const out = join(folder, "none.json");
  const { code, stdout } = await gateway.run("check", policy, "--write", out);
  assert.equal(code, 1);
  assert.match(stdout, /does not load:\n\/openapi: GET \/a says no `auth`\n {2}Say it\./);
  assert.throws(() => readFileSync(out));
});
