// Reads large answers as fast as they come and looks at none of their bytes.
import { connect } from "node:net";

/** What a head may take. */
const HEAD_BYTES_MAX = 65_536;

/**
 * Asks for `path` on a connection of its own and reads until `bytes` of content have come; gives the ms from the first
 * of them to the last. Then the connection ends, whatever is still to come.
 */
export function read(port, path, headers, bytes) {
  const lines = Object.entries({ host: "api.example.com", ...headers }).map(([name, value]) => `${name}: ${value}`);
  return new Promise((settle, fail) => {
    const socket = connect({ host: "127.0.0.1", port });
    let head = Buffer.alloc(0);
    let began = null;
    let got = 0;
    const content = (length) => {
      began ??= performance.now();
      got += length;
      if (got < bytes) return;
      socket.destroy();
      settle(performance.now() - began);
    };
    socket.on("data", (chunk) => {
      if (began !== null) return content(chunk.length);
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end === -1 && head.length < HEAD_BYTES_MAX) return undefined;
      const status = head.subarray(0, 12).toString();
      if (status !== "HTTP/1.1 200") return fail(new Error(`${path}: ${head.subarray(0, 400)}`));
      return content(head.length - end - 4);
    });
    socket.on("error", fail);
    socket.on("close", () => fail(new Error(`${path} ended after ${got} of ${bytes} bytes`)));
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  });
}
