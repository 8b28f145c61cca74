// A Redis of the benchmark's own: on loopback, without persistence, ended by its process id.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { answer } from "../../scripts/command.mjs";
import { freePort } from "../../scripts/serve/gateway.mjs";

const HOST = "127.0.0.1";
const START_MS = 10_000;

/** Starts `program` and gives `{ version, client(), stop() }`; each client is a connection of its own. */
export async function startRedis(program) {
  const port = await freePort(0);
  const folder = mkdtempSync(join(tmpdir(), "edgeward-redis-"));
  const args = ["--bind", HOST, "--port", `${port}`, "--save", "", "--appendonly", "no", "--dir", folder];
  const child = spawn(program, args, { stdio: "ignore" });
  const kill = () => child.kill("SIGTERM");
  process.once("exit", kill);
  const ended = new Promise((settle) => ["close", "error"].forEach((event) => child.once(event, settle)));
  const clients = [];
  const client = async () => {
    const made = new CountingRedis({ host: HOST, port, lazyConnect: true, retryStrategy: null });
    // A call that fails says so by itself.
    made.on("error", () => {});
    clients.push(made);
    await made.connect();
    return made;
  };
  const stop = async () => {
    for (const made of clients) made.disconnect();
    process.off("exit", kill);
    kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await reachable(client);
  } catch (error) {
    await stop();
    throw error;
  }
  const version = /v=(\S+)/.exec(answer(program, ["--version"]) ?? "")?.[1] ?? "unknown";
  return { version, client, stop };
}

async function reachable(client) {
  const until = performance.now() + START_MS;
  for (;;) {
    try {
      return await client();
    } catch (error) {
      if (performance.now() > until) throw error;
      await sleep(20);
    }
  }
}

/** ioredis that counts the commands that go over the wire. */
class CountingRedis extends Redis {
  sent = 0;

  sendCommand(...args) {
    this.sent += 1;
    return super.sendCommand(...args);
  }
}
