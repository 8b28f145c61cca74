// API keys and their records, made from docs alone: nothing here is shared with the gateway's own code.
import { createHash, createHmac, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DAY_S = 86_400;

/** The secret with which the keys of tests are hashed. */
export const PEPPER = "a pepper of tests, long enough to be one";

/**
 * A new key: `text` is what a caller sends, `[name, record]` is `entry`, what KV holds.
 *
 * - `fields`: laid over the record, for subjects, scopes, states and spoiled records.
 */
export function makeKey(fields = {}) {
  const [id, secret] = [base62(12), base62(32)];
  const unchecked = `ew_test_${id}_${secret}`;
  const nowS = Math.floor(Date.now() / 1_000);
  const record = {
    id,
    hash: createHmac("sha256", PEPPER).update(secret).digest("base64url"),
    pepper: createHash("sha256").update(`edgeward pepper id\0${PEPPER}`).digest("hex").slice(0, 8),
    subject: `subject-${id}`,
    scopes: [],
    roles: [],
    cidrs: [],
    not_before: nowS - DAY_S,
    expires_at: nowS + DAY_S,
    state: "active",
    created_at: nowS - DAY_S,
    created_by: "tests",
    ...fields,
  };
  return { id, text: unchecked + checkOf(unchecked), secret, record, entry: [`key/${id}`, record] };
}

/** CRC-32 as six base62 digits, most significant first. */
export function checkOf(text) {
  let digits = "";
  for (let rest = crc32(text); digits.length < 6; rest = Math.floor(rest / 62)) digits = BASE62[rest % 62] + digits;
  return digits;
}

const base62 = (length) => Array.from({ length }, () => BASE62[randomInt(62)]).join("");
