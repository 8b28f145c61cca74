// WebSocket against the built wasm: a real client (`ws`) over the worker's real port, a real server behind it.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { WebSocket, WebSocketServer } from "ws";
import { start } from "./harness.mjs";
import { aheadHeader, clockedEntry } from "./provider/clock.mjs";
import { adminOf, rootKey } from "./support/admin.mjs";
import { PEPPER, from, keyFor, policyOf, window } from "./support/policies.mjs";

const PAGE = "https://app.example";
const ISSUER = "https://issuer.example";
/** How long something that has to come is waited for. */
const PATIENCE_MS = 10_000;
const nowS = () => Math.floor(Date.now() / 1_000);

const pair = await generateKeyPair("ES256", { extractable: true });
const jwk = { ...(await exportJWK(pair.publicKey)), kid: "one", alg: "ES256", use: "sig" };
const mint = (lives_s) =>
  new SignJWT({ iss: ISSUER, aud: "api", sub: "alice", iat: nowS(), exp: nowS() + lives_s })
    .setProtectedHeader({ alg: "ES256", kid: "one" })
    .sign(pair.privateKey);

/** A gateway before a server of sockets that does `served`; echoes unless said otherwise. */
async function gatewayFor(t, { served = echo, admits = () => true, socket = {}, limits = {}, clocked, route = {}, bound = {} } = {}) {
  const verifyClient = (_, told) => told(admits(), 403, "no");
  const handleProtocols = (offered) => [...offered][0];
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols, verifyClient });
  await once(server, "listening");
  const sessions = [];
  server.on("connection", (session, request) => {
    sessions.push({ session, request, ended: once(session, "close").then(([code, reason]) => [code, `${reason}`]) });
    session.on("error", () => {});
    served(session, request);
  });
  const key = keyFor("caller");
  const root = rootKey();
  const accounts = { kind: "jwt", issuer: ISSUER, audiences: ["api"], algorithms: ["ES256"], jwks: { keys: [jwk] } };
  const websocket = { origins: [PAGE], protocols: ["chat"], messages: "said", max_session_s: 300, ...socket };
  const policy = policyOf({
    profile: "development",
    transport: { https_only: false },
    origins: { orders: { url: `http://127.0.0.1:${server.address().port}`, timeout_ms: 2_000 } },
    authenticators: { keys: { kind: "api_key" }, accounts: { ...accounts, leeway_s: 0 } },
    limits: { wide: window("ip", 1_000_000), said: window("caller", 100_000), ...limits },
    routes: [
      { match: { methods: ["GET"], path: "/feed" }, auth: ["keys", "accounts"], limits: ["wide"], websocket, ...route },
      { match: { methods: ["GET"], path: "/plain" }, limits: ["wide"] },
    ],
  });
  const vars = { KEY_PEPPER: PEPPER, ...root.vars, ...bound };
  const kv = Object.fromEntries([key.entry]);
  const gateway = await start({ policy, vars, kv, ...(clocked && { entry: clockedEntry() }) });
  t.after(async () => {
    await gateway.stop();
    for (const client of server.clients) client.terminate();
    await new Promise((closed) => server.close(closed));
  });
  return {
    gateway,
    sessions,
    key,
    admin: adminOf(gateway.fetch, root.text),
    moveClock: (ms) => gateway.fetch("/plain", { headers: { [aheadHeader]: `${ms}` } }),
    /** A handshake: `{ status, client }`; the client is open where the status is 101. */
    async open({ path = "/feed", protocols = [], headers = { "x-api-key": key.text }, version = 13 } = {}) {
      const url = new URL(path, gateway.url);
      url.protocol = "ws:";
      const options = { headers: from("192.0.2.1", headers), protocolVersion: version, perMessageDeflate: false };
      const client = new WebSocket(url, protocols, options);
      const ended = once(client, "close").then(([code, reason]) => [code, `${reason}`]);
      const received = [];
      client.on("error", () => {});
      client.on("message", (data, isBinary) => received.push(isBinary ? data : `${data}`));
      const status = await new Promise((told) => {
        client.once("open", () => told(101));
        client.once("unexpected-response", (request, { statusCode }) => {
          told(statusCode);
          request.destroy();
        });
      });
      return { status, client, received, ended };
    },
    /** The lines of sessions that have ended, once there are so many. */
    async ended(count = 1) {
      const lines = () => gateway.lines.map(({ message }) => message).filter((text) => text.includes('"session"'));
      await until(() => lines().length >= count);
      return lines().map((text) => JSON.parse(text));
    },
  };
}

function echo(session) {
  session.on("message", (data, isBinary) => session.send(data, { binary: isBinary }));
}

async function until(isSo) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    assert.ok(Date.now() < end, `${isSo}`);
    await sleep(20);
  }
}

test("text and binary pass byte by byte, in order, and both sides hear how it closed", async (t) => {
  const its = await gatewayFor(t);
  const { status, client, received, ended } = await its.open({ protocols: ["secret", "chat"] });
  assert.equal(status, 101);
  assert.equal(client.protocol, "chat");
  const said = ["", "tea", "é\u{1F375}\0", "x".repeat(65_536), Buffer.alloc(0), randomBytes(65_536), Buffer.from([0, 255])];
  for (const one of said) client.send(one);
  await until(() => received.length === said.length);
  said.forEach((one, index) => assert.deepEqual(received[index], one));

  const { request, ended: origin } = its.sessions[0];
  assert.equal(request.headers["x-api-key"], undefined);
  assert.equal(request.headers["sec-websocket-protocol"], "chat");
  assert.match(request.headers["edgeward-request-id"], /^[0-9a-f-]{36}$/);
  client.close(4001, "bye");
  assert.deepEqual(await origin, [4001, "bye"]);
  assert.deepEqual(await ended, [4001, "bye"]);

  const [line] = await its.ended();
  const bytes = said.reduce((sum, one) => sum + Buffer.byteLength(one), 0);
  const expected = { messages: said.length, bytes };
  const { reason, by, close, from_caller, from_origin } = line;
  assert.deepEqual({ reason, by, close }, { reason: "closed", by: "caller", close: 4001 });
  assert.deepEqual([from_caller, from_origin], [expected, expected]);
  assert.equal(JSON.stringify(its.gateway.lines).includes("tea"), false);
  const [decision] = await its.gateway.decisions(1);
  assert.deepEqual([decision.verdict, decision.status, decision.request_id], ["admitted", 101, line.request_id]);
});

test("no handshake reaches the origin that a check refuses", async (t) => {
  const its = await gatewayFor(t);
  const { text } = its.key;
  const token = await mint(60);
  for (const [expected, path, headers] of [
    [401, "/feed", {}],
    [401, "/feed", { origin: PAGE }],
    [401, "/feed", { "x-api-key": text.replace(/.$/, (last) => (last === "0" ? "1" : "0")) }],
    [403, "/feed", { "x-api-key": text, origin: "https://evil.example" }],
    [400, `/feed?access_token=${token}`, {}],
    [400, `/feed?token=${token}`, { "x-api-key": text }],
    [400, `/feed?k=${text}`, {}],
    [400, "/plain", { "x-api-key": text }],
  ]) {
    const { status } = await its.open({ path, headers });
    assert.equal(status, expected, `${path} ${JSON.stringify(headers)}`);
  }
  assert.equal((await its.open({ version: 8 })).status, 426);
  const plain = await its.gateway.fetch("/feed", { headers: from("192.0.2.1", { "x-api-key": text }) });
  assert.equal(plain.status, 426);
  assert.equal(its.sessions.length, 0);
  const { status } = await its.open({ headers: { authorization: `Bearer ${token}`, origin: PAGE } });
  assert.equal(status, 101);
});

test("a token's session ends when the token does, though nothing is said", async (t) => {
  const its = await gatewayFor(t);
  const token = await mint(3);
  const { client, ended } = await its.open({ headers: { authorization: `Bearer ${token}` } });
  client.send("x");
  assert.deepEqual(await ended, [1008, "the credential is no longer good"]);
  const [{ reason, by }] = await its.ended();
  assert.deepEqual([reason, by], ["credential_expired", "gateway"]);
  assert.equal((await its.sessions[0].ended)[0], 1001);
});

test("a key that is taken back ends its session with the next message of either side", async (t) => {
  for (const speaks of ["caller", "origin"]) {
    const its = await gatewayFor(t, { clocked: true, socket: { idle_timeout_ms: 600_000 } });
    const { client, received, ended } = await its.open();
    client.send("x");
    await until(() => received.length === 1);
    await its.admin(`keys/${its.key.id}/revoke`, {});
    await its.moveClock(2_001);
    (speaks === "caller" ? client : its.sessions[0].session).send("after");
    assert.deepEqual(await ended, [1008, "the credential is no longer good"], speaks);
    assert.deepEqual(received, ["x"], speaks);
    const [{ reason }] = await its.ended();
    assert.equal(reason, "credential_revoked", speaks);
  }
});

test("messages over their limit end the session, and no other caller's", async (t) => {
  const its = await gatewayFor(t, { limits: { said: window("caller", 3) } });
  const { client, received, ended } = await its.open();
  for (const text of ["1", "2", "3", "4", "5"]) client.send(text);
  assert.deepEqual(await ended, [1008, "too many messages"]);
  await its.ended();
  assert.ok(received.length <= 3, `${received}`);
  const passed = [];
  const other = await its.open({ headers: { authorization: `Bearer ${await mint(60)}` } });
  other.client.on("message", (data) => passed.push(`${data}`));
  other.client.send("1");
  await until(() => passed.length === 1);
});

test("a message over its bound ends the session with 1009, and of what one may carry with 1008", async (t) => {
  const its = await gatewayFor(t, {
    socket: { max_message_bytes: 1_000, max_session_bytes: 1_900 },
    served: (session) => session.on("message", () => session.send("x".repeat(1_001))),
  });
  for (const large of ["x".repeat(1_001), "é".repeat(501), Buffer.alloc(1_001), Buffer.alloc(3_000_000)]) {
    const { client, ended } = await its.open();
    client.send(large);
    assert.deepEqual(await ended, [1009, "message too large"]);
  }
  const answered = await its.open();
  answered.client.send("x");
  assert.deepEqual(await answered.ended, [1011, "the origin sent too much"]);
  const quiet = await gatewayFor(t, { served: () => {}, socket: { max_message_bytes: 1_000, max_session_bytes: 1_900 } });
  const { client, ended } = await quiet.open();
  client.send("x".repeat(1_000));
  client.send("x".repeat(900));
  client.send("x");
  assert.equal((await ended)[0], 1008);
});

test("an origin that refuses is answered as it refuses, and there is no session", async (t) => {
  const its = await gatewayFor(t, { admits: () => false });
  assert.equal((await its.open()).status, 403);
  const [{ verdict, status, origin }] = await its.gateway.decisions(1);
  assert.deepEqual([verdict, status, origin.status], ["admitted", 403, 403]);
});

test("an origin that dies ends the session", async (t) => {
  const its = await gatewayFor(t, { served: (session) => session.on("message", () => session.terminate()) });
  const { client, ended } = await its.open();
  client.send("x");
  assert.deepEqual(await ended, [1011, "the origin is gone"]);
  const [{ reason, by }] = await its.ended();
  assert.deepEqual([reason, by], ["lost", "origin"]);
});

test("a client that goes away gives its permit back and ends the origin's session", async (t) => {
  const open = { by: "caller", algorithm: "concurrency", limit: 1, lifetime_s: 600, on_error: "refuse" };
  const its = await gatewayFor(t, { limits: { open }, route: { limits: ["open"] } });
  for (const leave of [(client) => client.terminate(), (client) => client.close(1000)]) {
    const { status, client, received } = await its.open();
    assert.equal(status, 101);
    client.send("x");
    await until(() => received.length === 1);
    assert.equal((await its.open()).status, 429);
    leave(client);
    await its.sessions.at(-1).ended;
    await until(async () => {
      const next = await its.open();
      if (next.status !== 101) return false;
      next.client.close();
      await next.ended;
      return true;
    });
    await until(async () => (await its.ended(0)).length === its.sessions.length);
  }
});

test("a flood to an origin that does not read ends when the session has carried what it may", async (t) => {
  const its = await gatewayFor(t, {
    served: (session, request) => request.socket.pause(),
    socket: { max_message_bytes: 65_536, max_session_bytes: 1_048_576 },
  });
  const { client, ended } = await its.open();
  const part = Buffer.alloc(65_536);
  for (let sent = 0; sent < 400; sent += 1) client.send(part);
  assert.equal((await ended)[0], 1008);
  const [{ reason, from_caller }] = await its.ended();
  assert.ok(["session_too_large", "too_fast"].includes(reason), reason);
  assert.ok(from_caller.bytes <= 1_048_576, `${from_caller.bytes}`);
});

test("both sides of every session hear it where a trap ends the wasm instance that passed their messages on", async (t) => {
  const its = await gatewayFor(t, { bound: { EDGEWARD_TEST_PANIC_PATH: "/panic" } });
  const before = [await its.open(), await its.open()];
  // One that has ended is no more minded.
  const over = await its.open();
  over.client.close(1000);
  assert.equal((await over.ended)[0], 1000);
  for (const { client, received } of before) {
    client.send("x");
    await until(() => received.length === 1);
  }
  assert.equal((await its.gateway.fetch("/panic/abort", { headers: from("192.0.2.1") })).status, 503);
  await until(() => before.every(({ client }) => client.readyState === WebSocket.CLOSED));
  for (const { ended } of before) assert.deepEqual(await ended, [1011, "a fault of the gateway"]);
  for (const { ended } of its.sessions.slice(0, 2)) assert.deepEqual(await ended, [1011, "a fault of the gateway"]);
  const next = await its.open();
  next.client.send("x");
  await until(() => next.received.length === 1);
});
