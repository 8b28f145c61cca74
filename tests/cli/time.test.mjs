// Times as they are written on a command line.
import assert from "node:assert/strict";
import { test } from "node:test";
import { durationS, endS, instant } from "../../cli/time.mjs";

test("a duration is a number and a unit", () => {
  const good = { "90d": 7_776_000, "12h": 43_200, "30m": 1_800, "45s": 45, "0s": 0, "36600d": 3_162_240_000 };
  assert.deepEqual(Object.fromEntries(Object.keys(good).map((text) => [text, durationS(text)])), good);
  for (const text of ["", "90", "d", "1w", "1.5h", "-1d", "1d12h", " 1d", "90D", "36601d", "99999999999s"]) {
    assert.throws(() => durationS(text), { code: "commander.invalidArgument" }, text);
  }
});

test("an instant is ISO 8601 with a zone, a day in UTC, or Unix seconds", () => {
  const good = {
    "2026-07-01": 1_782_864_000,
    "2026-07-01T10:00Z": 1_782_900_000,
    "2026-07-01T10:00:00Z": 1_782_900_000,
    "2026-07-01T10:00:00.999Z": 1_782_900_000,
    "2026-07-01T12:00:00+02:00": 1_782_900_000,
    "2028-02-29": 1_835_395_200,
    1782900000: 1_782_900_000,
    253402300799: 253_402_300_799,
  };
  assert.deepEqual(Object.fromEntries(Object.keys(good).map((text) => [text, instant(text).seconds])), good);
});

test("now is an instant without seconds: the gateway's clock says which", () => assert.deepEqual(instant("now"), {}));

test("an instant with two readings, or none, is refused", () => {
  const bad = [
    "",
    "today",
    "90d",
    "never",
    "2026",
    "20260701",
    "1782900000000",
    "253402300800",
    "2026-7-1",
    "2026-07-01T10:00:00",
    "2026-02-30",
    "2027-02-29T00:00:00Z",
    "2026-13-01",
    "2026-07-01T25:00Z",
    "1969-12-31",
    "Jul 1 2026",
    "-1782900000",
  ];
  for (const text of bad) assert.throws(() => instant(text), { code: "commander.invalidArgument" }, text);
});

test("a key's end is never, a duration from now, or an instant, but not now", () => {
  const now_ms = 1_782_900_000_500;
  const ends = ["never", "90d", "0s", "2026-07-01", "1782900000"].map((text) => endS(text, now_ms));
  assert.deepEqual(ends, ["never", 1_790_676_000, 1_782_900_000, 1_782_864_000, 1_782_900_000]);
  for (const text of ["now", "", "Never", "1y"]) {
    assert.throws(() => endS(text, now_ms), { code: "commander.invalidArgument" }, text);
  }
});
