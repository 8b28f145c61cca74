// What the gateway costs, beside a Worker that checks nothing and beside what a user would write instead. See README.md,
// "gateway".
import { findLoadPrograms } from "../scripts/toolchain/load.mjs";
import { LOCAL_CF } from "../scripts/serve/worker.mjs";
import { makeIdentityKey, makeIssuer } from "./gateway/issuer.mjs";
import { ROOMY } from "./gateway/policy.mjs";
import { callOf, proveIdentity, proveLimit, proveRefusals } from "./gateway/proof.mjs";
import { variants } from "./gateway/variants.mjs";
import { addedRatio, inTurn, ratio, rounded, spread, told } from "./runtime/measures.mjs";
import { startOrigin } from "./runtime/origin.mjs";
import { frontHeaders, isMeasurable } from "./runtime/workerd.mjs";
import { load } from "./runtime/wrk.mjs";

export const name = "gateway";

const WARM_MS = 2_000;
const MEASURED_MS = 3_000;
const COLD_MS = 2_000;
/** A round is some 40 s. */
const ROUNDS_PER_ROUND = 2;
const TIGHT = 3;
/** So many that none is asked for twice a second, or its units would be lent ahead and there would be no hop. */
const COLD_CALLERS = 4_000;
/** More than a list of requests takes, which ends by itself. */
const LIST_MS = 300_000;
const FLOOR = "floor";
/** What each variant's origin has to hear of a caller who lies about itself. */
const TELLS = {
  twin: { user: /^caller-warm$/ },
  edgeward: { statement: /^[\w-]+\.[\w-]+\.[\w-]+$/ },
  "edgeward, no statement": { statement: /^$/ },
};

/** `null` without Linux, wrk and nginx. */
export async function run({ folder, rounds, say }) {
  const programs = isMeasurable() ? await findLoadPrograms() : null;
  if (!programs) return null;
  const origin = await startOrigin(programs.nginx);
  try {
    const setting = await prepared(folder, origin);
    await proveAll(setting, say);
    const samples = await measureAll(setting, programs.wrk, rounds * ROUNDS_PER_ROUND, say);
    return { figures: figures(samples), rows: rows(samples), samples };
  } finally {
    await origin.stop();
  }
}

async function prepared(folder, origin) {
  const issuer = makeIssuer("RS256");
  const subjects = Array.from({ length: COLD_CALLERS }, (_, index) => `caller-${index}`);
  const [known, fresh, more] = [await issuer.tokens(subjects), await issuer.tokens(subjects), await issuer.tokens(subjects)];
  return {
    token: await issuer.token("caller-warm"),
    known,
    // The same callers with tokens that nobody has seen.
    fresh: [...fresh, ...more],
    front: frontHeaders(LOCAL_CF),
    starts: await variants({ folder, origin, jwks: issuer.jwks, identityKey: makeIdentityKey() }),
  };
}

/** Each variant but the floor refuses what it has to, and tells the origin who calls whatever the caller says. */
async function proveAll({ starts, front, token }, say) {
  for (const [name, start] of Object.entries(starts)) {
    if (name === FLOOR) continue;
    const worker = await start(TIGHT);
    try {
      await proveLimit(worker, front, token, TIGHT);
    } finally {
      await worker.stop();
    }
  }
  say("  every variant lets exactly as many through as its limit says");
}

async function measureAll(setting, wrk, rounds, say) {
  const samples = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const [variant, start] of inTurn(Object.entries(setting.starts), round)) {
      samples.push({ round, variant, ...(await measure(variant, start, setting, wrk)) });
    }
    say(`  round ${round + 1} of ${rounds}`);
  }
  return samples;
}

async function measure(variant, start, { front, token, known, fresh }, wrk) {
  const worker = await start(ROOMY);
  try {
    const call = callOf(front, token);
    const first_ms = await worker.firstAnswer(call);
    const first_cpu_ms = worker.threadsCpuUs() / 1_000;
    if (variant !== FLOOR) await prove(variant, worker, front, token);
    await load(wrk, worker, call, { ms: WARM_MS });
    const warm = await load(wrk, worker, call, { ms: MEASURED_MS });
    await load(wrk, worker, { ...call, tokens: known }, { ms: LIST_MS });
    const cold = await load(wrk, worker, { ...call, tokens: fresh }, { ms: COLD_MS });
    return { ...warm, cold_cpu_us: cold.cpu_us, cold_requests: cold.requests, first_ms, first_cpu_ms };
  } finally {
    await worker.stop();
  }
}

async function prove(variant, worker, front, token) {
  await proveRefusals(worker, front, token);
  await proveIdentity(worker, front, token, TELLS[variant]);
}

function figures(samples) {
  const cpu = compared(samples, "cpu_us");
  return {
    added_cpu_ratio: rounded(addedRatio(cpu("edgeward"))),
    added_cpu_ratio_cold: rounded(addedRatio(compared(samples, "cold_cpu_us")("edgeward"))),
    added_cpu_ratio_no_statement: rounded(addedRatio(cpu("edgeward, no statement"))),
    rps_ratio: rounded(ratio(compared(samples, "rps")("edgeward"))),
    cold_start_ratio: rounded(ratio(compared(samples, "first_ms")("edgeward"))),
    cold_start_cpu_ratio: rounded(ratio(compared(samples, "first_cpu_ms")("edgeward"))),
  };
}

/** By round: one variant, the twin as the other, and the floor. */
function compared(samples, field) {
  const rounds = [...new Set(samples.map(({ round }) => round))];
  const at = (round, variant) => samples.find((one) => one.round === round && one.variant === variant)[field];
  return (variant) => rounds.map((round) => ({ one: at(round, variant), other: at(round, "twin"), floor: at(round, FLOOR) }));
}

function rows(samples) {
  const names = [...new Set(samples.map(({ variant }) => variant))];
  const floor = spread(samples.filter(({ variant }) => variant === FLOOR), "cpu_us").median;
  return names.map((variant) => {
    const own = samples.filter((one) => one.variant === variant);
    const of = (field) => spread(own, field);
    return {
      "16 connections, a small POST": variant,
      "CPU us/request": told(of("cpu_us")),
      "over the floor": (of("cpu_us").median - floor).toFixed(0),
      "new token, one hop: us": told(of("cold_cpu_us")),
      "requests/s": told(of("rps")),
      "p50 ms": of("p50_ms").median.toFixed(2),
      "p99 ms": of("p99_ms").median.toFixed(2),
      "memory MB": (of("rss_bytes").median / 1e6).toFixed(0),
      "first answer ms": told(of("first_ms")),
      "its CPU ms": told(of("first_cpu_ms")),
    };
  });
}
