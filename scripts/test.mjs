// `npm test [-- --native | --e2e]`: every test, in the order of what is cheapest to know, and one line that sums them.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { run } from "./command.mjs";
import { buildFolder, root, target } from "./place.mjs";
import { Hint, main, say, seconds, step } from "./progress.mjs";
import { counting } from "./toolchain/counting.mjs";
import { documents } from "./toolchain/documents.mjs";
import { environment } from "./toolchain/compiler.mjs";
import { setUp } from "./toolchain/setup.mjs";
import { build } from "./wasm/build.mjs";
import { profiles } from "./wasm/pipeline.mjs";

const TEST_TIMEOUT_MS = 600_000;
/** They wait more than they compute: for windows to pass, for what never answers. */
const FILES_AT_ONCE = 2;

const options = {
  native: { type: "boolean", default: false },
  e2e: { type: "boolean", default: false },
  // The local build is there in seconds after a change; the release build is what is deployed.
  profile: { type: "string", default: "release" },
};

await main(async () => {
  const began = performance.now();
  const { values } = parseArgs({ options });
  if (!profiles.includes(values.profile)) throw new Hint(`--profile is one of: ${profiles.join(", ")}`);
  const all = values.native === values.e2e;
  const compilers = await setUp();
  await documents();
  const tally = { passed: 0, failed: 0, skipped: 0, broken: [] };
  if (all || values.native) await nativeTests(compilers.native, tally);
  if (all || values.e2e) await endToEndTests(compilers.wasm, values.profile, tally);
  say(`\ntests took ${seconds(began)}`);
  for (const name of tally.broken) say(`failed: ${name}`);
  if (tally.passed === 0) say("no test ran");
  say(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
  return tally.failed === 0 && tally.passed > 0 ? 0 : 1;
});

async function nativeTests(compiler, tally) {
  // What the benchmarks measure with: it needs nothing but Node.
  await nodeTests("bench", "bench", process.env, tally);
  const env = { ...environment(compiler), CARGO_TARGET_DIR: target };
  const cargo = (...args) => [compiler.cargo, args, { env, cwd: root }];
  if (compiler.lints) {
    await part("cargo fmt", tally, cargo("fmt", "--check"));
    const lints = ["--locked", "--workspace", "--exclude", "edgeward-decision", "--all-targets", "--", "-D", "warnings"];
    await part("cargo clippy", tally, cargo("clippy", ...lints));
  } else {
    say(`cargo fmt and clippy are left out: ${compiler.sysroot} has neither (rustup component add clippy rustfmt)`);
  }
  await part("cargo test", tally, cargo("test", "--locked", "--no-fail-fast"), cargoCounts);
  // Optimized: two million requests and the bugs that are put in take minutes otherwise.
  const simulation = ["--locked", "--package", "edgeward-simulation"];
  await part("simulation", tally, cargo("test", ...simulation, "--release", "--", "--nocapture"), cargoCounts);
  await nodeTests("instructions", "instructions", { ...process.env, ...(await counting(compiler)) }, tally);
}

async function endToEndTests(compiler, profile, tally) {
  // It needs no build: what is wrong in it is known first.
  await nodeTests("command line", "cli", process.env, tally);
  await build(profile, compiler);
  await nodeTests("end to end", "e2e", { ...process.env, EDGEWARD_BUILD: buildFolder(profile) }, tally);
}

/** Runs the tests of one folder of `tests`. */
async function nodeTests(name, folderName, env, tally) {
  const folder = join(root, "tests", folderName);
  const files = readdirSync(folder).filter((file) => file.endsWith(".test.mjs"));
  // A test that fails may leave a server open: the run ends all the same, and says which it was.
  const bounds = ["--test-force-exit", `--test-timeout=${TEST_TIMEOUT_MS}`, `--test-concurrency=${FILES_AT_ONCE}`];
  const args = ["--test", "--test-reporter=spec", ...bounds, ...files.map((file) => join(folder, file))];
  await part(name, tally, [process.execPath, args, { env, cwd: root }], nodeCounts);
}

/** Runs one step. One that failed without a failing test to name, as a compile error, counts as one failure. */
async function part(name, tally, [program, args, options], counts = () => []) {
  await step(name, async () => {
    const { code, output } = await run(program, args, { ...options, copy: true });
    let failed = 0;
    for (const count of counts(output)) {
      tally.passed += count.passed;
      tally.skipped += count.skipped;
      failed += count.failed;
    }
    if (code !== 0) tally.broken.push(name);
    tally.failed += code !== 0 ? Math.max(failed, 1) : failed;
  });
}

/** cargo prints one line for each test program: "test result: ok. 3 passed; 0 failed; 1 ignored; …". */
function cargoCounts(output) {
  const lines = output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm);
  return [...lines].map(([, passed, failed, skipped]) => numbers({ passed, failed, skipped }));
}

/** node prints "ℹ pass 3" and the like, once, at the end. What it cancelled did not pass either. */
function nodeCounts(output) {
  const last = (word) => Number([...output.matchAll(new RegExp(`^(?:ℹ|#) ${word} (\\d+)`, "gm"))].at(-1)?.[1] ?? 0);
  return [{ passed: last("pass"), failed: last("fail") + last("cancelled"), skipped: last("skipped") }];
}

function numbers(texts) {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Number(text)]));
}
