// What streams are tested with: an origin whose content is made while it is sent, and the memory of the runtime.
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const MEGABYTE = Buffer.alloc(1_048_576, "edgeward ");
const SAMPLE_MS = 20;

/** Writes `megabytes` to a response, no faster than they are taken. */
export function pour(response, megabytes) {
  let left = megabytes;
  const more = () => {
    while (left > 0) {
      left -= 1;
      if (!response.write(MEGABYTE)) return void response.once("drain", more);
    }
    response.end();
  };
  more();
}

/** One request on a connection of its own: the answer, not yet read; `sent` is the request to write to. */
export function open(url, path, { method = "GET", headers = {}, body } = {}) {
  const sent = request({ host: url.hostname, port: url.port, path, method, headers, agent: false });
  const answer = new Promise((resolve, reject) => sent.once("response", resolve).once("error", reject));
  answer.catch(() => {});
  sent.on("error", () => {});
  if (body !== null) sent.end(body);
  return { sent, answer };
}

/** How many bytes come. */
export async function drain(answer) {
  let bytes = 0;
  for await (const chunk of answer) bytes += chunk.length;
  return bytes;
}

/** The processes of the runtime that this one started; none where the machine does not tell. */
export function runtimes() {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isOurs(name));
}

function isOurs(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(parent) === process.pid && stat.includes("(workerd)");
  } catch {
    return false; // it ended meanwhile
  }
}

const heldBy = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1_024;

/** The most memory in bytes that a process held while `act` went on, beyond what it held before; 0 where nobody tells. */
export async function memoryDuring(pid, act) {
  if (!pid) return { grown: 0, result: await act() };
  const before = heldBy(pid);
  let most = before;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      most = Math.max(most, heldBy(pid));
      await sleep(SAMPLE_MS);
    }
  })();
  const result = await act().finally(() => (isOver = true));
  await watching;
  return { grown: most - before, result };
}

/** Whether something is so within `patience_ms`. */
export async function until(isSo, patience_ms) {
  const end = Date.now() + patience_ms;
  while (Date.now() < end) {
    if (await isSo()) return true;
    await sleep(20);
  }
  return false;
}
