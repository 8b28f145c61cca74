// From Rust to what the Workers runtime loads: cargo, wasm-bindgen, esbuild. There is no wasm-opt: once the names are
// gone it took 100 s and 0.2 % off the compressed size.
//
// Owns: the three steps and their options. Does not own: where the compilers come from (`toolchain/`), whether a
// build is needed (`build.mjs`).
import { createRequire } from "node:module";
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { must } from "../command.mjs";
import { buildFolder, root, target } from "../place.mjs";
import { step } from "../progress.mjs";
import { bindgenProgram } from "../toolchain/bindgen.mjs";
import { environment } from "../toolchain/compiler.mjs";
import { dropNames } from "./names.mjs";

const TRIPLE = "wasm32-unknown-unknown";
const COMPILED = join(target, TRIPLE, "release", "edgeward.wasm");
/** Where the linker says what it put where: of the last build of `named`. */
export const MAP = join(target, TRIPLE, "release", "edgeward.map");

/** Optimized across crates, which gives back the time that building for size costs; cargo wants one type of crate for it. */
export const WHOLE = ['profile.release.lto="thin"'];

/**
 * Options of LLVM, for the step that optimizes across crates. A function that is called from one place goes into its caller
 * only if it is small, and so does what no `#[inline]` asks for: V8 compiles a function when it is first called, whole, and
 * most of a large one never runs. What asks for it goes where it went before (docs/decisions/0010-release-build.md).
 */
const LESS_INLINED = "-Cllvm-args=--inline-instr-cost=25 --inlinehint-threshold=1625";

/**
 * `release` is what is tested and deployed. `local` is for a person who edits and runs: this crate is compiled for a
 * short wait and keeps its names for stack traces.
 */
const PROFILES = {
  local: {
    cargo: [
      "profile.release.incremental=true",
      "profile.release.package.edgeward.opt-level=1",
      "profile.release.package.edgeward.codegen-units=16",
    ],
    names: true,
    minify: false,
  },
  release: { cargo: WHOLE, names: false, minify: true, link: [LESS_INLINED] },
  /** What is deployed, with its names and the linker's map: to see where time goes, and what is large. */
  named: { cargo: WHOLE, names: true, minify: false, link: [LESS_INLINED, `-Clink-arg=--Map=${MAP}`] },
};

export const profiles = Object.keys(PROFILES);

/** Builds one profile into `build/PROFILE` and gives `{ rawBytes, gzipBytes }`. */
export async function buildWasm(profile, compiler, inputs) {
  const { cargo, names, minify, link = [] } = PROFILES[profile];
  const staging = `${buildFolder(profile)}.${process.pid}`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    await step(`cargo build (${profile})`, () => compile(cargo, link, compiler));
    await step("wasm-bindgen", () => must(bindgenProgram(), [COMPILED, staging]));
    if (!names) dropNames(join(staging, "index_bg.wasm"));
    await step("esbuild", () => bundle(staging, minify));
    const sizes = measure(join(staging, "index_bg.wasm"));
    writeFileSync(join(staging, "stamp.json"), JSON.stringify({ inputs, ...sizes }));
    replace(buildFolder(profile), staging);
    return sizes;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function compile(settings, link, compiler) {
  const args = ["rustc", "--lib", "--crate-type", "cdylib", "--release", "--locked", "--target", TRIPLE, "--target-dir", target];
  args.push(...settings.flatMap((setting) => ["--config", setting]));
  return must(compiler.cargo, [...args, "-Zbuild-std=std,panic_unwind", "--", ...link], {
    cwd: root,
    env: {
      ...environment(compiler),
      // `-Zbuild-std` is not stable; a stable compiler takes it on this word.
      RUSTC_BOOTSTRAP: "1",
      RUSTFLAGS: ["-Cpanic=unwind", ...withoutThisMachine(compiler)].join(" "),
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: compiler.linker,
      // The macro then takes futures from js-sys, which the worker crate expects of it.
      WASM_BINDGEN_USE_JS_SYS: "1",
    },
  });
}

/** Panic messages carry source paths: without the folders of the machine that built them. */
function withoutThisMachine(compiler) {
  const cargo = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const folders = { [root]: "edgeward", [cargo]: "cargo", [compiler.sysroot]: "rust" };
  return Object.entries(folders)
    .filter(([folder]) => !folder.includes(" ") && folder !== "/")
    .map(([folder, name]) => `--remap-path-prefix=${folder}=${name}`);
}

/** One module out of what wasm-bindgen wrote and the snippets of JavaScript that crates bring. */
async function bundle(folder, minify) {
  const esbuild = createRequire(import.meta.url)("esbuild");
  const index = join(folder, "index.js");
  // "import source" is not in the runtime yet; it gives a wasm module to a plain import.
  const source = readFileSync(index, "utf8").replace("import source ", "import ");
  await esbuild.build({
    stdin: { contents: source, resolveDir: folder, sourcefile: "index.js" },
    outfile: index,
    allowOverwrite: true,
    bundle: true,
    format: "esm",
    external: ["./index_bg.wasm", "cloudflare:*"],
    minify,
    logLevel: "warning",
  });
  rmSync(join(folder, "snippets"), { recursive: true, force: true });
  copyFileSync(join(root, "src", "entry.js"), join(folder, "entry.js"));
}

function measure(wasm) {
  const bytes = readFileSync(wasm);
  return { rawBytes: bytes.length, gzipBytes: gzipSync(bytes).length };
}

/** Puts a finished folder in the place of the old one, so that no reader finds half a build for long. */
function replace(folder, staging) {
  const old = `${staging}.old`;
  rmSync(old, { recursive: true, force: true });
  try {
    renameSync(folder, old);
  } catch {
    // The first build has nothing to replace.
  }
  renameSync(staging, folder);
  rmSync(old, { recursive: true, force: true });
}
