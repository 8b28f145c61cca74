// Policies from OpenAPI: real public documents are imported by the command line, served, and each operation is asked
// with its examples. What is refused stands in tests/golden/openapi/; refresh with UPDATE_EXPECT=1.
import assert from "node:assert/strict";
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { root } from "../../scripts/place.mjs";
import { readFlags } from "../../scripts/serve/flags.mjs";
import { freePort, serve } from "../../scripts/serve/gateway.mjs";
import { buildFolder } from "../../scripts/place.mjs";
import { edgeward } from "../cli/support/bin.mjs";
import { Response, start } from "./harness.mjs";
import { rootKey } from "./support/admin.mjs";
import { requestsOf } from "./support/operations.mjs";
import { HOST, PEPPER, from, keyFor, window } from "./support/policies.mjs";

const AT_ONCE = 8;
/** On a busy machine the largest document takes a minute; it takes some seconds on one that is not. */
const IMPORT_MS_MAX = 240_000;
const folder = mkdtempSync(join(tmpdir(), "edgeward-openapi-"));
const admin = rootKey();
let importer;

before(async () => {
  importer = await start({ vars: { ...admin.vars, KEY_PEPPER: PEPPER, EDGEWARD_LOOPBACK_LISTENER: "1" } });
});
after(async () => {
  await importer?.stop();
  rmSync(folder, { recursive: true });
});

/** `edgeward check POLICY --write …`: `{ report, policy }`. */
async function imported(policyFile) {
  const out = join(mkdtempSync(join(folder, "made-")), "policy.json");
  const env = { EDGEWARD_URL: importer.url.origin, EDGEWARD_ADMIN_KEY: admin.text };
  const { code, stdout, stderr } = await edgeward(["check", policyFile, "--write", out, "--json", "--timeout", "4m"], { env, limitMs: IMPORT_MS_MAX });
  assert.equal(code, 0, stdout + stderr);
  return { report: JSON.parse(stdout).report, policy: JSON.parse(readFileSync(out, "utf8")) };
}

/** A gateway with this policy in force, whose origin answers with the path it was asked for. */
function gatewayOf(policy, kv) {
  const origin = (request) => new Response(new URL(request.url).pathname);
  return start({ policy, kv, vars: { KEY_PEPPER: PEPPER }, origin });
}

test("a policy with documents in several files is imported and enforced", async () => {
  const { policy } = await imported(join(root, "examples", "openapi", "policy.json"));
  const reader = keyFor("ada", { scopes: ["orders:read"] });
  const writer = keyFor("bo", { scopes: ["orders:write"] });
  const gateway = await gatewayOf(policy, Object.fromEntries([reader.entry, writer.entry]));
  const ask = async (path, { key, method = "GET", body } = {}) => {
    const headers = from("192.0.2.1", { ...(key && { "x-api-key": key.text }), ...(body && { "content-type": "application/json" }) });
    return gateway.fetch(HOST + path, { method, headers, body: body && JSON.stringify(body) });
  };
  const order = { items: [{ product: "tea", quantity: 1, parts: [{ product: "bag", quantity: 20 }] }] };
  const cases = [
    ["/v1/orders?limit=5&status=open,paid&filter[from]=2026-01-02", { key: reader }, 200],
    ["/v1/orders", {}, 401],
    ["/v1/orders", { key: writer }, 403],
    ["/v1/orders?limit=0", { key: reader }, 422],
    ["/v1/orders?status=open,lost", { key: reader }, 422],
    ["/v1/orders?filter[to]=2026-01-02", { key: reader }, 422],
    ["/v1/orders?undeclared=1", { key: reader }, 422],
    ["/v1/orders", { key: writer, method: "POST", body: order }, 200],
    ["/v1/orders", { key: reader, method: "POST", body: order }, 403],
    ["/v1/orders", { key: writer, method: "POST", body: { ...order, id: "mine" } }, 422],
    ["/v1/orders", { key: writer, method: "POST", body: { items: [{ product: "tea", quantity: 1, parts: [{}] }] } }, 422],
    ["/v1/orders", { key: writer, method: "POST" }, 400],
    ["/v1/orders/ord_0123abcd", { key: reader }, 200],
    ["/v1/orders/other", { key: reader }, 422],
    ["/v1/orders", { key: reader, method: "DELETE" }, 405],
    ["/v1/customers", { key: reader }, 404],
    ["/orders", { key: reader }, 404],
  ];
  for (const [path, asked, status] of cases) {
    const answer = await ask(path, asked);
    assert.equal(answer.status, status, `${asked.method ?? "GET"} ${path}: ${await answer.text()}`);
  }
  const old = await ask("/v1/export");
  const refused = await ask("/v1/export?undeclared=1");
  assert.deepEqual([old.status, refused.status], [200, 422]);
  for (const { headers } of [old, refused]) {
    assert.equal(headers.get("deprecation"), "@1767225600");
    assert.equal(headers.get("sunset"), "Fri, 01 Jan 2027 00:00:00 GMT");
  }
  assert.equal((await ask("/v1/orders")).headers.get("deprecation"), null);
  await gateway.stop();
});

/** A gateway with a policy made of `document`. */
async function gatewayOfDocument(document) {
  const place = mkdtempSync(join(folder, "document-"));
  writeFileSync(join(place, "openapi.json"), JSON.stringify(document));
  writeFileSync(join(place, "policy.json"), JSON.stringify(policyFor("openapi.json")));
  const { policy } = await imported(join(place, "policy.json"));
  return gatewayOf(policy);
}

test("what is left out of a document is not reached as something else of it", async () => {
  const id = { name: "id", in: "path", required: true, schema: { type: "string" } };
  const gateway = await gatewayOfDocument({
    openapi: "3.1.0",
    info: {},
    paths: {
      "/users/{id}": { get: { parameters: [id] }, post: { parameters: [id] } },
      "/users/me": { get: { parameters: [{ $ref: "#/nowhere" }] } },
      "/reports/{id}": { get: { parameters: [id] }, delete: { parameters: [id] } },
      "/reports/{id}.csv": { get: { parameters: [id] } },
    },
  });
  const ask = async (method, path) => (await gateway.fetch(HOST + path, { method, headers: from("192.0.2.1") })).status;
  for (const [method, path, status] of [
    ["GET", "/users/7", 200],
    ["POST", "/users/7", 200],
    ["GET", "/users/me", 404],
    ["HEAD", "/users/me", 404],
    ["POST", "/users/me", 404],
    ["GET", "/users/m%65", 404],
    ["GET", "/reports/7.csv", 405],
    ["DELETE", "/reports/7", 200],
  ])
    assert.equal(await ask(method, path), status, `${method} ${path}`);
  await gateway.stop();
});

test("cookies, matrix parameters and forms reach the origin where they meet their rules", async () => {
  const parameters = [
    { name: "c", in: "cookie", required: true, schema: { type: "integer" } },
    { name: "m", in: "path", style: "matrix", explode: true, schema: { type: "array", items: { type: "integer" } } },
    { name: "l", in: "path", style: "label", schema: { type: "integer" } },
  ];
  const content = {
    "application/x-www-form-urlencoded": { schema: { required: ["n"], properties: { n: { type: "integer" } } } },
    "application/xml": {},
  };
  const gateway = await gatewayOfDocument({
    openapi: "3.1.0",
    info: {},
    paths: { "/a/{m}/{l}": { parameters, post: { requestBody: { required: true, content } } }, "/b/{id}": { get: {} } },
  });
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const good = ["POST", "/a/;m=1;m=2/.3", { ...form, cookie: "x=\"a,b\"; c=1" }, "n=1"];
  const change = (at, value) => good.map((one, index) => (index === at ? value : one));
  const cases = [
    [good, 200],
    [change(1, "/a/;m=1;m=x/.3"), 422],
    [change(1, "/a/;m=1;n=2/.3"), 422],
    [change(1, "/a/1/.3"), 422],
    [change(1, "/a/;m=1/;l=3"), 400],
    [change(1, "/a/;m=1/3"), 422],
    [change(1, "/a;m=1/;m=1/.3"), 400],
    [change(2, form), 422],
    [change(2, { ...form, cookie: "c=x" }), 422],
    [change(2, { ...form, cookie: "c=1; c=1" }), 422],
    [change(2, { ...form, cookie: "c=1; x=a, c=2" }), 422],
    [change(3, "n=x"), 422],
    [change(3, "n=1&n=1"), 422],
    [["POST", "/a/;m=1/.3", { cookie: "c=1", "content-type": "application/xml" }, "<a/>"], 200],
    [["POST", "/a/;m=1/.3", { cookie: "c=1", "content-type": "text/xml" }, "<a/>"], 415],
    [["GET", "/b/1", {}], 200],
    [["GET", "/b/;id=1", {}], 400],
  ];
  for (const [[method, path, headers, body], status] of cases) {
    const answer = await gateway.fetch(HOST + path, { method, headers: { ...headers, ...from("192.0.2.1") }, body });
    const text = await answer.text();
    assert.equal(answer.status, status, `${method} ${path} ${JSON.stringify(headers)} ${body}: ${text}`);
    if (status === 200) assert.equal(text, path);
  }
  await gateway.stop();
});

test("the document comes back as one, with what the gateway adds, and means the same when it is read again", async () => {
  const file = join(root, "examples", "openapi", "policy.json");
  const env = { EDGEWARD_URL: importer.url.origin, EDGEWARD_ADMIN_KEY: admin.text };
  const { code, stdout, stderr } = await edgeward(["openapi", file, "--export", "--json"], { env, limitMs: IMPORT_MS_MAX });
  assert.equal(code, 0, stdout + stderr);
  const document = JSON.parse(stdout);
  const { get, post } = document.paths["/orders"];
  assert.deepEqual([get.security, post.security], [[{ keys: ["orders:read"] }], [{ keys: ["orders:write"] }]]);
  assert.deepEqual(document.paths["/export"].get.security, []);
  const [limit] = get["x-edgeward-limits"];
  assert.deepEqual([limit.name, limit.limit, limit.window_s], ["ip", 600, 60]);
  assert.deepEqual(Object.keys(get.responses), ["200", "400", "401", "403", "422", "429", "502", "503", "504"]);
  assert.deepEqual(Object.keys(post.responses), ["201", "400", "401", "403", "413", "415", "422", "429", "502", "503", "504"]);
  assert.ok(!/"\$ref":"[^#]/.test(stdout), "nothing leads to another file");
  for (const [, pointer] of stdout.matchAll(/"\$ref":"#([^"]+)"/g)) {
    const parts = pointer.split("/").slice(1);
    assert.ok(parts.reduce((node, part) => node?.[part], document), `${pointer} leads somewhere`);
  }
  const place = mkdtempSync(join(folder, "again-"));
  const policy = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(join(place, "openapi.json"), stdout);
  writeFileSync(join(place, "policy.json"), JSON.stringify({ ...policy, openapi: "openapi.json" }));
  const [before, after] = [await imported(file), await imported(join(place, "policy.json"))];
  const plain = ({ policy }) => JSON.parse(JSON.stringify(policy.routes).replaceAll(/#\/schemas\/\w+/g, "#/schemas/…"));
  assert.deepEqual(plain(after), plain(before));
  assert.equal(Object.keys(after.policy.schemas).length, Object.keys(before.policy.schemas).length);
});

test("npm start serves a policy with documents, and reads both again when they change", async () => {
  const place = mkdtempSync(join(folder, "served-"));
  cpSync(join(root, "examples", "openapi"), place, { recursive: true });
  const flags = readFlags(["--policy", join(place, "policy.json"), "--no-demo", "--port", "0", "--state", join(place, "state")]);
  const gateway = await serve(flags, await freePort(0), process.env.EDGEWARD_BUILD ?? buildFolder("release"));
  const routes = async () => (await gateway.store.get("policy/active", "json")).routes.map(({ id }) => id);
  assert.deepEqual(await routes(), ["orders.list", "orders.create", "orders.read", "orders.export"]);
  const file = join(place, "openapi.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace("orders.export", "orders.exportAll"));
  for (let tries = 0; tries < 100 && !(await routes()).includes("orders.exportAll"); tries += 1) {
    await new Promise((later) => setTimeout(later, 100));
  }
  assert.ok((await routes()).includes("orders.exportAll"));
  await gateway.stop();
});

for (const [name, file] of [
  ["github", "@octokit/openapi/generated/api.github.com.json"],
  ["figma", "@figma/rest-api-spec/openapi/openapi.yaml"],
  ["blockfrost", "@blockfrost/openapi/openapi.yaml"],
  ["galaxy", "@scalar/galaxy/dist/latest.json"],
  ["train-travel", "@readme/oas-examples/3.1/json/train-travel.json"],
  ["star-trek", "@readme/oas-examples/3.0/json/star-trek.json"],
  ["parameter-styles", "@readme/oas-examples/3.0/json/parameters-style.json"],
]) {
  test(`${name}: imported, served, and every operation asked with its examples`, async (context) => {
    const source = join(root, "tests", "documents", "node_modules", file);
    const place = mkdtempSync(join(folder, `${name}-`));
    copyFileSync(source, join(place, `openapi${extname(file)}`));
    writeFileSync(join(place, "policy.json"), JSON.stringify(policyFor(`openapi${extname(file)}`)));
    const began = performance.now();
    const { report, policy } = await imported(join(place, "policy.json"));
    const importedAt = performance.now();
    const gateway = await gatewayOf(policy);
    await gateway.fetch(`${HOST}/.edgeward/health`);
    const servedAt = performance.now();
    const text = readFileSync(source, "utf8");
    const told = await asked(gateway, requestsOf(extname(file) === ".json" ? JSON.parse(text) : parse(text)));
    const took = [importedAt - began, servedAt - importedAt, performance.now() - servedAt].map(Math.round);
    context.diagnostic(`import ${took[0]} ms, first request ${took[1]} ms, all requests ${took[2]} ms`);
    await gateway.stop();
    golden(`asked-${name}`, [`${report.imported} of ${report.operations} operations imported`, ...told]);
  });
}

function policyFor(openapi) {
  return {
    name: "document",
    openapi,
    openapi_options: { security: "defaults", base_path: "", defaults: { auth: "public", limits: ["ip"] } },
    origins: { api: { url: "http://127.0.0.1:1" } },
    limits: { ip: window("ip", 1_000_000) },
  };
}

/** Sends every request and tells how many the origin got, and which were refused and why. */
async function asked(gateway, requests) {
  const refused = [];
  let admitted = 0;
  const rest = [...requests];
  const work = async () => {
    for (let request = rest.shift(); request; request = rest.shift()) {
      const { id, method, path, headers, body } = request;
      const answer = await gateway.fetch(HOST + path, { method, headers: { ...headers, ...from("192.0.2.1") }, body });
      if (answer.status === 200) {
        admitted += 1;
        await answer.arrayBuffer();
      } else {
        const { code, errors = [] } = method === "HEAD" ? {} : await answer.json();
        const places = errors.map(({ location, pointer, keyword }) => `${location} ${pointer} ${keyword}`);
        refused.push(`refused: ${id}: ${answer.status} ${code} ${places.slice(0, 2).join(", ")}`.trimEnd());
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return [`${admitted} of ${requests.length} requests reached the origin`, ...refused.sort()];
}

function golden(name, lines) {
  const file = join(root, "tests", "golden", "openapi", `${name}.txt`);
  const text = `${lines.join("\n")}\n`;
  if (process.env.UPDATE_EXPECT) writeFileSync(file, text);
  else assert.equal(text, readFileSync(file, "utf8"), basename(file));
}
