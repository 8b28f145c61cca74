// What is measured, one by one: a call, and what must become of it.
import { BAD_BODY, GOOD_BODY, orderOf, PATH } from "../gateway/policy.mjs";
import { ALGORITHMS, BUCKET_HEADER, pathOf } from "./policy.mjs";

const JSON_TYPE = { "content-type": "application/json" };
/** More values than any of them is asked for twice a second: each request asks an object. */
const BUCKETS = 4_000;
const bucketsOf = (times) => Array.from({ length: BUCKETS * times }, (_, index) => `bucket-${index % BUCKETS}`);

/**
 * `[{ name, status, call, warm }]`. `warm` is what is sent before, where that is another call.
 * - `known`: `{ front, token, forged, key, unknownKey, fresh }`; `fresh` has tokens by algorithm, each seen once.
 */
export function admissions({ front, token, key, fresh }) {
  const of = (name, path, more = {}) => ({ name, status: 200, call: { path, body: GOOD_BODY, ...more, headers: { ...front, ...JSON_TYPE, ...more.headers } } });
  const bearer = { authorization: `Bearer ${token}` };
  const uncached = Object.keys(fresh).map((algorithm) => {
    const [first] = fresh[algorithm];
    const one = of(`token, ${algorithm}, new`, pathOf(algorithm), { headers: { authorization: `Bearer ${first}` } });
    const call = { ...one.call, tokens: fresh[algorithm].slice(1) };
    return { ...one, call, warm: one.call };
  });
  const hop = of("limit, by hop", "/bucket", { tokens: bucketsOf(3), tokenHeader: BUCKET_HEADER, headers: { [BUCKET_HEADER]: "bucket-0" } });
  return [
    of(BASE, "/open"),
    of("API key", "/key", { headers: { "x-api-key": key } }),
    of("token, RS256, seen", "/token", { headers: bearer }),
    ...uncached,
    ...Object.keys(ALGORITHMS).map((algorithm) => of(`limit, ${algorithm}`, `/${algorithm}`)),
    { ...hop, warm: { ...hop.call, tokens: bucketsOf(1) } },
    of("schema", "/schema"),
    of("CEL", "/cel"),
    of("CEL over the body", "/cel-body"),
    of(WHOLE, PATH, { headers: bearer }),
  ];
}

export const BASE = "public, no rule";
export const WHOLE = "token, limit, schema";

/** Each kind of refusal, on the route that asks for most where it has one. */
export function refusals({ front, token, forged, unknownKey }) {
  const of = (name, status, path, headers = {}, body = GOOD_BODY) => ({ name, status, call: { path, body, headers: { ...front, ...JSON_TYPE, ...headers } } });
  const bearer = { authorization: `Bearer ${token}` };
  const mistyped = `${unknownKey.slice(0, -1)}${unknownKey.endsWith("0") ? "1" : "0"}`;
  return [
    of("no such route", 404, "/nowhere", bearer),
    { ...of("another method", 405, PATH, bearer), call: { ...of("", 0, PATH, bearer).call, method: "DELETE", body: undefined } },
    of("no credential", 401, PATH),
    of("a mistyped key", 401, "/key", { "x-api-key": mistyped }),
    of("an unknown key", 401, "/key", { "x-api-key": unknownKey }),
    of("a forged token", 401, PATH, { authorization: `Bearer ${forged}` }),
    of("a scope too few", 403, "/scope", bearer),
    of("over the limit", 429, "/few", bearer),
    of("another content type", 415, PATH, { ...bearer, "content-type": "text/plain" }),
    of("content that is no JSON", 400, PATH, bearer, "{"),
    of("content against the schema", 422, PATH, bearer, BAD_BODY),
    of("content too large", 413, "/small", bearer),
  ];
}

/** Long enough for some dozens of the largest. */
const LARGE_MS = 5_000;

/**
 * Bodies by size, looked at and not; of the largest, the gateway reads 8 MiB at most. Few at once where one is large:
 * together they fill the isolate's memory.
 */
export function bodies({ front }) {
  const read = (size, bytes, load = {}) => ({ size, bytes, load, path: "schema", what: "against a schema" });
  const passed = (size, bytes, load = {}) => ({ size, bytes, load, path: "pass", what: "passed on unread" });
  const long = { connections: 2, ms: LARGE_MS };
  const all = [
    ...[passed, read].map((of) => of("1 KB", 1_000)),
    ...[passed, read].map((of) => of("100 KB", 100_000)),
    passed("10 MB", 10_000_000, long),
    read("8 MB", 8_000_000, long),
  ];
  return all.map(({ size, bytes, load, path, what }) => ({
    name: `body of ${size}, ${what}`,
    status: 200,
    ...load,
    call: { path: `/${path}`, headers: { ...front, ...JSON_TYPE }, body: orderOf(bytes) },
  }));
}

/** Bodies that no rule looks at, where each request is signed with their digest. */
export const digests = ({ front }) =>
  [
    ["1 KB", 1_000, {}],
    ["100 KB", 100_000, {}],
    ["1 MB", 1_000_000, { connections: 2, ms: LARGE_MS }],
  ].map(([size, bytes, more]) => ({
    name: `body of ${size}, its digest signed`,
    status: 200,
    ...more,
    call: { path: "/pass", headers: { ...front, ...JSON_TYPE }, body: orderOf(bytes) },
  }));

/** Rules over what comes back, and over what may be set. */
export const answers = ({ front }) =>
  [
    ["answer-allow", "answer, allowed by CEL"],
    ["answer-fields", "answer, less a field"],
    ["answer-body", "answer, against a schema"],
    ["write", "content, less a field"],
  ].map(([path, name]) => ({
    name,
    status: 200,
    call: { path: `/${path}`, headers: { ...front, ...JSON_TYPE }, body: GOOD_BODY },
  }));
