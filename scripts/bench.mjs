// `npm run bench [-- --only PART --rounds N --seed N]`: sets up what is missing, builds the release worker, runs the
// parts one after the other and writes what they found to `target/bench.json`. How to read it: benches/README.md.
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { newSeed } from "../benches/peers/random.mjs";
import { table } from "./bench/table.mjs";
import { buildFolder, root, target } from "./place.mjs";
import { Hint, main, say, seconds, step } from "./progress.mjs";
import { setUp } from "./toolchain/setup.mjs";
import { build } from "./wasm/build.mjs";

/** The parts, in the order in which they run: modules of `benches/`. */
const PARTS = ["gateway", "features", "growth", "streams", "limits", "decision", "peers"];

/** Those that run only when they are named. */
const ON_DEMAND = ["profile", "size"];

/** Those that send requests to the release build. */
const OF_WORKER = ["gateway", "features", "growth", "streams", "peers"];

/** Even, so that each order of what is compared comes as often as its reverse. */
const ROUNDS = 2;

/** Running processes per core from which on others disturb what is measured. */
const BUSY = 0.75;

const options = {
  only: { type: "string", multiple: true, default: [] },
  rounds: { type: "string", default: `${ROUNDS}` },
  seed: { type: "string", default: `${newSeed()}` },
};

// Whatever a part started ends with this process, also when it is told to stop.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));

await main(async () => {
  const began = performance.now();
  const { only, ...numbers } = readFlags();
  const compilers = await setUp();
  const chosen = [...PARTS, ...ON_DEMAND].filter((one) => (only.length === 0 ? PARTS : only).includes(one));
  const figures = chosen.some((part) => OF_WORKER.includes(part)) ? await builtWorker(compilers) : {};
  say(`seed ${numbers.seed}: the same again by --seed ${numbers.seed}`);
  tellLoad();
  const result = { figures, runs: {} };
  const context = { folder: buildFolder("release"), compilers, say, ...numbers };
  for (const part of chosen) await runPart(part, context, result);
  say(`\nbenchmarks took ${seconds(began)}; every sample: ${write(result, numbers)}`);
});

/** Ratios bear other work on the machine, within limits; whoever reads them should know of it. */
function tellLoad() {
  const [now] = loadavg();
  const cores = availableParallelism();
  if (now > cores * BUSY) say(`this machine is busy (load ${now.toFixed(1)} on ${cores} cores): figures will spread`);
}

async function builtWorker(compilers) {
  const { gzipBytes } = await build("release", compilers.wasm);
  return { wasm_gzip_bytes: gzipBytes };
}

function readFlags() {
  const { values } = parseArgs({ options });
  const unknown = values.only.filter((part) => ![...PARTS, ...ON_DEMAND].includes(part));
  if (unknown.length > 0) throw new Hint(`--only ${unknown.join(" ")}: the parts are ${[...PARTS, ...ON_DEMAND].join(", ")}`);
  return { only: values.only, rounds: number("rounds", values.rounds, 1), seed: number("seed", values.seed, 0) };
}

function number(flag, text, least) {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw new Hint(`--${flag} ${text}: a whole number from ${least} on`);
  return value;
}

/** A part gives `{ figures, rows, samples }`, or `null` when this machine lacks what it needs, which it has told. */
async function runPart(part, context, result) {
  const { run } = await import(`../benches/${part}.mjs`);
  let found;
  await step(part, async () => void (found = await run(context)));
  if (!found) return say(`${part} is left out`);
  for (const [name, value] of Object.entries(found.figures)) {
    if (name in result.figures) throw new Error(`two parts give ${name}`);
    result.figures[name] = value;
  }
  result.runs[part] = found.samples;
  say(table(found.rows));
}

/** Names of figures at the top, then where they come from, then every sample. Gives the file's name. */
function write({ figures, runs }, numbers) {
  const machine = {
    node: process.versions.node,
    platform: process.platform,
    cpu: cpus()[0]?.model,
    cores: availableParallelism(),
    load: loadavg(),
  };
  const file = join(target, "bench.json");
  mkdirSync(target, { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...figures, at: new Date().toISOString(), ...numbers, machine, runs })}\n`);
  return file.startsWith(root) ? file.slice(root.length + 1) : file;
}
