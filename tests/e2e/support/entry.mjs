// The entry module with one Durable Object that does not work.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const ENTRY = new URL("../../../src/entry.js", import.meta.url);

/** The entry module's text; the object of class `name` has `methods` and no others. */
export function entryWithObject(name, methods) {
  const whole = readFileSync(ENTRY, "utf8");
  const entry = whole.replace(new RegExp(`^export const ${name} = .*;$`, "m"), () => `export class ${name} extends DurableObject { ${methods} }`);
  assert.notEqual(entry, whole, `the entry module exports ${name}`);
  return entry;
}
