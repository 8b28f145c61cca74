// From a profile of V8 to shares of time by function.

/** Where no request is: what is left of a process that waits. */
const IDLE = "(idle)";

/** `[{ name, share }]` of the time that was not idle, by the function it was spent in, the most first. */
export function selfTimes({ nodes }) {
  const times = new Map();
  for (const { callFrame, hitCount } of nodes) add(times, nameOf(callFrame), hitCount);
  return sorted(times, busyHits(nodes));
}

/** The same with all that a function calls, once for each stack it stands in. */
export function shares({ nodes }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const times = new Map();
  const walk = (node, above) => {
    const called = nameOf(node.callFrame);
    const isNew = !above.has(called);
    if (isNew) above.add(called);
    for (const one of above) add(times, one, node.hitCount);
    for (const child of node.children ?? []) walk(byId.get(child), above);
    if (isNew) above.delete(called);
  };
  const [root] = nodes;
  walk(root, new Set());
  times.delete(root.callFrame.functionName);
  return sorted(times, busyHits(nodes));
}

/** Without the hashes that keep crates apart; a function without a name by where it stands. */
function nameOf({ functionName, url, lineNumber, columnNumber }) {
  if (!functionName) return `(${url.split("/").at(-1) || "runtime"}:${lineNumber + 1}:${columnNumber + 1})`;
  return functionName.replace(/\[[0-9a-f]{10,}\]/g, "").replace(/_[0-9a-f]{16}/g, "");
}

function add(times, called, hits) {
  times.set(called, (times.get(called) ?? 0) + hits);
}

const busyHits = (nodes) =>
  nodes.reduce((sum, { callFrame, hitCount }) => sum + (callFrame.functionName === IDLE ? 0 : hitCount), 0);

function sorted(times, busy) {
  const found = [...times].filter(([called, hits]) => called !== IDLE && hits > 0);
  return found.sort(([, one], [, other]) => other - one).map(([called, hits]) => ({ name: called, share: hits / busy }));
}
