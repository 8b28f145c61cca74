// Times as people write them on a command line. Every reader throws commander's error, which names the flag.
import { InvalidArgumentError } from "commander";
import { INSTANT_S_MAX } from "./text.mjs";

const UNIT_S = { s: 1, m: 60, h: 3_600, d: 86_400 };
/** A hundred years. */
const DURATION_S_MAX = 100 * 366 * UNIT_S.d;
const INSTANT_FORMS =
  "an instant as ISO 8601 with a zone (2026-07-01T12:00:00Z; 2026-07-01 is its start in UTC) or in Unix seconds";
const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** `90d`, `12h`, `30m` or `45s`, in seconds. */
export function durationS(text) {
  const [, digits, unit] = /^(\d{1,10})([dhms])$/.exec(text) ?? [];
  const seconds = Number(digits) * UNIT_S[unit];
  if (!unit || seconds > DURATION_S_MAX) {
    throw new InvalidArgumentError("Write a number and a unit: 90d, 12h, 30m or 45s.");
  }
  return seconds;
}

/**
 * An instant, from ISO 8601 or Unix seconds, as `{ seconds }`; without `seconds` for the word `now`.
 *
 * `now` is left to the gateway, whose clock judges it: this machine's may be wrong.
 */
export function instant(text) {
  if (text === "now") return {};
  const seconds = writtenS(text);
  if (seconds === null) throw new InvalidArgumentError(`Write ${INSTANT_FORMS}, or now.`);
  return { seconds };
}

/** When a key ends: `never`, a duration from now, or an instant that is written out. */
export function endS(text, now_ms = Date.now()) {
  if (text === "never") return "never";
  if (/^\d+[dhms]$/.test(text)) return Math.floor(now_ms / 1_000) + durationS(text);
  const seconds = writtenS(text);
  if (seconds !== null) return seconds;
  throw new InvalidArgumentError(`Write never, a duration (90d, 12h, 30m, 45s), or ${INSTANT_FORMS}.`);
}

/** Unix seconds, or `null`. */
function writtenS(text) {
  // Ten digits at least: 2026 and 20260701 are dates that somebody meant otherwise, 13 digits are milliseconds.
  const seconds = /^\d{10,12}$/.test(text) ? Number(text) : isoS(text);
  return seconds !== null && seconds <= INSTANT_S_MAX ? seconds : null;
}

function isoS(text) {
  const [whole, , month, day] = ISO.exec(text) ?? [];
  if (!whole) return null;
  const ms = Date.parse(text);
  // Date.parse takes February 30 for March 2: the day that was written has to exist.
  const days = new Date(Date.UTC(Number(text.slice(0, 4)), Number(month), 0)).getUTCDate();
  return Number.isNaN(ms) || Number(day) > days || ms < 0 ? null : Math.floor(ms / 1_000);
}
