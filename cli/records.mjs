// Key records and revocations, as people read them.
import { numbersText } from "./numbers.mjs";
import { instantText, listText, table } from "./text.mjs";

const INSTANTS = ["not_before", "expires_at", "created_at"];

/** - `records`: of `GET keys`. - `nowS`: seconds of Unix time: a key that is over is not told as one that is good. */
export function recordTable(records, nowS = Date.now() / 1_000) {
  if (records.length === 0) return ["no keys"];
  const rows = records.map(({ id, state, subject, tenant, expires_at, scopes, roles }) => [
    id,
    state !== "revoked" && expires_at <= nowS ? "expired" : state,
    subject,
    tenant ?? "-",
    instantText(expires_at),
    listText(scopes),
    listText(roles),
  ]);
  return table(["ID", "STATE", "SUBJECT", "TENANT", "EXPIRES", "SCOPES", "ROLES"], rows);
}

/** Every member of one record that says something. */
export function recordLines(record) {
  const rows = Object.entries(record)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => [name, valueText(name, value)]);
  return rows.length === 0 ? [] : table(rows[0], rows.slice(1));
}

/** How much a key was used: of `GET keys/ID`. */
export function useLine(use) {
  return use
    ? `used ${use.count} times or more, the last time at ${instantText(use.last_used_at)}`
    : "never used, as far as is counted";
}

/** What a key has numbers for and the policy does not heed: of `GET keys/ID`. */
export function unheededLines(unheeded) {
  if (unheeded.length === 0) return [];
  return [`not heeded, for the policy in force has no such limit by caller: ${listText(unheeded)}`];
}

/** A key whose own numbers were changed. */
export function limitedLine({ id, subject, limits = {} }) {
  const own = numbersText(limits);
  return `key ${id} of ${subject} has ${own === "" ? "no numbers of its own" : `its own numbers: ${own}`}`;
}

/** A new key for its owner. It stands on a line of its own, so that it can be taken whole. */
export function newKeyLines({ key, record }) {
  return [
    key,
    "This key is shown now and never again: keep it where its owner keeps secrets.",
    `id ${record.id}, subject ${record.subject}, expires: ${instantText(record.expires_at)}`,
  ];
}

/** By when a revocation holds everywhere; counted from the answer, so that it is never too early. */
export function effectLine(within_s, now_ms = Date.now()) {
  return `refused everywhere by ${instantText(Math.ceil(now_ms / 1_000) + within_s)}, within ${within_s} s`;
}

function valueText(name, value) {
  if (INSTANTS.includes(name)) return instantText(value);
  if (name === "limits") return numbersText(value);
  return Array.isArray(value) ? listText(value) : String(value);
}
