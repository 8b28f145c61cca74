// One request as bytes, for what no client library would send: raw targets, repeated fields, odd framing.
import { connect, createServer } from "node:net";

const PATIENCE_MS = 20_000;

/**
 * Sends one request and reads one answer; the connection is not used again.
 *
 * - `url`: the gateway's, for host and port.
 * - `target`: goes out byte by byte (latin-1), as `headers` do: whole lines, `Host` included unless `host` is null.
 * - `body`: text or a Buffer, sent as it is; its framing is the caller's to say.
 *
 * Gives `{ status, fields, body }`; status 0 if the connection ended without an answer. `fields` are
 * `[name in lower case, value]` in the order of their arrival.
 */
export function send(url, { method = "GET", target = "/", host = "gateway.test", headers = [], body = "" } = {}) {
  const lines = [`${method} ${target} HTTP/1.1`, ...(host === null ? [] : [`Host: ${host}`]), ...headers];
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: url.port });
    let received = Buffer.alloc(0);
    const done = (ended) => {
      const answer = answerIn(received, method === "HEAD", ended);
      if (!answer) return;
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no whole answer to ${method} ${target}`)));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      done(false);
    });
    socket.on("end", () => done(true));
    socket.on("error", (error) => (error.code === "ECONNRESET" ? done(true) : reject(error)));
    socket.write(Buffer.concat([head, Buffer.from(body)]));
  });
}

/** The values of one field, in the order of their arrival. */
export const valuesOf = (answer, name) => answer.fields.filter(([known]) => known === name).map(([, value]) => value);

/** The `code` of a problem document; undefined if the body is none. */
export function codeOf({ body }) {
  try {
    return JSON.parse(body.toString()).code;
  } catch {
    return undefined;
  }
}

/**
 * An origin that answers every connection with the bytes `answer(head)` gives, and then closes it, unless it gives
 * none: then it stays silent. `heads` are the requests' heads, as text.
 */
export async function rawOrigin(answer) {
  const heads = [];
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    let received = "";
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      if (received.includes("\r\n\r\n")) return;
      received += chunk.toString("latin1");
      const end = received.indexOf("\r\n\r\n");
      if (end === -1) return;
      heads.push(received.slice(0, end));
      const bytes = answer(heads.at(-1));
      if (bytes !== undefined) socket.end(bytes);
    });
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    heads,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** The answer in `received`, or nothing while it is not whole. */
function answerIn(received, isHead, ended) {
  const end = received.indexOf("\r\n\r\n");
  if (end === -1) return ended ? { status: 0, fields: [], body: received } : undefined;
  const [first, ...lines] = received.subarray(0, end).toString("latin1").split("\r\n");
  const status = Number(first.split(" ")[1]);
  const fields = lines.map((line) => line.split(/:\s*(.*)/s)).map(([name, value]) => [name.toLowerCase(), value]);
  const rest = received.subarray(end + 4);
  const body = bodyIn(rest, new Map(fields), ended || isHead || status === 204 || status === 304);
  return body && { status, fields, body };
}

function bodyIn(rest, fields, whole) {
  if (whole && !fields.has("transfer-encoding")) return rest;
  if (fields.has("content-length")) {
    const length = Number(fields.get("content-length"));
    return rest.length >= length ? rest.subarray(0, length) : undefined;
  }
  const parts = [];
  for (let at = 0; ; ) {
    const line = rest.indexOf("\r\n", at);
    if (line === -1) return whole ? Buffer.concat(parts) : undefined;
    const length = parseInt(rest.subarray(at, line).toString(), 16);
    if (length === 0) return Buffer.concat(parts);
    parts.push(rest.subarray(line + 2, line + 2 + length));
    at = line + 2 + length + 2;
  }
}
