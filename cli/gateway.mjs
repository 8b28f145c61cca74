// Which gateway is asked, and with which key.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { localState } from "../scripts/place.mjs";
import { Failure } from "./failure.mjs";

/** Where `npm start` serves. */
export const LOCAL_URL = "http://127.0.0.1:8787";
/** In the state folder of a local gateway: its root admin key. */
export const LOCAL_KEY_FILE = "admin-key";
export const KEY_VARIABLE = "EDGEWARD_ADMIN_KEY";

const KEY_CHARS_MAX = 512;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Gives `{ url, key }` of the gateway that a command is for.
 *
 * - `url`: of `--url` or EDGEWARD_URL; else the local gateway's.
 * - `env`: holds the key as EDGEWARD_ADMIN_KEY. A gateway on this machine needs none: its key file is read.
 *
 * Fails where there is no key, or where the key would cross a network in the clear.
 */
export function gatewayOf({ url = LOCAL_URL }, env) {
  const base = baseOf(url);
  return { url: base, key: keyFor(base, env) };
}

function baseOf(text) {
  const fix = "Write --url https://HOST, without a path.";
  if (!URL.canParse(text)) throw new Failure("the gateway's URL is not one", fix);
  const url = new URL(text);
  if (url.username || url.password) throw new Failure("the gateway's URL holds a name or password", fix);
  const isBare = url.pathname === "/" && !url.search && !url.hash;
  if (!isBare) throw new Failure("the gateway's URL holds more than a host", fix);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && LOOPBACK.test(url.hostname))) {
    const secure = "Use https: a key sent in the clear is a key given away. Only this machine is asked over http.";
    throw new Failure(`the admin key is not sent to ${url.protocol}//${url.host}`, secure);
  }
  return url;
}

function keyFor(url, env) {
  const given = env[KEY_VARIABLE]?.trim();
  const key = given || (LOOPBACK.test(url.hostname) && localKey());
  if (!key) {
    const local = LOOPBACK.test(url.hostname) ? " `npm start` makes one for the local gateway, once it ran." : "";
    throw new Failure(`there is no admin key for ${url.origin}`, `Put it into the variable ${KEY_VARIABLE}.${local}`);
  }
  if (key.length > KEY_CHARS_MAX || !/^[\x21-\x7e]+$/.test(key)) {
    throw new Failure(
      "the admin key has characters that no key has",
      `Look at ${KEY_VARIABLE}: it holds the key alone.`,
    );
  }
  return key;
}

/** The key that `npm start` made, or `null`. */
function localKey() {
  const file = join(localState, LOCAL_KEY_FILE);
  try {
    if (statSync(file).size > KEY_CHARS_MAX) return null;
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if (error.code === "ENOENT") return null;
    const fix = "Make it readable to you, or remove it and start the gateway again.";
    throw new Failure(`${file}: ${error.message}`, fix);
  }
}
