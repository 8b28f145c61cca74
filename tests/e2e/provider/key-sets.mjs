// What stands between a gateway and an issuer's keys: it counts, and does what a test says instead of passing on.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const KEY_SET = { "content-type": "application/jwk-set+json" };

/**
 * A server on loopback in front of the key set at `source`.
 *
 * - `asked`: how often it was asked.
 * - `answer`: what it does; one of `passing` (at first), `serving(keys)`, `failing`, `silent`, … of this module.
 */
export async function keySetFront(source) {
  const front = { asked: 0, answer: passing };
  const server = createServer(async (request, response) => {
    front.asked += 1;
    try {
      await front.answer(response, source, request);
    } catch {
      response.destroy();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return Object.assign(front, {
    url: `http://127.0.0.1:${server.address().port}/jwks`,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  });
}

/** What the issuer says. */
export async function passing(response, source) {
  const answer = await fetch(source);
  response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") });
  response.end(await answer.text());
}

/** What the issuer says, a while later. */
export const passingAfter = (delayMs) => async (response, source) => {
  await sleep(delayMs, undefined, { ref: false });
  await passing(response, source);
};

/** These public keys; `more` are further members of the set. */
export const serving = (keys, more = {}) => (response) => {
  response.writeHead(200, KEY_SET).end(JSON.stringify({ keys, ...more }));
};

/** Text of the test's own. */
export const saying = (text, headers = KEY_SET) => (response) => void response.writeHead(200, headers).end(text);

/** An issuer that has a fault. */
export const failing = (response) => void response.writeHead(500).end("no");

/** An issuer that takes the connection and says nothing. */
export const silent = () => {};

/** An issuer that closes the connection. */
export const closing = (response) => void response.destroy();

/** An issuer whose keys lie elsewhere, or that was made to say so; at `elsewhere` they are. */
export const redirecting = (status) => async (response, source, request) => {
  if (request.url === "/elsewhere") return passing(response, source);
  response.writeHead(status, { location: "/elsewhere" }).end();
};
