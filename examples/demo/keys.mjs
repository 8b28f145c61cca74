// API keys as the gateway reads them, `PREFIX_ENV_ID_SECRETCHECK`, and their records at rest.
import { createHash, createHmac, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_CHARS = 12;
const SECRET_CHARS = 32;
const CHECK_CHARS = 6;
const LIFETIME_S = 90 * 24 * 3_600;

/**
 * Makes a key: `text` is the whole of it, which is shown once; `id` is public.
 *
 * - `prefix`: as in the policy.
 * - `environment`: `live` or `test`.
 * - `id`: random unless given.
 */
export function makeKey({ prefix = "ew", environment = "test", id = randomText(ID_CHARS) } = {}) {
  const secret = randomText(SECRET_CHARS);
  const checked = `${prefix}_${environment}_${id}_${secret}`;
  return { id, text: checked + checkOf(checked) };
}

/** The CRC-32 (ISO-HDLC) of `text` as six base62 digits, most significant first. */
export function checkOf(text) {
  let rest = crc32(text);
  let check = "";
  while (check.length < CHECK_CHARS) {
    check = BASE62[rest % 62] + check;
    rest = Math.floor(rest / 62);
  }
  return check;
}

/**
 * What is stored of a key, under `key/ID`.
 *
 * - `fields`: `subject` and `scopes`, and what else `schemas/key-record.schema.json` allows.
 */
export function recordOf(key, pepper, { now_s = Math.floor(Date.now() / 1_000), ...fields }) {
  const [secret] = key.text.split("_").slice(-1);
  const hmac = createHmac("sha256", pepper).update(secret.slice(0, SECRET_CHARS));
  return {
    id: key.id,
    hash: hmac.digest("base64url"),
    pepper: pepperId(pepper),
    roles: [],
    cidrs: [],
    not_before: now_s,
    expires_at: now_s + LIFETIME_S,
    state: "active",
    created_at: now_s,
    created_by: "demo",
    ...fields,
  };
}

/** Names a pepper without telling anything of it: eight hex digits of a hash. */
export function pepperId(pepper) {
  return createHash("sha256").update(`edgeward pepper id\0${pepper}`).digest("hex").slice(0, 8);
}

/** A record as the key-value pair that the gateway's store holds. */
export const entryOf = (record) => [`key/${record.id}`, JSON.stringify(record)];

function randomText(length) {
  return Array.from({ length }, () => BASE62[randomInt(BASE62.length)]).join("");
}
