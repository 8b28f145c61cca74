// What leases save and what they cost: the limiter in its simulated world, hot keys one by one and everything else
// together. How it is done: simulation/README.md.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must } from "../scripts/command.mjs";
import { root, target } from "../scripts/place.mjs";
import { environment } from "../scripts/toolchain/compiler.mjs";

export const name = "limits";

/** As many as the limit's windows need to settle: how much passes of a few depends on where they are cut. */
const HOT_WINDOWS = 66;
const HOT_WINDOW_S = 60;
const ALL_REQUESTS = 5_000_000;
/** Requests a second at each isolate, at how many isolates, and how many times the limit's rate come. */
const HOT = [
  [100, 1, 0.8],
  [100, 5, 0.8],
  [100, 50, 0.8],
  [1000, 5, 0.8],
  [100, 1, 1.5],
  [100, 5, 1.5],
  [100, 50, 1.5],
  [300, 5, 1.5],
  [100, 1, 5],
  [100, 5, 5],
  [300, 5, 5],
  [1000, 5, 5],
];
/** Dollars a million: a call to a Durable Object, and a row written (Cloudflare's list prices). */
const CALL_PRICE = 0.15;
const ROW_PRICE = 1;

export async function run({ compilers, seed }) {
  const simulate = await simulator(compilers.native);
  const hot = [];
  for (const [rate, isolates, load] of HOT) {
    const scenario = `hot: ${rate}/s at ${isolates}, load ${load}`;
    const requests = rate * isolates * HOT_WINDOW_S * HOT_WINDOWS;
    hot.push(...(await simulate(["--requests", requests, "--seed", seed, "--scenario", scenario])));
  }
  const all = await simulate(["--requests", ALL_REQUESTS, "--seed", seed]);
  const calm = hot.filter((one) => one.name.endsWith("load 0.8"));
  const most = (samples, figure) => Math.max(...samples.map((one) => one[figure]));
  const least = (samples, figure) => Math.min(...samples.map((one) => one[figure]));
  return {
    figures: {
      over_admission: Math.max(0, most([...hot, ...all], "over")),
      hops_per_request: most(hot, "waits_per_request"),
      admitted_vs_oracle: least(hot, "admitted_by_oracle"),
      lent_per_call: least(calm, "lent_per_call"),
    },
    rows: hot.map(row),
    samples: { hot, all },
  };
}

function row(one) {
  const calls = one.calls_per_request;
  return {
    "hot key": one.name.replace("hot: ", ""),
    over: Math.max(0, one.over),
    "admitted / oracle": one.admitted_by_oracle.toFixed(4),
    "blocking hops / request": one.waits_per_request.toFixed(4),
    "calls / request": calls.toFixed(4),
    "lent / call": one.lent_per_call.toFixed(1),
    "$ / million": (calls * (CALL_PRICE + ROW_PRICE)).toFixed(3),
    "$ / million without leases": (CALL_PRICE + ROW_PRICE).toFixed(2),
  };
}

/** Builds the simulation; gives a function that runs it and reads what it wrote. */
async function simulator(compiler) {
  const options = { cwd: root, env: { ...environment(compiler), CARGO_TARGET_DIR: target } };
  await must(compiler.cargo, ["build", "--locked", "--release", "--package", "edgeward-simulation"], options);
  const program = join(target, "release", "edgeward-simulation");
  return async (args) => {
    const folder = mkdtempSync(join(tmpdir(), "edgeward-bench-"));
    try {
      const file = join(folder, "figures.json");
      await must(program, [...args.map(String), "--json", file], options);
      return JSON.parse(readFileSync(file, "utf8")).scenarios;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}
