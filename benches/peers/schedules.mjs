// What the adversary asks, and when: pure, the same for every limiter.
//
// Instants are milliseconds after a boundary of wall-clock windows (a multiple of the window since 1970), which is
// where limiters with windows of their own change over.

/** How long before the end of the window the burst begins: it must be over by then, on a busy machine too. */
export const LEAD_MS = 100;
/** The first request opens the window of a limiter that counts from the first request on. */
const OPENING_MS_MAX = 20;
const OVERLOAD = 3;
const OVERLOAD_WINDOWS = 2;

/**
 * The schedules by name; each gives `[{ at_ms, vantage }]`, in the order of time.
 * - `limit`: units in a window. - `windowMs`. - `vantages`: how many points the requests come from, all alike.
 * - `times`: how many times over the burst is asked. - `random`: gives numbers in [0, 1).
 */
export const schedules = { burst, overload };

/**
 * One request opens a window; `limit` requests at its very end, at once; then evenly `limit` in each window, until
 * just before the burst leaves the trailing window. The burst and the even rest `times` over, shared by the vantages.
 *
 * A limiter with fixed windows admits the burst and then the next window's limit. One that weighs the last window's
 * count by the share of it that is still in sight admits the even rest, as that share falls as fast as the rest grows.
 */
function burst({ limit, windowMs, vantages, times = 1, random }) {
  const share = Math.ceil((limit * times) / vantages);
  const burstAt = windowMs - LEAD_MS;
  const stepMs = windowMs / share;
  const events = [{ at_ms: 1 + random() * (OPENING_MS_MAX - 1), vantage: 0 }];
  for (let vantage = 0; vantage < vantages; vantage += 1) {
    for (let count = 0; count < share; count += 1) events.push({ at_ms: burstAt, vantage });
    // Each vantage in its own part of a step: at random alone, they may all come at its beginning.
    const phase = ((vantage + random()) / vantages) * stepMs;
    for (let at = windowMs + phase; at < burstAt + windowMs; at += stepMs) events.push({ at_ms: at, vantage });
  }
  return inOrder(events);
}

/** Three times what is allowed, for two windows: each request at a random instant of its own slot, vantages by turns. */
function overload({ limit, windowMs, vantages, random }) {
  const slotMs = windowMs / (limit * OVERLOAD);
  const count = limit * OVERLOAD * OVERLOAD_WINDOWS;
  const events = Array.from({ length: count }, (_, slot) => ({
    at_ms: (slot + random()) * slotMs,
    vantage: slot % vantages,
  }));
  return inOrder(events);
}

const inOrder = (events) => events.sort((one, other) => one.at_ms - other.at_ms);
