// The root admin key: the form of an API key, known to the gateway by its hash alone.
import { createHash, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const FORM = /^ewadmin_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}$/;
const ID_CHARS = 12;
const SECRET_CHARS = 32;
const CHECK_CHARS = 6;

/** A new key, `ewadmin_live_ID_SECRETCHECK`: 190 random bits in its secret part. */
export function makeAdminKey() {
  const unchecked = `ewadmin_live_${randomText(ID_CHARS)}_${randomText(SECRET_CHARS)}`;
  return unchecked + checkOf(unchecked);
}

/** What is bound as ADMIN_KEY_HASH. A plain hash does: nobody can go through so many keys. */
export const adminKeyHash = (key) => createHash("sha256").update(key).digest("base64url");

/** Whether a text has the form of an admin key, its check included. */
export function isAdminKey(text) {
  return FORM.test(text) && text.endsWith(checkOf(text.slice(0, -CHECK_CHARS)));
}

/** CRC-32 as six base62 digits, most significant first (docs/STORAGE.md). */
function checkOf(text) {
  let check = "";
  for (let rest = crc32(text); check.length < CHECK_CHARS; rest = Math.floor(rest / 62))
    check = BASE62[rest % 62] + check;
  return check;
}

const randomText = (length) => Array.from({ length }, () => BASE62[randomInt(BASE62.length)]).join("");
