// `edgeward init`: secrets in files that are their owner's alone, and none on the screen.
import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { checkOf } from "../e2e/support/keys.mjs";
import { edgeward } from "./support/bin.mjs";

const BOUND = ["ADMIN_KEY_HASH", "AUDIT_KEY", "DPOP_NONCE_KEY", "IDENTITY_KEY", "KEY_PEPPER", "POLICY_KEY"];
const FILES = [...BOUND, "admin-key"];

const temporary = mkdtempSync(join(tmpdir(), "edgeward-init-"));
after(() => rmSync(temporary, { recursive: true }));
let folders = 0;
const newFolder = () => join(temporary, `secrets ${(folders += 1)}`);
const read = (folder, name) => readFileSync(join(folder, name), "utf8");
const mode = (path) => (statSync(path).mode & 0o777).toString(8);

async function made(...flags) {
  const folder = newFolder();
  const done = await edgeward(["init", "--dir", folder, ...flags]);
  assert.equal(done.code, 0, done.stderr);
  return { folder, ...done };
}

test("every secret has a file of its own, for its owner alone, in a folder that git leaves out", async () => {
  const { folder } = await made();
  assert.deepEqual(readdirSync(folder).sort(), [".gitignore", ...FILES].sort());
  assert.equal(mode(folder), "700");
  for (const name of FILES) assert.equal(mode(join(folder, name)), "600", name);
  assert.equal(read(folder, ".gitignore"), "*\n");
});

test("no secret is printed, and each that is bound has its command", async () => {
  for (const flags of [[], ["--json"]]) {
    const { folder, stdout, stderr } = await made(...flags);
    for (const name of FILES) assert.ok(!`${stdout}${stderr}`.includes(read(folder, name)), name);
    assert.ok(!stdout.includes(JSON.parse(read(folder, "IDENTITY_KEY")).d));
    const { bind } = flags.length
      ? JSON.parse(stdout)
      : { bind: stdout.split("\n").filter((line) => line.startsWith("npx")) };
    assert.deepEqual(
      [...bind].sort(),
      BOUND.map((name) => `npx wrangler secret put ${name} < '${join(folder, name)}'`),
    );
    assert.match(stdout, /EDGEWARD_ADMIN_KEY=/);
  }
});

test("peppers and keys are 32 random bytes, other ones each time", async () => {
  const runs = [(await made()).folder, (await made()).folder];
  const texts = runs.flatMap((folder) =>
    ["KEY_PEPPER", "AUDIT_KEY", "POLICY_KEY", "DPOP_NONCE_KEY"].map((name) => read(folder, name)),
  );
  for (const text of texts) {
    assert.match(text, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(Buffer.from(text, "base64url").length, 32);
  }
  assert.equal(new Set(texts).size, 8);
});

test("the identity key is a private Ed25519 JWK whose kid is its thumbprint", async () => {
  const { folder } = await made();
  const jwk = JSON.parse(read(folder, "IDENTITY_KEY"));
  const { kty, crv, d, x, kid } = jwk;
  assert.deepEqual(Object.keys(jwk).sort(), ["crv", "d", "kid", "kty", "x"]);
  assert.deepEqual([kty, crv], ["OKP", "Ed25519"]);
  for (const part of [d, x]) assert.equal(Buffer.from(part, "base64url").length, 32);
  const derived = createPublicKey(createPrivateKey({ key: jwk, format: "jwk" })).export({ format: "jwk" });
  assert.equal(derived.x, x);
  assert.equal(kid, createHash("sha256").update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest("base64url"));
});

test("the admin key has its check, and what is bound is its hash", async () => {
  const { folder } = await made();
  const key = read(folder, "admin-key");
  const [, checked, check] = /^(ewadmin_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{32})([0-9A-Za-z]{6})$/.exec(key);
  assert.equal(check, checkOf(checked));
  assert.equal(read(folder, "ADMIN_KEY_HASH"), createHash("sha256").update(key).digest("base64url"));
});

test("what is there stays, unless --force says otherwise", async () => {
  const { folder } = await made();
  const before = FILES.map((name) => read(folder, name));
  const again = await edgeward(["init", "--dir", folder]);
  assert.deepEqual([again.code, again.stdout], [2, ""]);
  assert.match(again.stderr, /KEY_PEPPER[^]*--force/);
  assert.deepEqual(
    FILES.map((name) => read(folder, name)),
    before,
  );
  const forced = await edgeward(["init", "--dir", folder, "--force"]);
  assert.equal(forced.code, 0);
  FILES.forEach((name, index) => assert.notEqual(read(folder, name), before[index], name));
  for (const name of FILES) assert.equal(mode(join(folder, name)), "600", name);
  assert.deepEqual(readdirSync(folder).sort(), [".gitignore", ...FILES].sort());
});

test("one secret that is there is enough to make none", async () => {
  const folder = newFolder();
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, "AUDIT_KEY"), "kept");
  assert.equal((await edgeward(["init", "--dir", folder])).code, 2);
  assert.deepEqual(readdirSync(folder), ["AUDIT_KEY"]);
});

test("--force puts new files in the place of old ones: a link is not followed, a wide mode not kept", async () => {
  const { folder } = await made();
  const target = join(temporary, "elsewhere");
  writeFileSync(target, "untouched");
  rmSync(join(folder, "KEY_PEPPER"));
  symlinkSync(target, join(folder, "KEY_PEPPER"));
  chmodSync(join(folder, "AUDIT_KEY"), 0o644);
  assert.equal((await edgeward(["init", "--dir", folder, "--force"])).code, 0);
  assert.equal(readFileSync(target, "utf8"), "untouched");
  for (const name of FILES) assert.equal(mode(join(folder, name)), "600", name);
});

test("a folder that others can open is closed if it is empty, and left alone if it is in use", async () => {
  const [empty, used] = [newFolder(), newFolder()];
  for (const folder of [empty, used]) {
    mkdirSync(folder);
    chmodSync(folder, 0o755);
  }
  writeFileSync(join(used, "README"), "");
  assert.equal((await edgeward(["init", "--dir", empty])).code, 0);
  assert.equal(mode(empty), "700");
  const { code, stderr } = await edgeward(["init", "--dir", used]);
  assert.deepEqual([code, mode(used), readdirSync(used)], [2, "755", ["README"]]);
  assert.match(stderr, /can be opened by others\n.*chmod 700/);
});

test("a folder that cannot be made is a failure that names --dir", async () => {
  const file = join(temporary, "file");
  writeFileSync(file, "");
  const { code, stdout } = await edgeward(["init", "--json", "--dir", join(file, "secrets")]);
  assert.equal(code, 2);
  assert.match(JSON.parse(stdout).error.fix, /--dir/);
});

test("unless said otherwise they lie in .edgeward/secrets, where the program runs", async () => {
  const cwd = mkdtempSync(join(temporary, "cwd-"));
  const { code } = await edgeward(["init"], { cwd });
  assert.equal(code, 0);
  assert.equal(mode(join(cwd, ".edgeward", "secrets")), "700");
  assert.ok(readdirSync(join(cwd, ".edgeward", "secrets")).includes("admin-key"));
});
