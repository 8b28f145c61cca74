// The verbs and their flags, as commander reads them.
import { Command, InvalidArgumentError } from "commander";
import { AdminApi, CALL_TIMEOUT_S } from "./api.mjs";
import { durationS } from "./time.mjs";
import { addCheck } from "./verbs/check.mjs";
import { addInit } from "./verbs/init.mjs";
import { addKeys } from "./verbs/keys.mjs";
import { addOpenapi } from "./verbs/openapi.mjs";
import { addStatus } from "./verbs/status.mjs";
import { addTokens } from "./verbs/tokens.mjs";

const TIMEOUT_S_MAX = 600;

const AFTER = `
The gateway is the local one (http://127.0.0.1:8787) unless --url or EDGEWARD_URL names another. The admin key comes
from the variable EDGEWARD_ADMIN_KEY, never from an argument, which other programs can see; for a gateway on this
machine that \`npm start\` made a key for, none is needed.

Exit code 0: fine. 1: \`check\` found something. 2: not understood, or failed.`;

/**
 * Gives `{ program, outcome }`: `outcome()` is what the verb of the last parse gave, as
 * `{ document, lines, exitCode? }`.
 *
 * - `help`: called with text that commander would print.
 */
export function programOf(env, help) {
  let outcome;
  /** Makes a verb's work an action: it gets its arguments, its flags and a way to ask the gateway. */
  const perform =
    (work) =>
    async (...parts) => {
      const command = parts.at(-1);
      const flags = command.optsWithGlobals();
      // Made when it is asked for: what is wrong with the command is told before what is wrong with the key.
      outcome = await work({ args: command.processedArgs, flags, api: () => new AdminApi(flags, env) });
    };
  const program = new Command("edgeward")
    .description("The command line of the Edgeward gateway.")
    .option("--json", "print exactly one JSON document, errors included")
    .option("--url <url>", "the gateway to ask (else EDGEWARD_URL, else the local one)", env.EDGEWARD_URL || undefined)
    .option("--timeout <duration>", `how long one call may take (default: ${CALL_TIMEOUT_S}s)`, timeoutS)
    .addHelpText("after", AFTER)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: help, writeErr: () => {} })
    .exitOverride();
  for (const add of [addInit, addStatus, addCheck, addOpenapi, addKeys, addTokens]) add(program, perform);
  return { program, outcome: () => outcome };
}

function timeoutS(text) {
  const seconds = durationS(text);
  if (seconds < 1 || seconds > TIMEOUT_S_MAX) throw new InvalidArgumentError("Write 1s to 10m.");
  return seconds;
}
