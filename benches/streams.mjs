// What large answers cost on each way through, how much memory many of them take, and what each way adds to a small
// request. See README.md, "streams".
import { fileURLToPath } from "node:url";
import { LOCAL_CF } from "../scripts/serve/worker.mjs";
import { findLoadPrograms } from "../scripts/toolchain/load.mjs";
import { makeIdentityKey } from "./gateway/issuer.mjs";
import { edgewardWorker } from "./gateway/variants.mjs";
import { inTurn, median, rounded, spread, told } from "./runtime/measures.mjs";
import { startOrigin, STREAM_END } from "./runtime/origin.mjs";
import { frontHeaders, isMeasurable, startWorkerd } from "./runtime/workerd.mjs";
import { load } from "./runtime/wrk.mjs";
import { NAMES, streamsPolicy } from "./streams/policy.mjs";
import { read } from "./streams/reader.mjs";

export const name = "streams";

const STREAM_BYTES = 104_857_600;
/** One after the other, for the throughput. */
const STREAMS = 3;
const AT_ONCE = 50;
/** What each of those at once has to bring. */
const AT_ONCE_BYTES = 10_000_000;
const SAMPLE_MS = 20;
const WARM_MS = 1_000;
const MEASURED_MS = 2_000;
const FLOOR = "floor";
const floorFile = fileURLToPath(new URL("gateway/floor.mjs", import.meta.url));

/** `null` without Linux, wrk and nginx. */
export async function run({ folder, rounds, say }) {
  const programs = isMeasurable() ? await findLoadPrograms() : null;
  if (!programs) return null;
  const origin = await startOrigin(programs.nginx, { streamBytes: STREAM_BYTES });
  try {
    const samples = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const one of inTurn(ways({ folder, origin }), round)) samples.push({ round, way: one.name, ...(await measure(one, programs.wrk)) });
      say(`  round ${round + 1} of ${rounds}`);
    }
    return { figures: figures(samples), rows: rows(samples), samples };
  } finally {
    await origin.stop();
  }
}

/** Each way has a process of its own, so that the memory is its own. */
function ways({ folder, origin }) {
  const gateway = (bindings) => () =>
    startWorkerd({
      ...edgewardWorker(folder),
      bindings: { POLICY: JSON.stringify(streamsPolicy(origin.url)), ...bindings },
      origin: origin.address,
    });
  const floor = () => startWorkerd({ files: { "floor.js": floorFile }, bindings: { ORIGIN: origin.url }, origin: origin.address });
  return [
    { name: FLOOR, at: "/plain", start: floor },
    ...NAMES.map((way) => ({ name: way, at: `/${way}`, start: gateway({}) })),
    { name: "statement", at: "/plain", start: gateway({ IDENTITY_KEY: makeIdentityKey() }) },
  ];
}

async function measure({ at, start }, wrk) {
  const worker = await start();
  try {
    const headers = frontHeaders(LOCAL_CF);
    const small = { method: "GET", path: `${at}/small`, headers };
    await worker.firstAnswer(small);
    await load(wrk, worker, small, { ms: WARM_MS });
    const { cpu_us } = await load(wrk, worker, small, { ms: MEASURED_MS });
    const path = `${at}${STREAM_END}`;
    await read(worker.port, path, headers, STREAM_BYTES);
    const before = worker.cost();
    const ms = [];
    for (let count = 0; count < STREAMS; count += 1) ms.push(await read(worker.port, path, headers, STREAM_BYTES));
    const after = worker.cost();
    return {
      cpu_us,
      mb_per_s: STREAM_BYTES / 1_000 / median(ms),
      stream_cpu_ms: (after.cpuUs - before.cpuUs) / 1_000 / STREAMS,
      grown_bytes: await grown(worker, () => read(worker.port, path, headers, AT_ONCE_BYTES)),
    };
  } finally {
    await worker.stop();
  }
}

/** The most memory that the process held while many streams came at once, beyond what it held before. */
async function grown(worker, stream) {
  const before = worker.cost().rssBytes;
  let most = before;
  const sampling = setInterval(() => (most = Math.max(most, worker.cost().rssBytes)), SAMPLE_MS);
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, stream));
  } finally {
    clearInterval(sampling);
  }
  return Math.max(most, worker.cost().rssBytes) - before;
}

const of = (samples, way) => samples.filter((one) => one.way === way);

/** By round, since only what was measured under one load is compared. */
const compared = (samples, way, base, make) =>
  median(of(samples, way).map((one) => make(one, of(samples, base).find(({ round }) => round === one.round))));

function figures(samples) {
  const slower = (way) => rounded(compared(samples, way, FLOOR, (one, floor) => one.mb_per_s / floor.mb_per_s));
  const added = (way) => rounded(compared(samples, way, "plain", (one, plain) => one.cpu_us - plain.cpu_us), 1);
  return {
    stream_ratio: slower("plain"),
    stream_ratio_counted: slower("counted"),
    streams_50_memory_bytes: median(of(samples, "plain").map(({ grown_bytes }) => grown_bytes)),
    breaker_us: added("breaker"),
    statement_us: added("statement"),
  };
}

function rows(samples) {
  return [...new Set(samples.map(({ way }) => way))].map((way) => ({
    "one of 100 MB, 50 at once, a small GET": way,
    "MB/s": told(spread(of(samples, way), "mb_per_s")),
    "of the floor's": compared(samples, way, FLOOR, (one, floor) => one.mb_per_s / floor.mb_per_s).toFixed(2),
    "CPU ms/100 MB": told(spread(of(samples, way), "stream_cpu_ms")),
    "50 at once: MB more": (median(of(samples, way).map(({ grown_bytes }) => grown_bytes)) / 1e6).toFixed(0),
    "CPU us/request": told(spread(of(samples, way), "cpu_us")),
    "over plain": compared(samples, way, "plain", (one, plain) => one.cpu_us - plain.cpu_us).toFixed(0),
  }));
}
