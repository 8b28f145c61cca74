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

/**
 * Reads content to its end: its bytes, or a fault's number.
 *
 * - `announced`: how many bytes are announced; negative where nobody says.
 */
export function read(stream, announced, bytesMax, waitsMs) {
  const whole = announced >= 0 && announced <= Math.min(bytesMax, PIECE_BYTES_MAX) ? piece(stream, announced) : parts(stream, bytesMax);
  return within(whole, waitsMs, BROKEN);
}

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
 * - `content`: bytes, or nothing.
 */
export function send(request, passes, url, method, remove, set, content, waitsMs) {
  const abort = new AbortController();
  let outgoing;
  try {
    const headers = edited(request.headers, "", remove, set, "");
    // The platform counts what is sent.
    if (content) headers.delete("content-length");
    const init = { method, headers, redirect: "manual", signal: abort.signal };
    if (content) init.body = content;
    outgoing = new Request(passes ? new Request(url, request) : url, init);
  } catch {
    return Promise.resolve(INVALID);
  }
  return within(fetch(outgoing), waitsMs, BROKEN, abort);
}

/**
 * Signs: the signature, or a fault's number.
 */
export function sign(algorithm, key, message, waitsMs) {
  return within(crypto.subtle.sign(algorithm, key, message), waitsMs, BROKEN);
}

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

/** What `promise` gives; a fault's number if it fails, or takes longer: then `abort` is told. */
function within(promise, waitsMs, failed, abort) {
  return new Promise((settle) => {
    const late = setTimeout(() => {
      settle(TIMED_OUT);
      abort?.abort();
    }, waitsMs);
    const ended = (found) => {
      clearTimeout(late);
      settle(found);
    };
    promise.then(ended, () => ended(failed));
  });
}
