// What `npm start` adds to the worker: flags, the policy's file, what stays over a restart.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { buildFolder } from "../../scripts/place.mjs";
import { readFlags } from "../../scripts/serve/flags.mjs";
import { freePort, serve } from "../../scripts/serve/gateway.mjs";

let folder;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgeward-"));
});

after(() => rm(folder, { recursive: true }));

test("an unknown flag, a file that is not there and an origin without a URL are errors of usage", () => {
  for (const args of [["--polcy", "x"], ["--vars", "none.json"], ["--origin", "shop"], ["--port", "http"]]) {
    assert.throws(() => readFlags(args), { exitCode: 2 }, args.join(" "));
  }
});

test("a port that is in use is told by its number", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address();
  await assert.rejects(freePort(port), new RegExp(`port ${port} .* is in use`));
  server.close();
});

test("the policy's file is served, with the origins of the command line, and again when it changes", async () => {
  const bound = { service_binding: "SHOP", client_certificate_binding: "SHOP_MTLS" };
  const file = await policyFile({ version: "one", origins: { shop: { url: "https://shop.example", retries: 1, ...bound } } });
  const gateway = await begin("--policy", file, "--origin", "shop=http://127.0.0.1:9");
  assert.deepEqual(await gateway.store.get("policy/active", "json"), {
    version: "one",
    origins: { shop: { url: "http://127.0.0.1:9", retries: 1 } },
  });
  await policyFile({ version: "two", origins: { shop: { url: "https://shop.example" } } });
  const served = await until(async () => {
    const policy = await gateway.store.get("policy/active", "json");
    return policy.version === "two" && policy;
  });
  assert.equal(served.origins.shop.url, "http://127.0.0.1:9");
  await gateway.stop();
});

test("an origin that the policy does not have is an error that names those it has", async () => {
  const file = await policyFile({ origins: { shop: { url: "https://shop.example" } } });
  await assert.rejects(begin("--policy", file, "--origin", "shpo=http://127.0.0.1:9"), /origins are shop/);
});

test("what KV holds stays over a restart", async () => {
  const first = await begin();
  await first.store.put("kept", "yes");
  await first.stop();
  const second = await begin();
  assert.equal(await second.store.get("kept"), "yes");
  await second.stop();
});

async function begin(...args) {
  const flags = readFlags(["--no-demo", "--state", join(folder, "state"), ...args]);
  return serve(flags, await freePort(0), process.env.EDGEWARD_BUILD ?? buildFolder("release"));
}

async function policyFile(policy) {
  const file = join(folder, "policy.json");
  await writeFile(file, JSON.stringify(policy));
  return file;
}

/** What `look` gives once it gives something; it fails after five seconds. */
async function until(look) {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = await look();
    if (found) return found;
    await sleep(50);
  }
  throw new Error("it did not come");
}
