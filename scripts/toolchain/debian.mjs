// Debian's packages, for a machine that reaches a Debian archive but not rustup's server: the compiler that Debian
// keeps recent for its browsers, the library's source, and a linker. They stand beside a rustup toolchain. And what
// benchmarks are run against.
import { existsSync } from "node:fs";
import { answer, run } from "../command.mjs";
import { say } from "../progress.mjs";
import { onPath } from "./compiler.mjs";

const COMPILER = ["rustc-web", "cargo-web", "rust-web-src", "lld"];

// A package that conflicts with these (Debian's own rustup, an older rustc) is never removed for them.
const INSTALL = ["apt-get", "install", "-y", "--no-install-recommends", "--no-remove"];

/** What a person would type to do the same. */
export const debianCommands = ["apt-get update", [...INSTALL, ...COMPILER].join(" ")];

/** Installs packages, by default the compiler. False, with the reason told, where that cannot be. */
export async function addPackages(packages = COMPILER) {
  if (!existsSync("/etc/debian_version") || !onPath("apt-get")) return false;
  const prefix = asRoot();
  if (!prefix) {
    say("  Debian's packages need root, or sudo without a password");
    return false;
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const command of [["apt-get", "update", "-qq"], [...INSTALL, ...packages]]) {
    say(`  ${command.join(" ")}`);
    const [program, ...args] = [...prefix, ...command];
    const done = await run(program, args, { env, quiet: true, limitMs: 600_000 });
    // An archive that one list of many came not from may still have the packages.
    if (done.code !== 0 && command[1] === "install") {
      say(`  failed: ${done.output.trim().split("\n").slice(-3).join("\n  ")}`);
      return false;
    }
  }
  return true;
}

/** What stands before a command to run it as root: nothing, sudo, or `null` where neither will do. */
function asRoot() {
  if (process.getuid?.() === 0) return [];
  return onPath("sudo") && answer("sudo", ["-n", "true"]) !== null ? ["sudo", "-n", "-E"] : null;
}
