// Running other programs.
import { spawn, spawnSync } from "node:child_process";
import { Hint } from "./progress.mjs";

/** What a program prints, trimmed; `null` when it is missing, fails or takes longer than `limitMs`. */
export function answer(program, args, { limitMs = 10_000, env = process.env } = {}) {
  const done = spawnSync(program, args, { encoding: "utf8", timeout: limitMs, env });
  return done.status === 0 ? done.stdout.trim() : null;
}

/**
 * Runs a program to its end and gives `{ code, output, late }`.
 *
 * - `quiet`: keep what it prints in `output` instead of showing it. - `copy`: show it and keep it.
 * - `limitMs`: after this it is ended, with all that it started, and `late` is true.
 */
export function run(program, args, { env = process.env, cwd, quiet = false, copy = false, limitMs = 0 } = {}) {
  return new Promise((settle) => {
    const stdio = quiet || copy ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"];
    // A group of its own where there is a limit: rustup and apt start children that must end with them.
    const child = spawn(program, args, { env, cwd, stdio, detached: limitMs > 0 });
    let output = "";
    let late = false;
    for (const name of ["stdout", "stderr"]) {
      child[name]?.on("data", (text) => {
        output += text;
        if (copy) process[name].write(text);
      });
    }
    const timer = limitMs > 0 && setTimeout(() => ((late = true), endGroup(child.pid)), limitMs);
    child.on("error", (error) => settle({ code: 127, output: String(error), late }));
    child.on("close", (code) => {
      clearTimeout(timer);
      settle({ code: code ?? 1, output, late });
    });
  });
}

/** Like `run`, but a failure is the end of the script, with what the program said. */
export async function must(program, args, options = {}) {
  const done = await run(program, args, options);
  if (done.code !== 0) {
    throw new Hint(`${done.output}${program} ${args.join(" ")}\nfailed with exit code ${done.code}`);
  }
  return done;
}

function endGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
