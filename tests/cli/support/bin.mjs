// The command line as a person runs it: a child process of the program that package.json names.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../scripts/place.mjs";

const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** More than any command here takes: a test of what hangs fails, and does not hang. */
const RUN_MS_MAX = 20_000;

/**
 * Runs `edgeward` and gives `{ code, stdout, stderr }`.
 *
 * - `env`: beside PATH, all that the program sees. - `cwd`: where it runs. - `program`: another copy of it.
 * - `limitMs`: after this it is ended, and `code` is null.
 */
export function edgeward(args, { env = {}, cwd, program = join(root, bin.edgeward), limitMs = RUN_MS_MAX } = {}) {
  return new Promise((settle, fail) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd,
      env: { PATH: process.env.PATH, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: limitMs,
    });
    const printed = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"])
      child[name].setEncoding("utf8").on("data", (text) => (printed[name] += text));
    child.on("error", fail);
    child.on("close", (code) => settle({ code, ...printed }));
  });
}
