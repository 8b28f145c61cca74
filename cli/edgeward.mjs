#!/usr/bin/env node
// The program `edgeward`. Only what any Node understands stands here, so that an old one gets a sentence and not a
// syntax error.

const NODE_NEEDED = [22, 12];
const EXIT_FAILED = 2;

const [major, minor] = process.versions.node.split(".").map(Number);
const args = process.argv.slice(2);

if (major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1])) {
  const { run } = await import("./run.mjs");
  // A reader that has seen enough, as `head` has, is no failure.
  process.stdout.on("error", (error) => {
    if (error.code !== "EPIPE") throw error;
  });
  // Not process.exit: what was printed into a pipe has to leave first.
  process.exitCode = await run(args, process);
} else {
  const message = `edgeward needs Node ${NODE_NEEDED.join(".")} or newer; this is ${process.versions.node}`;
  const fix = "Install a newer Node; in a clone, `npm run edgeward -- VERB` finds one by itself.";
  if (args.includes("--json")) console.log(JSON.stringify({ error: { message, fix } }));
  else console.error(`${message}\n${fix}`);
  process.exitCode = EXIT_FAILED;
}
