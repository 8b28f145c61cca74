// Numbers that a key has in place of a limit's, as people write and read them.
import { Failure } from "./failure.mjs";

/** What takes a key's own numbers back. */
const POLICY = "policy";

export const NUMBERS_HELP =
  "NAME=500 for a window; NAME=10/s,burst=20 or NAME=1/s,queue=5 for a bucket; NAME=policy for the policy's again";

/**
 * Reads `NAME=NUMBER…` and gives `{ set, clear }`; what is empty is left out.
 *
 * - `mayClear`: whether there is something to take back.
 */
export function numbersOf(texts, mayClear) {
  const set = {};
  const clear = [];
  for (const text of texts) {
    const [, name, value] = /^([A-Za-z][A-Za-z0-9_-]{0,63})=(.+)$/.exec(text) ?? [];
    if (name === undefined || name in set || clear.includes(name)) throw unread(text);
    if (value === POLICY && mayClear) clear.push(name);
    else set[name] = numberOf(value) ?? fail(text);
  }
  return { ...(Object.keys(set).length > 0 && { set }), ...(clear.length > 0 && { clear }) };
}

/** The same as text: `minute=500 burst=10/s,burst=20`. */
export const numbersText = (limits) =>
  Object.entries(limits)
    .map(([name, { limit, rate_per_s, ...room }]) =>
      limit === undefined
        ? `${name}=${rate_per_s}/s,${Object.entries(room).flat().join("=")}`
        : `${name}=${limit}`,
    )
    .join(" ");

/** `undefined` where it is none; whether it is within bounds is the gateway's to say. */
function numberOf(text) {
  if (/^[0-9]{1,10}$/.test(text)) return { limit: Number(text) };
  const [, rate, room, units] = /^([0-9]{1,6}(?:\.[0-9]{1,6})?)\/s,(burst|queue)=([0-9]{1,10})$/.exec(text) ?? [];
  return rate === undefined ? undefined : { rate_per_s: Number(rate), [room]: Number(units) };
}

function fail(text) {
  throw unread(text);
}

const unread = (text) => new Failure(`not understood: ${text}`, `Write ${NUMBERS_HELP}. See \`edgeward keys --help\`.`);
