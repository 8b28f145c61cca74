// How a gateway is asked, whatever the verb: where the key goes, what is waited for, what is taken for an answer.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ANSWER_BYTES_MAX } from "../../cli/api.mjs";
import { edgeward } from "./support/bin.mjs";
import { KEY, problem, stub } from "./support/stub.mjs";

const GOOD = { policy: null, refused: null, authenticators: [], silent_counters: 0 };
const gateways = [];
after(() => Promise.all(gateways.map((gateway) => gateway.stop())));

async function gatewayOf(behavior) {
  const gateway = await stub(behavior);
  gateways.push(gateway);
  return gateway;
}

const good = () => gatewayOf({ answers: { readStatus: () => ({ status: 200, body: GOOD }) } });

test("the key goes over http to this machine only", async () => {
  const env = { EDGEWARD_ADMIN_KEY: KEY };
  for (const url of [
    "http://gateway.example",
    "http://192.0.2.1",
    "http://127.example.com",
    "http://[2001:db8::1]:8787",
  ]) {
    const { code, stdout } = await edgeward(["status", "--json", "--timeout", "2s", "--url", url], { env });
    assert.equal(code, 2);
    const { message, fix } = JSON.parse(stdout).error;
    assert.match(message, /key is not sent/, url);
    assert.match(fix, /https/);
  }
  const { url } = await good();
  const byName = await edgeward(["status", "--url", url.replace("127.0.0.1", "localhost")], { env });
  assert.equal(byName.code, 0, byName.stderr);
});

test("a URL is a scheme and a host, and holds no secret", async () => {
  const env = { EDGEWARD_ADMIN_KEY: KEY };
  const urls = [
    "gateway",
    "ftp://127.0.0.1",
    "file:///etc",
    "https://a:b@gateway.example",
    "https://gateway.example/x",
    "http://127.0.0.1/?a",
  ];
  for (const url of urls) {
    const { code, stderr } = await edgeward(["status", "--url", url], { env });
    assert.equal(code, 2, url);
    assert.match(stderr, /https/, url);
    assert.ok(!stderr.includes("a:b"), stderr);
  }
});

test("the flag --url wins over EDGEWARD_URL", async () => {
  const { url } = await good();
  const env = { EDGEWARD_ADMIN_KEY: KEY, EDGEWARD_URL: "https://gateway.example" };
  assert.equal((await edgeward(["status", "--url", url], { env })).code, 0);
});

test("without a key nothing is asked, and the variable is named", async () => {
  for (const EDGEWARD_ADMIN_KEY of [undefined, "", " \n"]) {
    const env = EDGEWARD_ADMIN_KEY === undefined ? {} : { EDGEWARD_ADMIN_KEY };
    const { code, stdout } = await edgeward(["status", "--json", "--url", "https://gateway.example"], { env });
    assert.equal(code, 2);
    assert.match(JSON.parse(stdout).error.fix, /EDGEWARD_ADMIN_KEY/);
  }
});

test("a line end after the key is no part of it; other characters are no key and are not printed", async () => {
  const { url } = await good();
  const ask = (key) => edgeward(["status", "--url", url], { env: { EDGEWARD_ADMIN_KEY: key } });
  assert.equal((await ask(`${KEY}\n`)).code, 0);
  for (const key of ["two words", "ümlaut", "a\nb", "x".repeat(513)]) {
    const { code, stdout, stderr } = await ask(key);
    assert.deepEqual([code, stdout, stderr.includes(key)], [2, "", false]);
    assert.match(stderr, /EDGEWARD_ADMIN_KEY/);
  }
});

test("a problem is told with its places, and as it is with --json", async () => {
  const place = {
    location: "query",
    pointer: "/limit",
    keyword: "maximum",
    message: "is more than 200",
    fix: "Send less.",
  };
  const given = problem(422, "schema-violation", { errors: [place] });
  const gateway = await gatewayOf({ answers: { listKeys: () => given } });
  const shown = await gateway.run("keys", "list");
  assert.deepEqual([shown.code, shown.stdout], [2, ""]);
  assert.deepEqual(shown.stderr.split("\n"), [
    "A Problem (422 schema-violation): What is wrong.",
    "  query /limit: is more than 200. Send less.",
    "Correct what is named, then ask again.",
    "In the gateway's log: urn:uuid:fc2ce192-2818-4077-a788-c033f1024772",
    "",
  ]);
  const told = await gateway.run("keys", "list", "--json");
  assert.deepEqual([told.code, told.stderr, JSON.parse(told.stdout)], [2, "", given.body]);
});

test("each refusal says what to do", async () => {
  const rows = [
    [401, "credential-invalid", /EDGEWARD_ADMIN_KEY/],
    [403, "insufficient-scope", /edgeward:read/],
    [404, "route-not-found", /ADMIN_KEY_HASH/],
    [503, "policy-unavailable", /Ask again/],
  ];
  for (const [status, code, fix] of rows) {
    const gateway = await gatewayOf({ answers: { readStatus: () => problem(status, code) } });
    assert.match((await gateway.run("status")).stderr, fix, code);
  }
});

test("a redirect is not followed", async () => {
  const elsewhere = await good();
  const raw = (_, response) => response.writeHead(307, { location: `${elsewhere.url}/.edgeward/status` }).end();
  const gateway = await gatewayOf({ raw });
  const { code, stderr } = await gateway.run("status");
  assert.deepEqual([code, elsewhere.requests], [2, []]);
  assert.match(stderr, /redirect \(307\), which is not followed\n.*--url/);
});

test("what is no answer of the admin API is not taken for one", async () => {
  const send = (status, type, text) => (_, response) => response.writeHead(status, { "content-type": type }).end(text);
  const answers = [
    send(200, "text/html", "<p>hello"),
    send(200, "text/plain", JSON.stringify(GOOD)),
    send(200, "application/json", "{"),
    send(200, "application/json", "[]"),
    send(200, "application/json", "{}"),
    send(200, "application/json", JSON.stringify({ ...GOOD, authenticators: "none" })),
    send(204, "application/json", ""),
    send(502, "text/html", "<p>bad gateway"),
    send(500, "application/json", '{"error":"no problem document"}'),
  ];
  for (const raw of answers) {
    const gateway = await gatewayOf({ raw });
    const { code, stdout } = await gateway.run("status", "--json");
    assert.equal(code, 2);
    assert.match(JSON.parse(stdout).error.fix, /--url/, stdout);
  }
});

test("an answer has an end: in size", async () => {
  const raw = (_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const chunk = Buffer.alloc(1_048_576, " ");
    const more = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on("drain", more);
    more();
  };
  const gateway = await gatewayOf({ raw });
  const { code, stderr } = await gateway.run("status");
  assert.equal(code, 2);
  assert.match(stderr, new RegExp(`longer than ${ANSWER_BYTES_MAX} bytes`));
});

test("an answer has an end: in time, before its head and within its body", async () => {
  const headless = () => {};
  const bodiless = (_, response) => response.writeHead(200, { "content-type": "application/json" }).write("{");
  for (const raw of [headless, bodiless]) {
    const gateway = await gatewayOf({ raw });
    const began = performance.now();
    const { code, stderr } = await gateway.run("keys", "list", "--timeout", "1s");
    assert.equal(code, 2);
    assert.match(stderr, /did not answer within 1 s\n.*look before you repeat/);
    assert.ok(performance.now() - began < 10_000);
  }
});

test("a timeout is 1 s to 10 m", async () => {
  for (const timeout of ["0s", "11m", "1", "soon"]) {
    assert.equal((await edgeward(["status", "--timeout", timeout])).code, 2, timeout);
  }
});

test("a gateway that is not there is told", async () => {
  const gateway = await stub({});
  await gateway.stop();
  const { code, stderr } = await gateway.run("status");
  assert.equal(code, 2);
  assert.match(stderr, /cannot be reached: ECONNREFUSED\n.*npm start/);
});

test("with --json every failure is one document on stdout, wherever the flag stands", async () => {
  const lines = [
    [],
    ["keys"],
    ["nothing"],
    ["status", "--bogus"],
    ["keys", "show"],
    ["tokens", "revoke"],
    ["check"],
    ["keys", "create", "--subject"],
  ];
  for (const line of lines) {
    for (const args of [
      ["--json", ...line],
      [...line, "--json"],
    ]) {
      const { code, stdout, stderr } = await edgeward(args, { env: { EDGEWARD_ADMIN_KEY: KEY } });
      assert.deepEqual([code, stderr], [2, ""], args.join(" "));
      const { message, fix } = JSON.parse(stdout).error;
      assert.ok(message && fix, args.join(" "));
      assert.equal(stdout.trimEnd().split("\n").length, 1);
    }
  }
});

test("help is an answer, of every verb", async () => {
  const verbs = [
    "",
    "init",
    "status",
    "check",
    "keys",
    "keys create",
    "keys list",
    "keys show",
    "keys rotate",
    "keys revoke",
    "tokens revoke",
  ];
  for (const verb of verbs) {
    const { code, stdout, stderr } = await edgeward([...verb.split(" ").filter(Boolean), "--help"]);
    assert.deepEqual([code, stderr], [0, ""], verb);
    assert.ok(stdout.startsWith(`Usage: edgeward ${verb}`.trimEnd()), verb);
    assert.match(stdout, /--json/, verb);
  }
  const { code, stdout } = await edgeward(["--help", "--json"]);
  assert.deepEqual([code, Object.keys(JSON.parse(stdout))], [0, ["help"]]);
});
