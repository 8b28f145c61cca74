// What Rust asks of the platform about one request, each in one crossing: a crossing from wasm costs more than what it
// asks for.
//
// Owns: steps that are the platform's alone, in the platform's language. Does not own: any decision; what passes, what is
// taken out, what is set and how much is read is told from Rust. Lists come as text, one item a line: neither a name
// nor a value of a field can hold a line break (RFC 9110 §5.5).

/** What Rust is told where there is no answer: `edge::platform::Fault`. */
const TIMED_OUT = 1;
const BROKEN = 2;
const TOO_LARGE = 3;
const INVALID = 4;
const LEFT = 5;

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
  if (!stream) return Promise.resolve(new Uint8Array(0));
  const told = request.headers.get("content-length");
  const announced = told === null ? Number.NaN : Number(told);
  const isSmall = announced <= Math.min(bytesMax, PIECE_BYTES_MAX);
  return within(request, whole(isSmall ? piece(stream, announced) : parts(stream, bytesMax), announced), waitsMs, BROKEN);
}

/** The platform may end a broken upload as if it were whole. */
const whole = (read, announced) => read.then((found) => (typeof found !== "number" && announced >= 0 && found.byteLength !== announced ? BROKEN : found));

/** Reads other content to its end: its bytes, or a fault's number. */
export const read = (stream, bytesMax, waitsMs) => within({}, parts(stream, bytesMax), waitsMs, BROKEN);

/** Content that is announced, and no byte beyond: one more is asked for, and is not to come. */
async function piece(stream, announced) {
  const reader = stream.getReader({ mode: "byob" });
  const { value } = await reader.readAtLeast(announced + 1, new Uint8Array(announced + 1));
  if ((value?.byteLength ?? 0) === announced) return value ?? new Uint8Array(0);
  // Not awaited: the sender is not waited for.
  reader.cancel().catch(() => {});
  return BROKEN;
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
  const client = outlives ? null : request.signal;
  let outgoing;
  try {
    const headers = edited(request.headers, "", remove, set, "");
    // The platform counts what is sent.
    if (content) headers.delete("content-length");
    const init = { method, headers, redirect: "manual", signal: client ? AbortSignal.any([abort.signal, client]) : abort.signal };
    if (content) init.body = content;
    outgoing = new Request(passes ? new Request(url, request) : url, init);
  } catch {
    return Promise.resolve(INVALID);
  }
  const sent = within(request, by.fetch(outgoing), waitsMs, BROKEN, abort);
  return sent.then((found) => (found === BROKEN && client?.aborted ? LEFT : found));
}

/** The head of an answer as lines: its status, then each field's name and value. */
export function head(answer) {
  const told = [answer.status];
  answer.headers.forEach((value, name) => told.push(name, value));
  return told.join("\n");
}

/** Signs for a request: the signature, or a fault's number. */
export const sign = (request, algorithm, key, message, waitsMs) => within(request, crypto.subtle.sign(algorithm, key, message), waitsMs, BROKEN);

/**
 * A response.
 *
 * - `base`: fields to begin with, or nothing. - `content`: text, bytes, a stream or nothing.
 */
export function respond(status, base, begin, remove, set, append, content) {
  return new Response(content, { status, headers: edited(base, begin, remove, set, append) });
}

/** A response that switches to WebSocket: `socket` is the caller's end, and the platform adds the fields of the switch. */
export function switching(socket, set, append) {
  return new Response(null, { status: 101, webSocket: socket, headers: edited(undefined, "", "", set, append) });
}

/** Fields with others, less some: in the order of what is given. */
function edited(base, begin, remove, set, append) {
  const headers = new Headers(base);
  pairs(begin, (name, value) => headers.append(name, value));
  // To look costs half of what it costs to delete what is not there.
  for (const name of names(remove)) if (headers.has(name)) headers.delete(name);
  pairs(set, (name, value) => headers.set(name, value));
  pairs(append, (name, value) => headers.append(name, value));
  return headers;
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
 * What `promise` gives; a fault's number if it fails, or takes longer: then `abort` is told.
 *
 * - `owner`: what waits. It waits for one thing at a time, and all its waits share one timer: to set one costs more than
 *   most of what is waited for.
 */
function within(owner, promise, waitsMs, failed, abort) {
  const watch = (owner[WATCH] ??= { wait: undefined, timer: undefined, ringsMs: Number.POSITIVE_INFINITY });
  return new Promise((settle) => {
    const wait = { endsMs: Date.now() + waitsMs, late: () => (settle(TIMED_OUT), abort?.abort()) };
    const ended = (found) => {
      if (watch.wait === wait) watch.wait = undefined;
      settle(found);
    };
    watch.wait = wait;
    if (watch.ringsMs > wait.endsMs) ring(watch, wait.endsMs);
    promise.then(ended, () => ended(failed));
  });
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
    const { wait } = watch;
    if (!wait) return;
    if (Date.now() < wait.endsMs) return ring(watch, wait.endsMs);
    watch.wait = undefined;
    wait.late();
  }, watch.ringsMs - now);
}
