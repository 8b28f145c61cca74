// What a person sees while scripts work: one line when a step begins, one with its duration when it ends.

const paint = (code, text) => (process.stdout.isTTY ? `\x1b[${code}m${text}\x1b[0m` : text);

export const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

export const say = (text) => console.log(text);

/** Runs `work` as a named step. What it returns, if a string, is told on the closing line. */
export async function step(name, work) {
  const began = performance.now();
  say(paint("1", `> ${name}`));
  const outcome = await work();
  const told = typeof outcome === "string" ? `: ${outcome}` : "";
  say(paint("2", `  ${name}${told} (${seconds(began)})`));
  return outcome;
}

/** A failure that a person can act on: shown without a stack. */
export class Hint extends Error {}

/** Runs a script's main function; a `Hint` prints as it is and exits 1, or with its own `exitCode`. */
export async function main(work) {
  try {
    process.exitCode = (await work()) ?? process.exitCode ?? 0;
  } catch (error) {
    console.error(error instanceof Hint ? `\n${error.message}` : error);
    // At once: what was started before the error would keep the process waiting.
    process.exit(error.exitCode ?? 1);
  }
}
