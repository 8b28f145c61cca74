// Plays a schedule against a limiter and records when each decision was asked for and when it was there.
import { setTimeout as sleep } from "node:timers/promises";

/** Enough to set a run up before its window begins. */
const NOTICE_MS = 30;

/**
 * Waits for the next boundary of windows, then asks as `events` say; gives the trace.
 * - `askers`: one function for each vantage, `async () => true` when admitted. One that throws counts as failed.
 */
export async function drive(events, askers, windowMs) {
  const zero = await nextBoundary(windowMs);
  const asked = [];
  for (const { at_ms, vantage } of events) {
    const early = zero + at_ms - performance.now();
    if (early > 0) await sleep(early);
    asked.push(ask(askers[vantage], vantage, zero));
  }
  return Promise.all(asked);
}

async function ask(asker, vantage, zero) {
  const sent_ms = performance.now() - zero;
  const told = await asker().then(
    (passed) => ({ outcome: passed ? "admitted" : "refused" }),
    (error) => ({ outcome: "failed", why: error.message }),
  );
  return { vantage, sent_ms, done_ms: performance.now() - zero, ...told };
}

/** The instant of `performance.now()` at which the next window of the wall clock begins, shortly before it does. */
async function nextBoundary(windowMs) {
  const wall = Date.now();
  const zero = performance.now() + windowMs - (wall % windowMs);
  const early = zero - NOTICE_MS - performance.now();
  if (early < 0) {
    await sleep(windowMs / 2);
    return nextBoundary(windowMs);
  }
  await sleep(early);
  return zero;
}
