// The local gateway's admin key: made once, found by the command line, and given away to nobody else.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { adminKeyHash, isAdminKey } from "../../cli/admin-key.mjs";
import { root } from "../../scripts/place.mjs";
import { localAdmin } from "../../scripts/serve/admin.mjs";
import { edgeward } from "./support/bin.mjs";
import { stub } from "./support/stub.mjs";

const LOCAL = "http://127.0.0.1:8787";
const temporary = mkdtempSync(join(tmpdir(), "edgeward-local-"));
after(() => rmSync(temporary, { recursive: true }));
const stateFolder = () => mkdtempSync(join(temporary, "state-"));

test("a state folder keeps one admin key, for its owner alone, and its hash is bound", () => {
  const state = stateFolder();
  const first = localAdmin(state, {}, LOCAL);
  const file = join(state, "admin-key");
  const key = readFileSync(file, "utf8");
  assert.ok(isAdminKey(key));
  assert.equal((statSync(file).mode & 0o777).toString(8), "600");
  assert.deepEqual(first.vars, { ADMIN_KEY_HASH: adminKeyHash(key) });
  assert.deepEqual(localAdmin(state, {}, LOCAL), first);
  assert.notDeepEqual(localAdmin(stateFolder(), {}, LOCAL).vars, first.vars);
  assert.ok(!first.lines.join("").includes(key));
});

test("a key file that was cut short is made anew", () => {
  const state = stateFolder();
  const { vars } = localAdmin(state, {}, LOCAL);
  writeFileSync(join(state, "admin-key"), readFileSync(join(state, "admin-key"), "utf8").slice(0, -1));
  assert.notDeepEqual(localAdmin(state, {}, LOCAL).vars, vars);
});

test("a hash among --vars is left alone, and no key is made beside it", () => {
  const state = stateFolder();
  assert.deepEqual(localAdmin(state, { ADMIN_KEY_HASH: "another's" }, LOCAL), { vars: {}, lines: [] });
  assert.throws(() => statSync(join(state, "admin-key")), { code: "ENOENT" });
});

test("the printed command names the folder and the address where they are not the usual ones", () => {
  const state = stateFolder();
  const [line] = localAdmin(state, {}, "http://127.0.0.1:9000").lines;
  const key = `EDGEWARD_ADMIN_KEY="$(cat ${join(state, "admin-key")})"`;
  assert.equal(line, `${key} npm run edgeward -- keys list --url http://127.0.0.1:9000`);
  assert.ok(!localAdmin(state, {}, LOCAL).lines[0].includes("--url"));
});

test("the command line finds the key of its own clone, for gateways on this machine alone", async () => {
  const clone = mkdtempSync(join(temporary, "clone-"));
  for (const name of ["cli", "scripts", "package.json"])
    cpSync(join(root, name), join(clone, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
  const program = join(clone, "cli", "edgeward.mjs");
  const asked = [];
  const raw = ({ headers }, response) => {
    asked.push(headers.authorization);
    response.writeHead(200, { "content-type": "application/json" }).end('{"keys":[],"cursor":null}');
  };
  const gateway = await stub({ raw });
  const list = (url) => edgeward(["keys", "list", "--url", url], { program });
  assert.equal((await list(gateway.url)).code, 2);
  const copy = await import(pathToFileURL(join(clone, "scripts", "serve", "admin.mjs")).href);
  const state = join(clone, ".edgeward", "state");
  assert.deepEqual(copy.localAdmin(state, {}, LOCAL).lines, ["npm run edgeward -- keys list"]);
  assert.equal((await list(gateway.url)).code, 0);
  assert.deepEqual(asked, [`Bearer ${readFileSync(join(state, "admin-key"), "utf8")}`]);
  const far = await list("https://gateway.example");
  assert.deepEqual([far.code, /EDGEWARD_ADMIN_KEY/.test(far.stderr)], [2, true]);
  await gateway.stop();
});
