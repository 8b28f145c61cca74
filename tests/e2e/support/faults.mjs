// Origins that fail, each in its own way, on one raw port; and a client that sees how an answer ends.
import { request } from "node:http";
import { createServer } from "node:net";
import { after } from "node:test";

// A test that fails before it stops its origin must not keep the run from ending.
const running = new Set();
after(() => Promise.all([...running].map((origin) => origin.stop())));

/** What is answered to a path: `(socket, path) => …`, with the request's head read. */
export async function faultyOrigin(faults) {
  const sockets = new Set();
  const counts = {};
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    let head = "";
    socket.on("data", (chunk) => {
      head += chunk.toString("latin1");
      const end = head.indexOf("\r\n\r\n");
      if (end === -1) return;
      const path = head.split(" ")[1].split("?")[0];
      head = head.slice(end + 4);
      counts[path] = (counts[path] ?? 0) + 1;
      (faults[path] ?? faults.default)(socket, path);
    });
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const origin = {
    url: `http://127.0.0.1:${server.address().port}`,
    /** How often each path was asked for. */
    counts,
    /** Connections that are open. */
    open: () => sockets.size,
    async stop() {
      if (!running.delete(origin)) return;
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
  running.add(origin);
  return origin;
}

/** Writes `bytes` to a socket until `total` are written or it is gone, as fast as they are taken. */
export function flood(socket, bytes, total) {
  let left = total;
  const more = () => {
    while (left > 0 && !socket.destroyed) {
      left -= bytes.length;
      if (!socket.write(bytes)) return;
    }
    if (left <= 0) socket.end();
  };
  socket.on("drain", more);
  more();
}

/** Asks once on a connection of its own: `{ status, code, headers, bytes, complete, ms }`; status 0: no answer. */
export function ask(url, path, { method = "GET", headers = {}, body } = {}) {
  const begun = performance.now();
  return new Promise((resolve) => {
    const told = { status: 0, code: undefined, headers: {}, bytes: 0, complete: false, ms: 0 };
    const done = () => resolve({ ...told, ms: Math.round(performance.now() - begun) });
    const asking = request(new URL(path, url), { method, headers, agent: false }, (answer) => {
      const parts = [];
      Object.assign(told, { status: answer.statusCode, headers: answer.headers });
      answer.on("data", (part) => {
        told.bytes += part.length;
        if (told.bytes <= 4_096) parts.push(part);
      });
      answer.on("error", () => {});
      answer.on("close", () => {
        told.complete = answer.complete;
        if (answer.headers["content-type"] === "application/problem+json") {
          told.code = JSON.parse(Buffer.concat(parts).toString()).code;
        }
        done();
      });
    });
    asking.on("error", done);
    asking.end(body);
  });
}
