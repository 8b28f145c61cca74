// Builds the program that writes the JavaScript half of the wasm module (see `bindgen/Cargo.toml`), once.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { must } from "../command.mjs";
import { root, tools } from "../place.mjs";
import { environment } from "./compiler.mjs";

const crate = join(root, "scripts", "toolchain", "bindgen");

/** Where the program lies; its name carries a hash of its source and lock file, so that a changed pin builds anew. */
export function bindgenProgram() {
  const hash = createHash("sha256");
  for (const file of ["Cargo.toml", "Cargo.lock", "src/main.rs"]) hash.update(readFileSync(join(crate, file)));
  return join(tools, `bindgen-${hash.digest("hex").slice(0, 12)}`);
}

export const bindgenIsBuilt = () => existsSync(bindgenProgram());

export async function buildBindgen(compiler) {
  const folder = join(tools, `bindgen-build-${process.pid}`);
  mkdirSync(tools, { recursive: true });
  const manifest = ["--manifest-path", join(crate, "Cargo.toml"), "--target-dir", folder];
  try {
    // From the tools folder, so that a user's `.cargo/config.toml` for this repository does not apply.
    await must(compiler.cargo, ["build", "--release", "--locked", ...manifest], {
      cwd: tools,
      env: environment(compiler),
    });
    const unnamed = join(folder, "whole");
    copyFileSync(join(folder, "release", "edgeward-bindgen"), unnamed);
    // Renamed when whole: a set-up that was stopped leaves nothing that looks finished.
    renameSync(unnamed, bindgenProgram());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
