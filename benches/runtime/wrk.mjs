// Load on a worker by wrk, and what the worker's process spent on it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("drive.lua", import.meta.url));
export const CONNECTIONS = 16;
const HOST = "api.example.com";

/**
 * Sends `call` (as a worker's `ask` takes it) over and over for `ms`; gives what it measured.
 *
 * - `call.tokens`: a list, each line sent once in the header `call.tokenHeader`, by default as a bearer token.
 * - `admitted`: whether every answer has to be a success, or none. Anything else is an error: no figure is about a
 *   gateway that did something else than it was asked for.
 */
export async function load(wrk, worker, call, { ms, connections = CONNECTIONS, admitted = true }) {
  const folder = mkdtempSync(join(tmpdir(), "edgeward-wrk-"));
  try {
    const args = arguments_(folder, call);
    const seconds = Math.max(1, Math.round(ms / 1_000));
    const before = worker.cost();
    const url = `http://127.0.0.1:${worker.port}`;
    const all = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "30s", "-s", SCRIPT, url, "--", ...args];
    const output = await driven(wrk, all);
    const after = worker.cost();
    const told = JSON.parse(output.trim().split("\n").at(-1));
    judge(told, admitted, call, worker);
    return figures(told, before, after);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs wrk to its end, which comes early where its list is used up; gives what it wrote. */
function driven(wrk, args) {
  const child = spawn(wrk, args, { stdio: ["ignore", "pipe", "inherit"] });
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  let output = "";
  let over = false;
  child.stdout.on("data", (data) => {
    output += data;
    if (over || !output.includes(USED_UP)) return;
    over = true;
    child.kill("SIGINT");
  });
  return new Promise((settle, fail) => {
    child.once("error", fail);
    child.once("close", () => {
      process.off("exit", kill);
      settle(output);
    });
  });
}

/** What the script writes when every request of its list was sent. */
const USED_UP = "used up";

function arguments_(folder, { method = "POST", path, headers, body, tokens, tokenHeader = "authorization", tokenPrefix = "Bearer " }) {
  const written = (name, text) => {
    if (text === undefined) return "-";
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const lines = Object.entries({ Host: HOST, ...headers }).map(([name, value]) => `${name}: ${value}\n`);
  const prefix = tokenHeader === "authorization" ? tokenPrefix : "";
  return [
    method,
    path,
    written("headers", lines.join("")),
    written("body", body),
    written("tokens", tokens && `${tokens.join("\n")}\n`),
    tokenHeader,
    prefix,
  ];
}

function judge({ requests, refused, broken }, admitted, { path }, worker) {
  const wrong = admitted ? refused : requests - refused;
  if (requests > 0 && wrong === 0 && broken === 0) return;
  const what = admitted ? "refused" : "let through";
  throw new Error(`${path}: ${wrong} of ${requests} were ${what}, ${broken} broke: ${worker.said().slice(-2_000)}`);
}

function figures({ requests, us, p50_us, p99_us }, before, after) {
  return {
    requests,
    cpu_us: (after.cpuUs - before.cpuUs) / requests,
    rps: (requests * 1e6) / us,
    p50_ms: p50_us / 1_000,
    p99_ms: p99_us / 1_000,
    rss_bytes: after.rssBytes,
    peak_bytes: after.peakBytes,
  };
}
