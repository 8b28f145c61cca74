// A Redis server for what is compared with: the machine's own, else Debian's package.
import { say, step } from "../progress.mjs";
import { onPath } from "./compiler.mjs";
import { addPackages } from "./debian.mjs";

const PACKAGE = "redis-server";

/** The path of `redis-server`, or `null`, with what a person would do told, where there is none and none can be had. */
export async function findRedis() {
  if (!onPath(PACKAGE)) await step(PACKAGE, () => addPackages([PACKAGE]));
  const found = onPath(PACKAGE);
  if (!found) say(`${PACKAGE} is missing: install Redis 7 or newer so that ${PACKAGE} is on the PATH, as https://redis.io/docs says`);
  return found;
}
