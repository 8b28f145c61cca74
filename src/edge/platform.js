// What Rust asks of the platform about one request, each in one crossing: a crossing from wasm costs more than what it
// asks for.
//
// Owns: steps that are the platform's alone, in the platform's language. Does not own: any decision; what passes, what is
// taken out, what is set and how much is read is told from Rust. Lists come as text, one item a line: neither a name
// nor a value of a field can hold a line break (RFC 9110 §5.5).
//
// What has to be waited for gives a number at once, and under this number it is handed over later: see `awaited`.

/** What Rust is told where there is no answer; `platform.rs` has the same. */
const TIMED_OUT = 1;
const BROKEN = 2;
const TOO_LARGE = 3;
const INVALID = 4;
const LEFT = 5;

/** What Rust is told of a signature. */
const VALID = 10;
const INVALID_SIGNATURE = 11;

/** What Rust is told where nothing lies in a cache. */
const ABSENT = 12;

/** Announced content of up to so many bytes is read in one piece. */
const PIECE_BYTES_MAX = 65_536;

/** One request as lines: what there is of it, then each field's name and value. */
export function facts(request) {
  const cf = request.cf ?? {};
  const shown = cf.tlsClientAuth ?? {};
  const lines = [
    request.method,
    request.url,
    request.body ? "1" : "",
    cf.country,
    cf.colo,
    cf.tlsVersion,
    shown.certPresented,
    shown.certVerified,
    shown.certRevoked,
    shown.certFingerprintSHA256,
  ].map((text) => (typeof text === "string" ? text : ""));
  request.headers.forEach((value, name) => lines.push(name, value));
  if (lines.some((line) => line.includes("\n"))) throw new TypeError("a line break in a request's head");
  return lines.join("\n");
}

/** Reads the content of a request to its end: its bytes, or a fault's number. */
export function take(request, bytesMax, waitsMs) {
  const stream = request.body;
  if (!stream) return awaited(request, Promise.resolve(new Uint8Array(0)), waitsMs);
  const told = request.headers.get("content-length");
  const announced = told === null ? Number.NaN : Number(told);
  const isSmall = announced <= Math.min(bytesMax, PIECE_BYTES_MAX);
  // The platform may end a broken upload as if it were whole.
  const whole = (found) => (typeof found !== "number" && announced >= 0 && found.byteLength !== announced ? BROKEN : found);
  return awaited(request, isSmall ? piece(stream, announced) : parts(stream, bytesMax), waitsMs, { told: whole });
}

/** Reads other content to its end: its bytes, or a fault's number. */
export const read = (stream, bytesMax, waitsMs) => awaited({}, parts(stream, bytesMax), waitsMs);

/** Content that is announced, and no byte beyond: one more is asked for, and is not to come. */
function piece(stream, announced) {
  const reader = stream.getReader({ mode: "byob" });
  return reader.readAtLeast(announced + 1, new Uint8Array(announced + 1)).then(({ value }) => {
    if ((value?.byteLength ?? 0) === announced) return value ?? new Uint8Array(0);
    // Not awaited: the sender is not waited for.
    reader.cancel().catch(() => {});
    return BROKEN;
  });
}

async function parts(stream, bytesMax) {
  const reader = stream.getReader();
  const found = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    if (bytes > bytesMax) {
      reader.cancel().catch(() => {});
      return TOO_LARGE;
    }
    found.push(value);
  }
  if (found.length === 1) return found[0];
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of found) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/**
 * Sends a request, and gives the head of its answer, or a fault's number. No redirect is followed.
 *
 * - `passes`: whether the content is the caller's own, unread: the platform's copy keeps it native and its length known.
 * - `outlives`: whether it goes on when its client has left; else it ends with it, also while its answer is on its way.
 * - `content`: bytes, or nothing. - `by`: a binding to send by, or nothing.
 */
export function send(request, passes, outlives, url, method, remove, set, content, waitsMs, by = globalThis) {
  const abort = new AbortController();
  let sent;
  try {
    const headers = edited(request.headers, "", remove, set, "");
    // The platform counts what is sent.
    if (content) headers.delete("content-length");
    const init = { method, headers, redirect: "manual", signal: abort.signal };
    // Of bytes in the memory of Rust a copy: what stands there changes.
    if (content) init.body = content.slice();
    sent = by.fetch(passes ? new Request(url, request) : url, init);
  } catch {
    return awaited(request, Promise.resolve(INVALID), waitsMs);
  }
  const client = outlives ? undefined : request.signal;
  // A signal of both would cost more than all that is set here.
  if (client) client.aborted ? abort.abort() : client.addEventListener("abort", () => abort.abort());
  return awaited(request, sent, waitsMs, { failed: () => (client?.aborted ? LEFT : BROKEN), abort });
}

/** The head of an answer as lines: its status, then each field's name and value. */
export function head(answer) {
  const told = [answer.status];
  answer.headers.forEach((value, name) => told.push(name, value));
  return told.join("\n");
}

/** What lies in a cache of answers under a URL: its bytes, that there is nothing, or a fault's number. */
export function stored(request, url, bytesMax, waitsMs) {
  const found = async () => {
    const answer = await (await caches.open(ANSWERS)).match(url);
    return answer?.body ? parts(answer.body, bytesMax) : ABSENT;
  };
  return awaited(request, found(), waitsMs);
}

/** Puts bytes there, for some seconds. */
export function store(url, bytes, seconds, waitsMs) {
  // Of bytes in the memory of Rust a copy: what stands there changes.
  const answer = new Response(bytes.slice(), { headers: { "cache-control": `max-age=${seconds}` } });
  const put = async () => (await caches.open(ANSWERS)).put(url, answer);
  return awaited({}, put(), waitsMs, { told: () => ABSENT });
}

const ANSWERS = "edgeward-answers";

/** Signs for a request: the signature, or a fault's number. */
export function sign(request, algorithm, key, message, waitsMs) {
  const signed = crypto.subtle.sign(algorithm, key, message);
  return awaited(request, signed, waitsMs, { told: (bytes) => new Uint8Array(bytes) });
}

/** Checks a signature for a request: whether it is one, or a fault's number. */
export function verify(request, algorithm, key, signature, message, waitsMs) {
  const checked = crypto.subtle.verify(algorithm, key, signature, message);
  return awaited(request, checked, waitsMs, {
    told: (valid) => (valid ? VALID : INVALID_SIGNATURE),
    failed: () => INVALID_SIGNATURE,
  });
}

/**
 * Asks a Durable Object: the text that it answers, or a fault's number.
 *
 * - `owner`: the request that asks, or nothing. - `root`: said before the question, if there is one.
 */
export function ask(owner, env, binding, name, method, root, question, waitsMs) {
  let answer;
  try {
    const object = env[binding].getByName(name);
    answer = root ? object[method](root, question) : object[method](question);
  } catch {
    answer = Promise.reject();
  }
  return awaited(owner ?? {}, answer, waitsMs);
}

/**
 * A response.
 *
 * - `base`: fields to begin with, or nothing. - `content`: text, bytes, a stream or nothing.
 */
export function respond(status, base, begin, remove, set, append, content) {
  // Text without a type is given one: its fields come first.
  if (!base) return new Response(content, { status, headers: edited(undefined, begin, remove, set, append) });
  const response = new Response(content, { status, headers: base });
  edit(response.headers, begin, remove, set, append);
  return response;
}

/** A response that switches to WebSocket: `socket` is the caller's end, and the platform adds the fields of the switch. */
export function switching(socket, set, append) {
  return new Response(null, { status: 101, webSocket: socket, headers: edited(undefined, "", "", set, append) });
}

/** Fields with others, less some: in the order of what is given. */
function edited(base, begin, remove, set, append) {
  const headers = new Headers(base);
  edit(headers, begin, remove, set, append);
  return headers;
}

/** The same in place: to copy fields costs more than to change them. */
function edit(headers, begin, remove, set, append) {
  pairs(begin, (name, value) => headers.append(name, value));
  // To look costs half of what it costs to delete what is not there.
  for (const name of names(remove)) if (headers.has(name)) headers.delete(name);
  pairs(set, (name, value) => headers.set(name, value));
  pairs(append, (name, value) => headers.append(name, value));
}

const lines = (text) => (text ? text.split("\n") : []);

/** What can be a name (RFC 9110 §5.6.2) and so be there: nearly always the list that was asked for last. */
function names(text) {
  if (text !== asked.text) asked = { text, names: lines(text).filter((name) => /^[!#$%&'*+.^_`|~\w-]+$/.test(name)) };
  return asked.names;
}

let asked = { text: "", names: [] };

function pairs(text, take) {
  const all = lines(text);
  for (let at = 0; at + 1 < all.length; at += 2) take(all[at], all[at + 1]);
}

/**
 * Hands what `promise` gives over to Rust, once: a fault's number if it fails, or takes longer: then `abort` is told. Gives
 * the number under which it is handed over, which no other has as long as this module lives: a wasm instance that took
 * the place of another is given nothing that the other waited for.
 *
 * - `owner`: what waits. All its waits share one timer: to set one costs more than most of what is waited for.
 * - `told`: makes of what is given what is handed over. - `failed`: gives the fault's number.
 */
function awaited(owner, promise, waitsMs, { told = (found) => found, failed = () => BROKEN, abort } = {}) {
  last = (last + 1) % NUMBERS_MAX;
  const number = last + 1;
  const watch = (owner[WATCH] ??= { waits: new Set(), timer: undefined, ringsMs: Number.POSITIVE_INFINITY });
  const ended = (found) => {
    if (watch.waits.delete(wait)) enter(number, found);
  };
  const wait = { endsMs: Date.now() + waitsMs, late: () => (ended(TIMED_OUT), abort?.abort()) };
  watch.waits.add(wait);
  if (watch.ringsMs > wait.endsMs) ring(watch, wait.endsMs);
  promise.then(
    (found) => ended(told(found)),
    () => ended(failed()),
  );
  return number;
}

let last = 0;
/** Numbers begin anew after so many: what was waited for under the same one is long over. */
const NUMBERS_MAX = 2 ** 32 - 1;

/** Has what is ready run when what runs now is over. */
export function soon() {
  Promise.resolve().then(() => enter(NOTHING));
}

/** The number of nothing that was waited for. */
const NOTHING = 0;

/**
 * Introduces the entry module, which can call Rust as this one cannot: `by(number, found)`. `hear(fail)` has `fail` called
 * where a trap ends the instance, and gives what ends that.
 */
export function enterBy(by, hear) {
  enter = by;
  hearing = hear;
}

let enter;
let hearing;

/** Has both ends of a session closed where a trap ends the instance that passes its messages on. Gives what ends that. */
export function mind(...ends) {
  let forget;
  // By a promise: another request's trap closes no socket of this one, and what waits here goes on as this request.
  const trap = new Promise((_, fail) => (forget = hearing(fail)));
  trap.catch(() => {
    for (const end of ends) {
      try {
        end.close(1011, "a fault of the gateway");
      } catch {
        // It is closed already.
      }
    }
  });
  return forget;
}

const WATCH = Symbol("watch");
/** So often a timer looks whether what is waited for is late: a later wait of the same request seldom needs another. */
const LOOK_MS = 500;

function ring(watch, endsMs) {
  clearTimeout(watch.timer);
  const now = Date.now();
  watch.ringsMs = Math.min(endsMs, now + LOOK_MS);
  watch.timer = setTimeout(() => {
    watch.ringsMs = Number.POSITIVE_INFINITY;
    const waits = [...watch.waits];
    const late = waits.filter(({ endsMs }) => endsMs <= Date.now());
    const ends = waits.filter((wait) => !late.includes(wait)).map(({ endsMs }) => endsMs);
    if (ends.length > 0) ring(watch, Math.min(...ends));
    for (const wait of late) wait.late();
  }, watch.ringsMs - now);
}
