// A workerd process of its own for what is measured: started, asked for what it cost, ended.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { minding } from "./child.mjs";
import { CF_HEADER, configText, PROTO_HEADER } from "./config.mjs";

const { default: workerd } = createRequire(import.meta.url)("workerd");

/** Linux counts a process's time in hundredths of a second, whatever the kernel's own clock. */
const TICK_US = 10_000;
const START_MS = 60_000;
const FIRST_ANSWER_MS = 30_000;
const RETRY_MS = 2;
const CONTROL_FD = 3;
/** Files in memory, for the rows of Durable Objects: how fast a disk writes says nothing of a gateway. */
const MEMORY = "/dev/shm";
const DATE = "2026-07-01";

/** Whether this machine tells what a process cost. */
export const isMeasurable = () => process.platform === "linux";

/**
 * Starts a worker; gives a process to measure.
 *
 * - `files`: by module name, a path or `{ contents }`; the first is the entry. - `bindings`: text by name.
 * - `inspected`: whether it listens for an inspector, at `inspectorPort`.
 * - `objects`, `origin`, `store`, `flags`: as in `configText`.
 */
export async function startWorkerd({ files, bindings = {}, objects = [], origin, store, flags = [], inspected = false }) {
  const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "edgeward-workerd-"));
  const disk = join(folder, "objects");
  mkdirSync(disk);
  const modules = Object.entries(files).map(([name, file]) => {
    const kind = name.endsWith(".wasm") ? "wasm" : "esModule";
    const copy = `module-${basename(name)}`;
    writeFileSync(join(folder, copy), typeof file === "string" ? readFileSync(file) : file.contents);
    return { name, kind, file: copy };
  });
  const bound = Object.entries(bindings).map(([name, text]) => {
    writeFileSync(join(folder, `binding-${name}`), text);
    return [name, { file: `binding-${name}` }];
  });
  const config = join(folder, "config.capnp");
  const told = { modules, bindings: Object.fromEntries(bound), objects, origin, store, disk, date: DATE, flags };
  writeFileSync(config, configText(told));
  return running(config, folder, inspected);
}

async function running(config, folder, inspected) {
  const began = performance.now();
  const log = [];
  // What a worker writes is read and dropped, as a platform's log would take it.
  const inspector = inspected ? ["--inspector-addr=127.0.0.1:0"] : [];
  const child = spawn(workerd, ["serve", "--experimental", `--control-fd=${CONTROL_FD}`, ...inspector, config], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => log.length < LOG_CHUNKS_MAX && log.push(data));
  const { ended, stop } = minding(child, folder, "SIGKILL");
  const said = () => Buffer.concat(log).toString();
  try {
    const { port, inspectorPort } = await Promise.race([listening(child), ended.then(() => Promise.reject(new Error("workerd ended")))]);
    return { port, inspectorPort, pid: child.pid, began, stop, said, cost: () => costOf(child.pid), threadsCpuUs: () => threadsCpuUs(child.pid), ...asking(port, began) };
  } catch (error) {
    await stop();
    throw new Error(`${error.message}: ${said()}`);
  }
}

/** Enough of a log to see why something failed. */
const LOG_CHUNKS_MAX = 200;

/** `{ port, inspectorPort }`, which workerd tells on a pipe of its own when it listens, the inspector's first. */
function listening(child) {
  return new Promise((settle, fail) => {
    const late = setTimeout(() => fail(new Error("workerd did not listen in time")), START_MS);
    const told = {};
    let text = "";
    child.stdio[CONTROL_FD].on("data", (data) => {
      text += data;
      const lines = text.split("\n");
      text = lines.pop();
      for (const line of lines) {
        const { event, port } = JSON.parse(line);
        if (event === "listen-inspector") told.inspectorPort = port;
        if (event !== "listen") continue;
        clearTimeout(late);
        settle({ ...told, port });
      }
    });
  });
}

function asking(port, began) {
  const ask = (call) => send(port, call);
  /** Asks until it is answered with `status`; gives the ms since the process was started. */
  const firstAnswer = async (call, status = 200) => {
    let last;
    while (performance.now() - began < FIRST_ANSWER_MS) {
      last = await ask(call).catch((error) => ({ status: error.code }));
      if (last.status === status) return performance.now() - began;
      await new Promise((later) => setTimeout(later, RETRY_MS));
    }
    throw new Error(`no first answer: ${last.status} ${last.text}`);
  };
  return { ask, firstAnswer };
}

/** One request on a connection of its own; gives `{ status, text, headers }`. */
function send(port, { method = "POST", path, headers = {}, body }) {
  return new Promise((settle, fail) => {
    const sent = { ...headers, ...(body && { "content-length": Buffer.byteLength(body) }) };
    const asked = request({ host: "127.0.0.1", port, method, path, headers: sent, agent: false }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => settle({ status: answer.statusCode, text: Buffer.concat(chunks).toString(), headers: answer.headers }));
      answer.on("error", fail);
    });
    asked.on("error", fail);
    asked.end(body);
  });
}

/** What a process used so far: CPU of all its threads in us, and the memory it holds in bytes. */
function costOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in brackets may hold spaces; after it, the times are the 12th and 13th field.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kilobytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
  return {
    cpuUs: (Number(fields[11]) + Number(fields[12])) * TICK_US,
    rssBytes: kilobytes("VmRSS") * 1_024,
    peakBytes: kilobytes("VmHWM") * 1_024,
  };
}

/** CPU of all threads that live, in us, as exact as the scheduler knows it: for a time that is a few hundredths of a second. */
function threadsCpuUs(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ns = threads.map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]));
  return ns.reduce((sum, one) => sum + one, 0) / 1_000;
}

/** What Cloudflare's front would add to every request, here sent along by the client. */
export const frontHeaders = (cf) => ({
  [PROTO_HEADER]: "https",
  [CF_HEADER]: JSON.stringify(cf),
  "cf-connecting-ip": "198.51.100.7",
});
