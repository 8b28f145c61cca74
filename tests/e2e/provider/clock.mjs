// A worker whose clock a test can move: what is fresh for minutes and stale for a day is tested without waiting.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildFolder } from "../../../scripts/place.mjs";

/** A request with this header sets how many milliseconds the worker is ahead, and goes no further. */
export const aheadHeader = "x-test-clock-ahead-ms";

const HANDLER = "export default {";

/**
 * The text of an entry module: the built one, with `Date.now` ahead by what the last request with `aheadHeader` said.
 * Worker and Durable Objects live in one isolate here, so it is the clock of both.
 */
export function clockedEntry() {
  const folder = process.env.EDGEWARD_BUILD ?? buildFolder("release");
  const text = readFileSync(join(folder, "entry.js"), "utf8");
  if (text.split(HANDLER).length !== 2) throw new Error(`entry.js has another form than "${HANDLER}" once`);
  return `${text.replace(HANDLER, "const served = {")}
let aheadMs = 0;
const now = Date.now;
Date.now = () => now() + aheadMs;
export default {
  ...served,
  fetch(request, env, context) {
    const said = request.headers.get("${aheadHeader}");
    if (said === null) return served.fetch(request, env, context);
    aheadMs = Number(said);
    return new Response(null, { status: 204 });
  },
};
`;
}
