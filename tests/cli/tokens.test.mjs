// `edgeward tokens revoke`: four forms, and nothing between them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { stub } from "./support/stub.mjs";

const DEFAULT_S = 1_795_292_783;
let gateway;

before(async () => {
  const revokeTokens = ({ json }) => {
    const isUpTo = json.jti === undefined && json.version_below === undefined;
    const filled = { authenticator: "accounts", ...(isUpTo && { issued_before: DEFAULT_S }), ...json };
    return { status: 200, body: { revoked: filled, effective_within_s: 2 } };
  };
  gateway = await stub({ answers: { revokeTokens } });
});

after(() => gateway.stop());

test("each form asks for what it says, and the answer tells what was revoked and by when", async () => {
  const forms = [
    [["--jti", "t1"], { jti: "t1" }, "the token t1"],
    [["--jti", "t1", "--subject", "ada"], { jti: "t1", subject: "ada" }, "the token t1 of ada"],
    [["--subject", "ada"], { subject: "ada" }, "the tokens of ada issued up to 2026-11-21T20:26:23Z"],
    [
      ["--subject", "ada", "--before", "now"],
      { subject: "ada" },
      "the tokens of ada issued up to 2026-11-21T20:26:23Z",
    ],
    [
      ["--subject", "ada", "--before", "2026-07-01T12:00:00+02:00"],
      { subject: "ada", issued_before: 1_782_900_000 },
      "the tokens of ada issued up to 2026-07-01T10:00:00Z",
    ],
    [
      ["--subject", "ada", "--version-below", "3"],
      { subject: "ada", version_below: 3 },
      "the tokens of ada under version 3",
    ],
    [["--every"], { every: true }, "every token issued up to 2026-11-21T20:26:23Z"],
    [
      ["--every", "--before", "1782900000"],
      { every: true, issued_before: 1_782_900_000 },
      "every token issued up to 2026-07-01T10:00:00Z",
    ],
  ];
  for (const [flags, body, told] of forms) {
    const { code, stdout } = await gateway.run("tokens", "revoke", ...flags);
    assert.equal(code, 0);
    assert.deepEqual(gateway.requests.at(-1).json, body);
    assert.equal(stdout.split("\n")[0], `revoked: ${told} (accounts)`);
    assert.match(stdout, /\nrefused everywhere by \S+Z, within 2 s\n$/);
  }
});

test("each form takes the authenticator", async () => {
  await gateway.run("tokens", "revoke", "--every", "--authenticator", "partners");
  assert.deepEqual(gateway.requests.at(-1).json, { every: true, authenticator: "partners" });
});

test("any other mix revokes nothing and names the four forms", async () => {
  const asked = gateway.requests.length;
  const mixes = [
    [],
    ["--authenticator", "accounts"],
    ["--before", "now"],
    ["--version-below", "3"],
    ["--jti", "t1", "--before", "now"],
    ["--jti", "t1", "--every"],
    ["--jti", "t1", "--subject", "ada", "--version-below", "3"],
    ["--subject", "ada", "--every"],
    ["--subject", "ada", "--version-below", "3", "--before", "now"],
    ["--every", "--version-below", "3"],
  ];
  for (const flags of mixes) {
    const { code, stdout, stderr } = await gateway.run("tokens", "revoke", ...flags);
    assert.deepEqual([code, stdout], [2, ""], flags.join(" "));
    for (const form of ["--jti ID", "--subject S [--before", "--version-below N", "--every [--before"]) {
      assert.ok(stderr.includes(`tokens revoke ${form}`) || stderr.includes(`--subject S ${form}`), form);
    }
  }
  assert.equal(gateway.requests.length, asked);
});

test("a version is a whole number", async () => {
  for (const number of ["-1", "1.5", "1e3", "9007199254740993", ""]) {
    const { code } = await gateway.run("tokens", "revoke", "--subject", "ada", "--version-below", number);
    assert.equal(code, 2, number);
  }
});
