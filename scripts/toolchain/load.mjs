// What measures a gateway from outside: a load generator and a native origin. The machine's own, else Debian's
// packages; another machine gets them from its own package manager.
import { existsSync } from "node:fs";
import { say, step } from "../progress.mjs";
import { onPath } from "./compiler.mjs";
import { addPackages } from "./debian.mjs";

/** By program: Debian's package, and what its version is asked by. Measured with wrk 4.1.0 and nginx 1.22.1. */
const PACKAGES = { wrk: "wrk", nginx: "nginx-light" };

/** `{ wrk, nginx }`, paths, or `null`, with what a person would do told, where one cannot be had. */
export async function findLoadPrograms() {
  const missing = Object.keys(PACKAGES).filter((name) => !find(name));
  if (missing.length > 0) await step(missing.join(" and "), () => addPackages(missing.map((name) => PACKAGES[name])));
  const found = Object.fromEntries(Object.keys(PACKAGES).map((name) => [name, find(name)]));
  const lacking = Object.keys(found).filter((name) => !found[name]);
  if (lacking.length === 0) return found;
  say(`${lacking.join(" and ")}: install with the system's package manager, so that the PATH has it`);
  return null;
}

/** Debian puts servers where only root's PATH looks. */
function find(name) {
  const server = `/usr/sbin/${name}`;
  return onPath(name) ?? (existsSync(server) ? server : null);
}
