// Lets rustup bring what is missing. Its server may be out of reach, and then rustup hangs rather than fails: each
// call has a limit, and a call that ran into it is remembered, so that the next run does not wait again.
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.mjs";
import { tools } from "../place.mjs";
import { say } from "../progress.mjs";
import { onPath, RUST_NEEDED, rustupFolder } from "./compiler.mjs";

const COMPONENT_LIMIT_MS = 20_000;
const TOOLCHAIN_LIMIT_MS = 240_000;
const REMEMBERED_MS = 60 * 60 * 1000;
const silence = join(tools, "rustup-did-not-answer");

const PINNED = `${RUST_NEEDED}.0`;

/** What a person would type to do the same. */
export const rustupCommands = [
  `rustup toolchain install ${PINNED} --component rust-src,clippy,rustfmt`,
];

/** Adds the standard library's source to a rustup toolchain that has none. True when it is there afterwards. */
export async function addSource(compiler) {
  const name = toolchainName(compiler);
  if (!name) return false;
  return rustup(["component", "add", "rust-src", "--toolchain", name], COMPONENT_LIMIT_MS);
}

/** Installs the pinned toolchain beside the user's own, whose default stays as it is. */
export async function addToolchain() {
  const parts = ["--profile", "minimal", "--component", "rust-src", "--component", "clippy", "--component", "rustfmt"];
  return rustup(["toolchain", "install", PINNED, "--no-self-update", ...parts], TOOLCHAIN_LIMIT_MS);
}

async function rustup(args, limitMs) {
  const program = onPath("rustup");
  if (!program) return false;
  if (existsSync(silence) && Date.now() - statSync(silence).mtimeMs < REMEMBERED_MS) {
    say(`  rustup did not answer within the last hour and is not asked (remove ${silence} to ask it)`);
    return false;
  }
  say(`  rustup ${args.join(" ")}`);
  const done = await run(program, args, { quiet: true, limitMs });
  if (done.code === 0) return true;
  if (!done.late) {
    // It costs the next run no wait to ask again, and by then there may be a network.
    say(`  refused: ${lastLine(done.output)}`);
    return false;
  }
  mkdirSync(tools, { recursive: true });
  writeFileSync(silence, done.output);
  say(`  no answer in ${limitMs / 1000} s`);
  return false;
}

export const forgetSilence = () => rmSync(silence, { force: true });

/** `stable-x86_64-unknown-linux-gnu` for a compiler in rustup's folder, else `null`. */
function toolchainName(compiler) {
  const folder = rustupFolder();
  return compiler.sysroot.startsWith(folder) ? compiler.sysroot.slice(folder.length + 1) : null;
}

const lastLine = (text) => text.trim().split("\n").at(-1) ?? "";
