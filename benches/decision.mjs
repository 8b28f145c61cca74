// How long a decision takes that no object is asked for: the code of the gateway, compiled to wasm, in this process.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "../scripts/command.mjs";
import { root, target } from "../scripts/place.mjs";
import { environment } from "../scripts/toolchain/compiler.mjs";
import { WHOLE } from "../scripts/wasm/pipeline.mjs";

export const name = "decision";

const TRIPLE = "wasm32-unknown-unknown";
const DECISIONS = 200_000;
const WARM_UP = 50_000;

/** The median over the rounds, in ns, and how often an object was asked. */
export async function run({ compilers, rounds }) {
  await compile(compilers.wasm);
  const bytes = readFileSync(join(target, TRIPLE, "release", "edgeward_decision.wasm"));
  const { instance } = await WebAssembly.instantiate(bytes);
  instance.exports.decide(WARM_UP);
  const samples = Array.from({ length: Math.max(rounds, 5) }, () => sample(instance));
  const ns = samples.map((one) => one.ns).sort((a, b) => a - b);
  const median = ns[Math.floor(ns.length / 2)];
  const asked = samples.reduce((sum, one) => sum + one.asked, 0) / (samples.length * DECISIONS);
  return {
    figures: { local_decision_ns: median },
    rows: [
      {
        "a local decision, in wasm": "one limit, by lease",
        "ns, least": ns[0],
        "ns, median": median,
        "ns, most": ns.at(-1),
        "objects asked / decision": asked.toFixed(5),
      },
    ],
    samples,
  };
}

function sample({ exports }) {
  const began = performance.now();
  const told = exports.decide(DECISIONS);
  const ns = Math.round(((performance.now() - began) * 1e6) / DECISIONS);
  const admitted = Number(told & 0xffffffffn);
  if (admitted !== DECISIONS) throw new Error(`${DECISIONS - admitted} of ${DECISIONS} were refused`);
  return { ns, asked: Number(told >> 32n) };
}

function compile(compiler) {
  const args = ["build", "--release", "--locked", "--package", "edgeward-decision", "--target", TRIPLE];
  args.push(...WHOLE.flatMap((setting) => ["--config", setting]));
  return must(compiler.cargo, [...args, "--target-dir", target, "-Zbuild-std=std,panic_unwind"], {
    cwd: root,
    env: {
      ...environment(compiler),
      RUSTC_BOOTSTRAP: "1",
      RUSTFLAGS: "-Cpanic=unwind",
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: compiler.linker,
    },
  });
}
