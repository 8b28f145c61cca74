// How cost grows with what a policy holds and with who asks. See README.md, "growth".
import { LOCAL_CF } from "../scripts/serve/worker.mjs";
import { findLoadPrograms } from "../scripts/toolchain/load.mjs";
import { edgewardWorker } from "./gateway/variants.mjs";
import { worlds } from "./growth/worlds.mjs";
import { inTurn, median, ratio, rounded, spread, told } from "./runtime/measures.mjs";
import { startOrigin } from "./runtime/origin.mjs";
import { startStore } from "./runtime/store.mjs";
import { frontHeaders, isMeasurable, startWorkerd } from "./runtime/workerd.mjs";
import { load } from "./runtime/wrk.mjs";

export const name = "growth";

const WARM_MS = 1_000;
const MEASURED_MS = 2_000;
/** A round takes two minutes and more, and a curve of four points shows its own noise. */
const ROUNDS_PER_ROUND = 2;
/** More than a list of requests takes, which ends by itself. */
const LIST_MS = 300_000;

/** `null` without Linux, wrk and nginx. */
export async function run({ folder, rounds, say }) {
  const programs = isMeasurable() ? await findLoadPrograms() : null;
  if (!programs) return null;
  const origin = await startOrigin(programs.nginx);
  try {
    const samples = [];
    for (let round = 0; round < Math.ceil(rounds / ROUNDS_PER_ROUND); round += 1) {
      for (const [grows, { sizes, make }] of Object.entries(worlds)) {
        for (const size of inTurn(sizes, round)) {
          const measured = await measure({ folder, origin, wrk: programs.wrk }, make(size, origin));
          samples.push({ round, grows, size, ...measured });
        }
        say(`  round ${round + 1}: ${grows}`);
      }
    }
    return { figures: figures(samples), rows: rows(samples), samples };
  } finally {
    await origin.stop();
  }
}

async function measure({ folder, origin, wrk }, { bindings, entries = new Map(), entry, call, first }) {
  const store = await startStore(entries);
  const worker = await startWorkerd({ ...edgewardWorker(folder, entry), bindings, origin: origin.address, store: store.address });
  try {
    const sent = { ...call, headers: { ...frontHeaders(LOCAL_CF), ...call.headers } };
    const first_ms = await worker.firstAnswer(sent);
    if (first) await load(wrk, worker, { ...sent, tokens: first }, { ms: LIST_MS });
    await load(wrk, worker, sent, { ms: WARM_MS });
    const found = await load(wrk, worker, sent, { ms: MEASURED_MS });
    return { first_ms, policy_bytes: Buffer.byteLength(bindings.POLICY), store_reads: store.reads(), ...found };
  } finally {
    await Promise.all([worker.stop(), store.stop()]);
  }
}

/** The largest over the smallest, by round. */
function figures(samples) {
  const rounds = [...new Set(samples.map(({ round }) => round))];
  const of = (grows, size, round) => samples.find((one) => one.grows === grows && one.size === size && one.round === round);
  const grown = (grows, field) => {
    const { sizes } = worlds[grows];
    return rounded(ratio(rounds.map((round) => ({ one: of(grows, sizes.at(-1), round)[field], other: of(grows, sizes[0], round)[field] }))));
  };
  return {
    routes_10k_ratio: grown("routes", "cpu_us"),
    schemas_2k_ratio: grown("schemas", "cpu_us"),
    keys_1m_ratio: grown("keys in KV", "cpu_us"),
    callers_100k_memory_ratio: grown("callers", "rss_bytes"),
  };
}

function rows(samples) {
  return Object.entries(worlds).flatMap(([grows, { sizes }]) => {
    const of = (size) => samples.filter((one) => one.grows === grows && one.size === size);
    const least = median(of(sizes[0]).map(({ first_ms }) => first_ms));
    return sizes.map((size) => ({
      "what grows": `${size} ${grows}`,
      "CPU us/request": told(spread(of(size), "cpu_us")),
      "requests/s": median(of(size).map(({ rps }) => rps)).toFixed(0),
      "p99 ms": median(of(size).map(({ p99_ms }) => p99_ms)).toFixed(2),
      "memory MB": (median(of(size).map(({ rss_bytes }) => rss_bytes)) / 1e6).toFixed(0),
      "policy KB": (of(size)[0].policy_bytes / 1e3).toFixed(0),
      "first answer ms": told(spread(of(size), "first_ms")),
      "load ms more": (median(of(size).map(({ first_ms }) => first_ms)) - least).toFixed(0),
    }));
  });
}
