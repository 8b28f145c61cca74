// What a trace proves: how many admissions stood in one window, and how many an exact limiter would have admitted.
// Pure. A trace is a list of `{ sent_ms, done_ms, outcome }`; the decision was made somewhere in [sent, done].

/** Admissions of a trace. */
export const admitted = (trace) => trace.filter(({ outcome }) => outcome === "admitted");

/**
 * How many admissions one window of `windowMs` holds for certain: the most whose whole intervals lie within one
 * window, whatever the instants within the intervals. A window holds its beginning and not its end, so two instants exactly `windowMs` apart are not in one.
 */
export function certain(trace, windowMs) {
  const all = admitted(trace);
  return most(all.map(({ sent_ms: from }) => all.filter((one) => one.sent_ms >= from && one.done_ms < from + windowMs)));
}

/**
 * How many it holds at the very most: the most whose intervals touch one window. No limiter can be told apart from
 * a worse one beyond this by looking from outside.
 */
export function possible(trace, windowMs) {
  const all = admitted(trace);
  // The most are touched by a window that begins where some interval ends.
  return most(all.map(({ done_ms: from }) => all.filter((one) => one.done_ms >= from && one.sent_ms < from + windowMs)));
}

/** What an exact central limiter admits of the same requests, each decided at the instant it was sent. */
export function oracle(trace, limit, windowMs) {
  const held = [];
  for (const { sent_ms: now } of [...trace].sort((one, other) => one.sent_ms - other.sent_ms)) {
    // The admission `limit` before this one must be out of sight.
    const oldest = held.at(-limit);
    if (held.length < limit || oldest <= now - windowMs) held.push(now);
  }
  return held.length;
}

/** All figures of one trace. */
export function audit(trace, { limit, windowMs }) {
  const count = (wanted) => trace.filter(({ outcome }) => outcome === wanted).length;
  return {
    decisions: trace.length,
    admitted: count("admitted"),
    refused: count("refused"),
    failed: count("failed"),
    why_failed: [...new Set(trace.flatMap(({ why }) => why ?? []))],
    over: Math.max(0, certain(trace, windowMs) - limit),
    over_at_most: Math.max(0, possible(trace, windowMs) - limit),
    oracle: oracle(trace, limit, windowMs),
    p50_ms: median(trace.map(({ sent_ms, done_ms }) => done_ms - sent_ms)),
  };
}

export function median(numbers) {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return null;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const most = (windows) => Math.max(0, ...windows.map((window) => window.length));
