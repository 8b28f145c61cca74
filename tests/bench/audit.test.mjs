// The audit of a trace: it finds one admission too many, and nothing where there is none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { audit, certain, oracle, possible } from "../../benches/peers/audit.mjs";
import { newSeed, randomFrom } from "../../benches/peers/random.mjs";

const LIMIT = 20;
const WINDOW_MS = 1_000;
const TRACES = 200;

const at = (sent_ms, done_ms = sent_ms, outcome = "admitted") => ({ sent_ms, done_ms, outcome });

/** What an exact limiter does with random requests: each is decided at an instant within its own interval. */
function exactTrace(random) {
  const asked = Array.from({ length: LIMIT * 8 }, () => {
    const sent = random() * 4 * WINDOW_MS;
    const done = sent + random() ** 4 * 80;
    return { sent, done, decided: sent + random() * (done - sent) };
  }).sort((one, other) => one.decided - other.decided);
  const held = [];
  return asked.map(({ sent, done, decided }) => {
    const room = held.length < LIMIT || held.at(-LIMIT) <= decided - WINDOW_MS;
    if (room) held.push(decided);
    return { ...at(sent, done, room ? "admitted" : "refused"), decided };
  });
}

function seeded(t) {
  const seed = newSeed();
  t.diagnostic(`seed ${seed}`);
  return randomFrom(seed);
}

test("the trace of an exact limiter holds nothing over, however long its calls took", (t) => {
  const random = seeded(t);
  for (let count = 0; count < TRACES; count += 1) {
    const trace = exactTrace(random);
    assert.equal(audit(trace, { limit: LIMIT, windowMs: WINDOW_MS }).over, 0);
  }
});

test("one admission too many is found wherever it is planted", (t) => {
  const random = seeded(t);
  for (let count = 0; count < TRACES; count += 1) {
    // Instants instead of intervals: then the audit must see every one.
    const trace = exactTrace(random).map(({ decided, outcome }) => at(decided, decided, outcome));
    const admitted = trace.filter(({ outcome }) => outcome === "admitted").map(({ sent_ms }) => sent_ms);
    const full = admitted.findIndex((from, index) => admitted[index + LIMIT - 1] < from + WINDOW_MS);
    assert.ok(full >= 0, "so many requests fill some window");
    const [first, last] = [admitted[full], admitted[full + LIMIT - 1]];
    const planted = first + random() * (last - first);
    const found = audit([...trace, at(planted)], { limit: LIMIT, windowMs: WINDOW_MS });
    assert.equal(found.over, 1);
    assert.ok(found.over_at_most >= 1);
  }
});

test("a window holds its beginning and not its end", () => {
  const full = Array.from({ length: LIMIT }, () => at(0));
  for (const [extra, over] of [[WINDOW_MS - 0.001, 1], [WINDOW_MS, 0], [0, 1]]) {
    assert.equal(audit([...full, at(extra)], { limit: LIMIT, windowMs: WINDOW_MS }).over, over, `${extra}`);
  }
});

test("an admission counts for certain only where its whole interval lies within the window", () => {
  const cases = [
    // [second interval, certain, possible], the first being [0, 10]
    [[980, 999.9], 2, 2],
    [[980, 1_000], 1, 2],
    [[1_009, 1_020], 1, 2],
    [[1_010, 1_020], 1, 1],
  ];
  for (const [[sent, done], least, most] of cases) {
    const trace = [at(0, 10), at(sent, done)];
    assert.deepEqual([certain(trace, WINDOW_MS), possible(trace, WINDOW_MS)], [least, most], `${sent} to ${done}`);
  }
});

test("what was decided in truth lies between what is certain and what is possible", (t) => {
  const random = seeded(t);
  for (let count = 0; count < TRACES; count += 1) {
    // A limiter of no use: it admits by chance.
    const trace = exactTrace(random).map((one) => ({ ...one, outcome: random() < 0.5 ? "admitted" : "refused" }));
    const truth = certain(trace.map(({ decided, outcome }) => at(decided, decided, outcome)), WINDOW_MS);
    assert.ok(certain(trace, WINDOW_MS) <= truth && truth <= possible(trace, WINDOW_MS));
  }
});

test("what was refused or failed is no admission", () => {
  const trace = [at(0), at(1, 1, "refused"), at(2, 2, "failed")];
  const { admitted, refused, failed } = audit(trace, { limit: LIMIT, windowMs: WINDOW_MS });
  assert.deepEqual([admitted, refused, failed, certain(trace, WINDOW_MS)], [1, 1, 1, 1]);
});

test("the oracle admits again exactly one window after an admission, and no charge for what it refused", () => {
  const spread = [0, 1, 2, 999.9, 1_000, 1_000.5, 1_001].map((sent) => at(sent));
  // Of two in a window: 0 and 1, then 1000 for the first and 1001 for the second.
  assert.equal(oracle(spread, 2, WINDOW_MS), 4);
  assert.equal(oracle([...spread].reverse(), 2, WINDOW_MS), 4, "the order of the trace does not matter");
});
