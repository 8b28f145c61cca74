// Makes sure that this machine has what building and testing need, and installs only what it lacks.
import { Hint, say, step } from "../progress.mjs";
import { bindgenIsBuilt, buildBindgen } from "./bindgen.mjs";
import { findCompilers, onPath, RUST_NEEDED } from "./compiler.mjs";
import { addPackages, debianCommands } from "./debian.mjs";
import { addSource, addToolchain, forgetSilence, rustupCommands } from "./rustup.mjs";

/**
 * Gives `{ native, wasm }`, the two compilers. Does nothing, in well under a second, where all is there.
 * Throws a `Hint` with the commands to type when something cannot be had.
 */
export async function setUp() {
  let compilers = findCompilers();
  if (!compilers.wasm) {
    await step("rust for wasm", async () => {
      compilers = await bringWasmCompiler(compilers);
      forgetSilence();
      return told(compilers.wasm);
    });
  }
  if (!bindgenIsBuilt()) await step("wasm-bindgen", () => buildBindgen(compilers.wasm));
  return compilers;
}

/**
 * Tries what is cheap first: a few megabytes of source, then a toolchain, then the distribution's packages. Where
 * none of it served, a compiler that can have no source added (a distribution's, one linked into rustup) gets a
 * whole toolchain beside it.
 */
async function bringWasmCompiler(compilers) {
  const ways = [
    () => compilers.native && addSource(compilers.native),
    () => !compilers.native && addToolchain(),
    () => addPackages(),
    () => compilers.native && addToolchain(),
  ];
  for (const way of ways) {
    if (!(await way())) continue;
    const found = findCompilers();
    if (found.wasm) return found;
    say("  that was not enough: the compiler, its library's source and a wasm linker are needed");
  }
  throw new Hint(missing());
}

function missing() {
  const rustup = onPath("rustup") ? rustupCommands : ["curl https://sh.rustup.rs -sSf | sh", ...rustupCommands];
  return [
    `Rust ${RUST_NEEDED} or newer with its library's source is missing, and could not be installed from here.`,
    "With a network:",
    ...rustup.map((command) => `  ${command}`),
    "Or as root on Debian 12 and newer:",
    ...debianCommands.map((command) => `  ${command}`),
  ].join("\n");
}

export const told = (compiler) => `${compiler.version} in ${compiler.sysroot}`;
