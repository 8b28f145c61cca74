// The same adversary against Edgeward and against limiters on Redis, side by side. See README.md, "peers".
import { findRedis } from "../scripts/toolchain/redis.mjs";
import { audit, median } from "./peers/audit.mjs";
import { drive } from "./peers/drive.mjs";
import { startEdgeward } from "./peers/edgeward.mjs";
import { randomFrom } from "./peers/random.mjs";
import { startRedis } from "./peers/redis.mjs";
import { schedules } from "./peers/schedules.mjs";
import { redisSystems } from "./peers/systems.mjs";

export const name = "peers";

const LIMIT = 100;
const CASES = [
  { limit: LIMIT, windowMs: 2_000 },
  { limit: LIMIT, windowMs: 5_000 },
];
const MANY = 10;
/** What is played, by the name in the table. Ten bursts at once would measure how long this machine queues them. */
const PLAYS = {
  A: { schedule: "burst", vantages: 1 },
  B: { schedule: "burst", vantages: MANY, times: 2 },
  C: { schedule: "overload", vantages: MANY },
};
/** How many windows all plays take, with the wait for the next to begin. */
const WINDOWS_PLAYED = 7;

/**
 * `null` without a Redis.
 * - `context`: `{ folder, rounds, seed, say }`: the build, how often each is played, where random numbers begin.
 */
export async function run({ folder, rounds, seed, say }) {
  const program = await findRedis();
  if (!program) return null;
  const redis = await startRedis(program);
  let edgeward;
  try {
    edgeward = await startEdgeward({ folder, isolates: MANY, cases: CASES });
    const systems = [edgeward.system, ...redisSystems(redis)];
    const windowsMs = CASES.reduce((sum, { windowMs }) => sum + windowMs, 0);
    const seconds = (windowsMs * WINDOWS_PLAYED * rounds * systems.length) / 1_000;
    say(`  redis ${redis.version}, ${rounds} rounds: about ${Math.ceil(seconds / 60)} minutes`);
    const samples = await playAll(systems, rounds, seed, say);
    return { figures: { peers: figures(systems, samples) }, rows: rows(systems, samples), samples };
  } finally {
    await Promise.all([redis.stop(), edgeward?.stop()]);
  }
}

/** Everything, one after the other; the order of the limiters is turned around each round. */
async function playAll(systems, rounds, seed, say) {
  const samples = [];
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 ? [...systems].reverse() : systems;
    for (const conditions of CASES) {
      for (const [play, { schedule, vantages, times }] of Object.entries(PLAYS)) {
        // The same requests for every limiter, others in each round.
        const random = randomFrom(seed + round);
        const events = schedules[schedule]({ ...conditions, vantages, times, random });
        for (const system of order) {
          const subject = `${round}-${play}-${conditions.windowMs}-${system.name}`.replaceAll(" ", "-");
          samples.push(await playOne(system, { round, play, vantages, subject, ...conditions }, events));
        }
      }
    }
    say(`  round ${round + 1} of ${rounds}`);
  }
  return samples;
}

async function playOne(system, { subject, ...conditions }, events) {
  const { limit, windowMs, vantages } = conditions;
  const { askers, calls } = await system.open({ limit, windowMs, vantages, subject });
  const trace = await drive(events, askers, windowMs);
  const figures = audit(trace, { limit, windowMs });
  return {
    system: system.name,
    ...conditions,
    ...figures,
    calls: await calls(),
    trace: trace.map(({ vantage, sent_ms, done_ms, outcome }) => [vantage, rounded(sent_ms), rounded(done_ms), outcome]),
  };
}

/** By limiter, window and play: the worst over-admission of all rounds, and what was summed over them. */
function figures(systems, samples) {
  const byCase = ({ windowMs }, system) => {
    const ofPlay = (play) =>
      summary(samples.filter((one) => one.system === system && one.windowMs === windowMs && one.play === play));
    return Object.fromEntries(Object.keys(PLAYS).map((play) => [play, ofPlay(play)]));
  };
  return Object.fromEntries(
    systems.map(({ name: system, note }) => [
      system,
      { note, ...Object.fromEntries(CASES.map((entry) => [`${entry.limit}/${entry.windowMs / 1_000}s`, byCase(entry, system)])) },
    ]),
  );
}

function summary(runs) {
  const sum = (field) => runs.reduce((total, one) => total + one[field], 0);
  const worst = (field) => Math.max(...runs.map((one) => one[field]));
  return {
    over_admission: worst("over"),
    over_admission_at_most: worst("over_at_most"),
    admitted_vs_oracle: rounded(sum("admitted") / sum("oracle")),
    calls_per_decision: rounded(sum("calls") / sum("decisions")),
    p50_ms: rounded(median(runs.map((one) => one.p50_ms))),
    failed: sum("failed"),
  };
}

function rows(systems, samples) {
  const all = figures(systems, samples);
  return CASES.flatMap(({ limit, windowMs }) =>
    systems.map(({ name: system, note }) => {
      const plays = all[system][`${limit}/${windowMs / 1_000}s`];
      const over = ({ over_admission: count, over_admission_at_most: most }) => `${count} (${percent(count / limit)}), ≤ ${most}`;
      return {
        limit: `${limit} in ${windowMs / 1_000} s`,
        limiter: `${system} (${note})`,
        "over in A": over(plays.A),
        "over in B": over(plays.B),
        "over in C": over(plays.C),
        "C: of the oracle's": percent(plays.C.admitted_vs_oracle),
        "C: calls/decision": plays.C.calls_per_decision.toFixed(2),
        "C: p50 ms": plays.C.p50_ms.toFixed(2),
        failed: plays.A.failed + plays.B.failed + plays.C.failed,
      };
    }),
  );
}

const percent = (share) => `${Math.round(share * 100)} %`;
const rounded = (number) => Math.round(number * 1_000) / 1_000;
