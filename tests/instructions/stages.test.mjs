// What one request costs in instructions, against a budget: no clock, so another program on the machine changes nothing.
// Refresh tests/golden/instructions.json with UPDATE_EXPECT=1; say in the commit what it is spent on.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/place.mjs";

const BUDGET = join(root, "tests", "golden", "instructions.json");
/** Hash tables are seeded anew in each run, and compilers differ a little. */
const MARGIN = 1.1;
const TIMES = 100;
const { EDGEWARD_STAGES: program, EDGEWARD_VALGRIND: valgrind } = process.env;
const budget = JSON.parse(readFileSync(BUDGET, "utf8"));
const lacking = !program || !valgrind ? "neither the program nor valgrind is told" : process.arch !== "x64" && "the budget is of x86-64";

for (const [name, instructions] of Object.entries(budget)) {
  test(`${name}: at most ${instructions} instructions a request and a tenth`, { skip: lacking }, () => {
    // The same start in both: what differs is so many requests.
    const counted = Math.round((count(name, 2 * TIMES) - count(name, TIMES)) / TIMES);
    if (process.env.UPDATE_EXPECT) return writeFileSync(BUDGET, `${JSON.stringify(Object.assign(budget, { [name]: counted }), null, 2)}\n`);
    assert.ok(counted <= instructions * MARGIN, `${counted} instructions, where ${instructions} were counted`);
  });
}

function count(name, times) {
  const args = ["--tool=callgrind", "--callgrind-out-file=/dev/null", program, name, String(times)];
  const { stderr, status } = spawnSync(valgrind, args, { encoding: "utf8" });
  const collected = /Collected : (\d+)/.exec(stderr);
  assert.ok(status === 0 && collected, stderr);
  return Number(collected[1]);
}
