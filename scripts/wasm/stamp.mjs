// Whether a build is still what its inputs would give: a hash over all of them, kept beside the output.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildFolder, root } from "../place.mjs";

// What is compiled, what is compiled in (`include_str!`), what decides how. Missing ones are skipped.
const INPUTS = ["src", "schemas", "Cargo.toml", "Cargo.lock", "package-lock.json", "scripts/wasm", "scripts/toolchain/bindgen"];

/** The hash of every input of a build with this profile and compiler. */
export function inputsHash(profile, compiler) {
  const hash = createHash("sha256").update(`${profile}\0${compiler.rustc}\0${compiler.version}\0`);
  for (const path of INPUTS.flatMap((input) => files(input))) {
    // The length keeps two files apart that would read the same joined.
    const bytes = readFileSync(join(root, path));
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

/** What the last finished build of a profile left: `{ inputs, rawBytes, gzipBytes }`, or `null`. */
export function lastBuild(profile) {
  const path = stampPath(profile);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

export const stampPath = (profile) => join(buildFolder(profile), "stamp.json");

/** Every file at or under a path of the repository, in one order on every machine. */
function files(path) {
  const here = join(root, path);
  if (!existsSync(here)) return [];
  if (!statSync(here).isDirectory()) return [path];
  return readdirSync(here).sort().flatMap((name) => files(join(path, name)));
}
