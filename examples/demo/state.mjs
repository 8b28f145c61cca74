// What the demo makes once and keeps, so that a printed key is good after a restart too.
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * What `file` holds; or what `make` gives, written there for the next start.
 *
 * - `isUsable`: says of what was kept whether it still serves; else it is made anew.
 *
 * Secrets lie in these files: only their owner may read them.
 */
export async function kept(file, make, isUsable = () => true) {
  const known = existsSync(file) && JSON.parse(readFileSync(file, "utf8"));
  if (known && isUsable(known)) return known;
  const made = await make();
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // Renamed when it is whole: a start that is cut short leaves the old file or the new one.
  const staging = `${file}.${process.pid}`;
  writeFileSync(staging, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  // A file that was left over keeps the mode it had.
  chmodSync(staging, 0o600);
  renameSync(staging, file);
  return made;
}
