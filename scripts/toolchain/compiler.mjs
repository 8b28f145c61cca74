// Finds the Rust compilers of this machine, and says which one is for native code and which for wasm.
//
// The wasm build makes its own standard library, because only a library built with unwinding lets a panic end one
// request instead of the whole instance. So the wasm compiler needs the library's source and a linker besides; the
// native one, for tests, needs neither. They may be the same.
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { answer } from "../command.mjs";

/** Edition, dependencies and lints want at least this; the pin in Cargo.toml's `rust-version` is the same. */
export const RUST_NEEDED = "1.95";

/**
 * `{ native, wasm }`, each a compiler (see `describe`) or `null` when no installed one will do.
 */
export function findCompilers() {
  const known = compilers();
  return {
    native: known.find((compiler) => compiler.recent) ?? null,
    wasm: known.find((compiler) => compiler.recent && compiler.source && compiler.linker) ?? null,
  };
}

/** Every compiler here, the user's own first: PATH order, then the rest of rustup's, then the distribution's. */
function compilers() {
  const seen = new Map();
  for (const rustc of rustcs()) {
    const compiler = describe(rustc);
    if (compiler && !seen.has(compiler.sysroot)) seen.set(compiler.sysroot, compiler);
  }
  const found = [...seen.values()];
  // rustup's linker serves a distribution's compiler as well.
  const linker = found.map((compiler) => compiler.linker).find(Boolean) ?? onPath("wasm-ld");
  return found.map((compiler) => ({ ...compiler, linker: compiler.linker ?? linker }));
}

function rustcs() {
  const rustup = rustupFolder();
  const toolchains = existsSync(rustup) ? readdirSync(rustup).sort().reverse() : [];
  return [
    ...new Set([
      ...folders().map((folder) => join(folder, "rustc")),
      join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "bin", "rustc"),
      ...toolchains.map((name) => join(rustup, name, "bin", "rustc")),
      "/usr/bin/rustc",
    ]),
  ].filter((path) => existsSync(path));
}

/**
 * What a compiler is: `{ rustc, cargo, version, recent, sysroot, source, linker }`.
 * `source` tells whether its standard library's source is there, `linker` is its own wasm linker or `null`.
 */
function describe(rustc) {
  const verbose = answer(rustc, ["-vV"]);
  const sysroot = verbose && answer(rustc, ["--print", "sysroot"]);
  if (!sysroot) return null; // a rustup proxy with no toolchain behind it
  const version = /^release: (\S+)/m.exec(verbose)?.[1] ?? "0";
  const host = /^host: (\S+)/m.exec(verbose)?.[1] ?? "";
  const own = (name) => (existsSync(join(sysroot, "bin", name)) ? join(sysroot, "bin", name) : null);
  const cargo = own("cargo") ?? onPath("cargo");
  if (!cargo) return null;
  const lld = join(sysroot, "lib", "rustlib", host, "bin", "rust-lld");
  return {
    rustc: own("rustc") ?? rustc,
    cargo,
    version,
    recent: atLeast(version, RUST_NEEDED),
    sysroot,
    source: existsSync(join(sysroot, "lib", "rustlib", "src", "rust", "library", "Cargo.lock")),
    linker: existsSync(lld) ? lld : null,
    lints: Boolean(own("cargo-clippy") && own("cargo-fmt")),
  };
}

/** The environment in which a compiler's own `cargo` uses that compiler and no other. */
export function environment(compiler) {
  return {
    ...process.env,
    RUSTC: compiler.rustc,
    // `cargo clippy` and `cargo fmt` look for their programs here.
    PATH: [join(compiler.sysroot, "bin"), process.env.PATH].join(delimiter),
  };
}

function atLeast(version, needed) {
  const [major, minor] = version.split(".").map((part) => parseInt(part, 10));
  const [neededMajor, neededMinor] = needed.split(".").map(Number);
  return major > neededMajor || (major === neededMajor && minor >= neededMinor);
}

const folders = () => (process.env.PATH ?? "").split(delimiter).filter(Boolean);

export function onPath(name) {
  return folders().map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

export const rustupFolder = () => join(process.env.RUSTUP_HOME ?? join(homedir(), ".rustup"), "toolchains");
