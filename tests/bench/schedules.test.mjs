// The adversary's schedules: they do to known limiters what they are made for.
import assert from "node:assert/strict";
import { test } from "node:test";
import { certain, oracle } from "../../benches/peers/audit.mjs";
import { newSeed, randomFrom } from "../../benches/peers/random.mjs";
import { LEAD_MS, schedules } from "../../benches/peers/schedules.mjs";

const LIMIT = 100;
const WINDOW_MS = 2_000;
const SEEDS = 20;

/** Limiters as functions of the instant: `true` when admitted. */
const limiters = {
  /** Windows of the clock. */
  fixed() {
    const counts = new Map();
    return (now) => {
      const window = Math.floor(now / WINDOW_MS);
      counts.set(window, (counts.get(window) ?? 0) + 1);
      return counts.get(window) <= LIMIT;
    };
  },
  /** A window that the first request opens. */
  opened() {
    let [ends, count] = [-Infinity, 0];
    return (now) => {
      if (now >= ends) [ends, count] = [now + WINDOW_MS, 0];
      count += 1;
      return count <= LIMIT;
    };
  },
  /** The count of the window before, weighted by its share in sight. */
  weighted() {
    const counts = new Map();
    return (now) => {
      const window = Math.floor(now / WINDOW_MS);
      const inSight = 1 - (now % WINDOW_MS) / WINDOW_MS;
      const own = counts.get(window) ?? 0;
      if (Math.floor((counts.get(window - 1) ?? 0) * inSight) + own >= LIMIT) return false;
      counts.set(window, own + 1);
      return true;
    };
  },
  exact() {
    const held = [];
    return (now) => {
      const room = held.length < LIMIT || held.at(-LIMIT) <= now - WINDOW_MS;
      if (room) held.push(now);
      return room;
    };
  },
};

const eventsOf = (name, vantages, seed, times = 1) =>
  schedules[name]({ limit: LIMIT, windowMs: WINDOW_MS, vantages, times, random: randomFrom(seed) });

function play(events, limiter) {
  const decide = limiter();
  return events.map(({ at_ms }) => ({ sent_ms: at_ms, done_ms: at_ms, outcome: decide(at_ms) ? "admitted" : "refused" }));
}

for (const [vantages, times] of [[1, 1], [10, 2]]) {
  test(`the burst gets nearly twice the limit out of every limiter but the exact one, from ${vantages}, ${times} over`, (t) => {
    const first = newSeed();
    t.diagnostic(`seed ${first}`);
    for (let seed = first; seed < first + SEEDS; seed += 1) {
      const events = eventsOf("burst", vantages, seed, times);
      const over = (name) => certain(play(events, limiters[name]), WINDOW_MS) - LIMIT;
      // What arrives in the lead is lost to it, and a request or two at the edges.
      const least = LIMIT * (1 - LEAD_MS / WINDOW_MS) - 2;
      for (const name of ["fixed", "opened", "weighted"]) assert.ok(over(name) >= least, `${name}: ${over(name)}`);
      assert.equal(over("exact"), 0);
    }
  });
}

test("the burst ends before it leaves the trailing window, and comes at once", () => {
  const events = eventsOf("burst", 4, 1, 2);
  const burst = events.filter(({ at_ms }) => at_ms === WINDOW_MS - LEAD_MS);
  assert.equal(burst.length, 2 * LIMIT);
  const shares = [0, 1, 2, 3].map((vantage) => burst.filter((one) => one.vantage === vantage).length);
  assert.deepEqual(shares, [50, 50, 50, 50]);
  assert.ok(events.at(-1).at_ms < 2 * WINDOW_MS - LEAD_MS);
});

test("overload asks three times what is allowed, from all vantages alike, and the exact limiter gives it all", () => {
  const events = eventsOf("overload", 10, 1);
  assert.equal(events.length, 2 * 3 * LIMIT);
  for (let vantage = 0; vantage < 10; vantage += 1) {
    assert.equal(events.filter((one) => one.vantage === vantage).length, events.length / 10);
  }
  const trace = play(events, limiters.exact);
  assert.equal(trace.filter(({ outcome }) => outcome === "admitted").length, oracle(trace, LIMIT, WINDOW_MS));
  assert.equal(oracle(trace, LIMIT, WINDOW_MS), 2 * LIMIT);
});

test("a seed makes the same requests again, another seed others, in the order of time", () => {
  for (const name of Object.keys(schedules)) {
    assert.deepEqual(eventsOf(name, 10, 5), eventsOf(name, 10, 5));
    assert.notDeepEqual(eventsOf(name, 10, 5), eventsOf(name, 10, 6));
    const instants = eventsOf(name, 10, 5).map(({ at_ms }) => at_ms);
    assert.deepEqual(instants, [...instants].sort((one, other) => one - other));
  }
});
