// What docs/IDENTITY.md tells an origin to copy: each recipe takes the statement of a real gateway, and nothing like
// one. The Rust one is in tests/signing/.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { importJWK, SignJWT } from "jose";
import { httpOrigin, start } from "./harness.mjs";
import { identityKey } from "./support/identity.mjs";
import { makeKey, PEPPER } from "./support/keys.mjs";
import { policyOf } from "./support/policy.mjs";
import { recipe, recipeFolder, recipeModule } from "./support/recipes.mjs";

const RUN_MS = 60_000;
const key = makeKey({ subject: "shop-17" });

let gateway;
let origin;
let signer;
let statements;

before(async () => {
  signer = await identityKey();
  origin = await httpOrigin((request, response) => response.end("ok"));
  const policy = policyOf(
    { "GET /closed": { auth: ["keys"] } },
    { url: origin.url, identity: { audience: "orders" }, authenticators: { keys: { kind: "api_key" } } },
  );
  const vars = { KEY_PEPPER: PEPPER, IDENTITY_KEY: JSON.stringify(signer) };
  gateway = await start({ policy, vars, kv: Object.fromEntries([key.entry]) });
  await gateway.fetch("/closed", { headers: { "x-api-key": key.text } });
  statements = await made(origin.requests[0].headers["edgeward-identity"]);
});

after(async () => {
  await gateway?.stop();
  await origin?.stop();
});

/** `[what, text]`: the gateway's own first, then what no origin may take. */
async function made(own) {
  const other = await identityKey();
  const sign = async ({ header, claims, by = signer } = {}) => {
    const nowS = Math.floor(Date.now() / 1_000);
    return new SignJWT({ aud: "orders", exp: nowS + 60, sub: "forged", ...claims })
      .setProtectedHeader({ alg: "EdDSA", kid: signer.kid, typ: "edgeward+jwt", ...header })
      .sign(await importJWK(by, "EdDSA"));
  };
  const [, claims] = own.split(".");
  const none = Buffer.from(JSON.stringify({ alg: "none", kid: signer.kid, typ: "edgeward+jwt" })).toString("base64url");
  return [
    ["the gateway's", own],
    ["over", await sign({ claims: { exp: 1_700_000_000 } })],
    ["for ever", await sign({ claims: { exp: undefined } })],
    ["another origin's", await sign({ claims: { aud: "stock" } })],
    ["for nobody", await sign({ claims: { aud: undefined } })],
    ["of another type", await sign({ header: { typ: "JWT" } })],
    ["by another key of the same name", await sign({ by: other })],
    ["by an unknown key", await sign({ header: { kid: other.kid }, by: other })],
    ["with another's signature", `${own.slice(0, own.lastIndexOf("."))}.${(await sign()).split(".")[2]}`],
    ["unsigned", `${none}.${claims}.`],
    ["no statement", "x"],
    ["nothing", ""],
  ];
}

/** Fails unless `subjects`, one for each statement and `null` for none, are the gateway's first and no other. */
function judge(subjects) {
  const told = statements.map(([what], index) => [what, subjects[index]]);
  assert.deepEqual(told, statements.map(([what], index) => [what, index === 0 ? "shop-17" : null]));
}

const here = (text) => text.replace("https://api.example.com", gateway.url.origin);

function ran(command, args, options) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", timeout: RUN_MS, ...options });
  return { works: !error && status === 0, stdout, said: `${error ?? ""}${stderr}` };
}

test("JavaScript", async () => {
  const { identify } = await recipeModule("identity.mjs", here);
  const subject = ([, text]) => identify(text).then(({ sub }) => sub, () => null);
  judge(await Promise.all(statements.map(subject)));
});

test("Python", (t) => {
  if (!ran("python3", ["-c", "import jwt, cryptography"]).works) return t.skip("no python3 with PyJWT and cryptography");
  const file = join(recipeFolder(), "identity.py");
  const rest = `
import json, sys

def subject(text):
    try:
        return identify(text)["sub"]
    except jwt.PyJWTError:
        return None

print(json.dumps([subject(text) for text in json.load(sys.stdin)]))
`;
  writeFileSync(file, here(recipe("identity.py")) + rest);
  const { works, stdout, said } = ran("python3", [file], { input: JSON.stringify(statements.map(([, text]) => text)) });
  assert.ok(works, said);
  judge(JSON.parse(stdout));
});

test("Go", (t) => {
  if (!ran("go", ["version"]).works) return t.skip("no go");
  const folder = recipeFolder();
  const imports = ["crypto/ed25519", "encoding/base64", "encoding/json", "errors", "os", "strings", "time"];
  const rest = `
func main() {
	var asked struct {
		Kid, X     string
		Statements []string
	}
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	key, _ := base64.RawURLEncoding.DecodeString(asked.X)
	subjects := []any{}
	for _, statement := range asked.Statements {
		claims, err := identify(statement, map[string]ed25519.PublicKey{asked.Kid: key})
		if err != nil {
			claims = map[string]any{}
		}
		subjects = append(subjects, claims["sub"])
	}
	json.NewEncoder(os.Stdout).Encode(subjects)
}
`;
  const file = join(folder, "main.go");
  writeFileSync(file, `package main\n\nimport (\n${imports.map((name) => `\t"${name}"\n`).join("")})\n\n${recipe("identity.go")}${rest}`);
  const input = JSON.stringify({ kid: signer.kid, x: signer.x, statements: statements.map(([, text]) => text) });
  const env = { ...process.env, GOCACHE: join(folder, "cache"), GOFLAGS: "-mod=mod", GO111MODULE: "off" };
  const { works, stdout, said } = ran("go", ["run", file], { input, env });
  assert.ok(works, said);
  judge(JSON.parse(stdout));
});
