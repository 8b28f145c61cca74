// One run of the command line: arguments in, one answer out, an exit code back.
import { CommanderError } from "commander";
import { EXIT, Failure } from "./failure.mjs";
import { programOf } from "./program.mjs";
import { printable, printableJson } from "./text.mjs";

/**
 * Runs `args` and gives the exit code.
 *
 * - `world`: `{ env, stdout, stderr }`, as `process` has them.
 *
 * With `--json`, exactly one JSON document goes to stdout, on one line, whatever happens. Without, the answer goes to
 * stdout and a failure to stderr.
 */
export async function run(args, { env, stdout, stderr }) {
  const help = [];
  const { program, outcome } = programOf(env, (text) => help.push(text));
  // The program knows its own flags even where the rest of the line is wrong.
  const asJson = () => program.opts().json === true;
  try {
    await program.parseAsync(args, { from: "user" });
    const { document, lines, exitCode = EXIT.fine } = outcome();
    print(stdout, asJson(), document, lines);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) {
      print(stdout, asJson(), { help: help.join("") }, help.join("").trimEnd().split("\n"));
      return EXIT.fine;
    }
    const failure = failureOf(error);
    print(asJson() ? stdout : stderr, asJson(), failure.document, failure.lines);
    return EXIT.failed;
  }
}

function print(stream, asJson, document, lines) {
  const text = asJson ? printableJson(document) : lines.map(printable).join("\n");
  stream.write(`${text}\n`);
}

function failureOf(error) {
  if (error instanceof Failure) return error;
  if (error instanceof CommanderError) {
    // With no verb at all, the message is but a name for the help that was shown.
    const message =
      error.code === "commander.help"
        ? "no verb was given"
        : error.message.replace(/^error: /, "").replaceAll("\n", " ");
    return new Failure(message, "See `edgeward --help`, or `edgeward VERB --help` for one verb.");
  }
  // A fault of this program: its stack says more than any sentence.
  return new Failure(
    `a fault of edgeward itself: ${error?.stack ?? error}`,
    "Report it to the maintainers, without any key.",
  );
}
