// A KV namespace as workerd asks for it over HTTP, in this process, so that what it costs is not the gateway's.
import { createServer } from "node:http";

/** Gives `{ address, reads(), stop() }`. - `entries`: a Map of texts by key. */
export async function startStore(entries) {
  let reads = 0;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://store");
    const text = entries.get(decodeURIComponent(pathname.slice(1)));
    request.resume();
    reads += request.method === "GET" ? 1 : 0;
    response.writeHead(text === undefined ? 404 : 200);
    response.end(text);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    address: `127.0.0.1:${server.address().port}`,
    reads: () => reads,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
