// The root admin key of a local gateway: random, made once for each state folder, and never printed.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { adminKeyHash, isAdminKey, makeAdminKey } from "../../cli/admin-key.mjs";
import { KEY_VARIABLE, LOCAL_KEY_FILE, LOCAL_URL } from "../../cli/gateway.mjs";
import { replaceSecret } from "../../cli/secret-files.mjs";
import { shellWord } from "../../cli/text.mjs";
import { localState } from "../place.mjs";

/**
 * Gives `{ vars, lines }`: what to bind, and the command that asks the gateway for its keys.
 *
 * - `vars`: those of `--vars`. A hash among them is another's key: then none is made, and nothing is printed.
 */
export function localAdmin(state, vars, gatewayUrl) {
  if (vars.ADMIN_KEY_HASH !== undefined) return { vars: {}, lines: [] };
  const file = join(state, LOCAL_KEY_FILE);
  const key = keptKey(file) ?? makeAdminKey();
  mkdirSync(state, { recursive: true });
  // Written each time: a file that came to be readable by others is closed again.
  replaceSecret(file, key);
  return { vars: { ADMIN_KEY_HASH: adminKeyHash(key) }, lines: [command(state, file, gatewayUrl)] };
}

/** The command finds the usual folder and address by itself, and is told of any other. */
function command(state, file, gatewayUrl) {
  const key = state === localState ? "" : `${KEY_VARIABLE}="$(cat ${shellWord(file)})" `;
  const url = gatewayUrl === LOCAL_URL ? "" : ` --url ${gatewayUrl}`;
  return `${key}npm run edgeward -- keys list${url}`;
}

/** What an earlier start made, or `null`: a file that was cut short is no key. */
function keptKey(file) {
  try {
    const text = readFileSync(file, "utf8").trim();
    return isAdminKey(text) ? text : null;
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}
