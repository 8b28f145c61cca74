// V8's profiler in a workerd that listens for an inspector (Chrome DevTools Protocol, domain Profiler).

const INTERVAL_US = 200;

/** Runs `work` under the profiler; gives the profile. */
export async function profiled(port, work) {
  const [target] = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  const inspector = await connected(target.webSocketDebuggerUrl);
  try {
    await inspector.call("Profiler.enable");
    await inspector.call("Profiler.setSamplingInterval", { interval: INTERVAL_US });
    await inspector.call("Profiler.start");
    await work();
    const { profile } = await inspector.call("Profiler.stop");
    return profile;
  } finally {
    inspector.close();
  }
}

async function connected(url) {
  const socket = new WebSocket(url);
  await new Promise((settle, fail) => {
    socket.addEventListener("open", settle, { once: true });
    socket.addEventListener("error", () => fail(new Error(`no inspector at ${url}`)), { once: true });
  });
  const waiting = new Map();
  let asked = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    const { settle, fail } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (error) fail?.(new Error(error.message));
    else settle?.(result);
  });
  const call = (method, params = {}) =>
    new Promise((settle, fail) => {
      asked += 1;
      waiting.set(asked, { settle, fail });
      socket.send(JSON.stringify({ id: asked, method, params }));
    });
  return { call, close: () => socket.close() };
}
