// What stands between a gateway and one address of its issuer: it counts, and does what a test says instead of
// passing on. Its other answers stand for an issuer that is slow, broken, away or hostile.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

const KEY_SET = { "content-type": "application/jwk-set+json" };
const JSON_TYPE = { "content-type": "application/json" };

/**
 * A server on loopback in front of `source`, an address of the issuer.
 *
 * - `asked`: how often it was asked. - `requests`: with what: `{ method, url, headers, body }`.
 * - `answer`: what it does: `passing` at first; `failing`, `silent`, … of this module, or the test's own
 *   `({ request, response, source, body }) => …`.
 */
export async function frontOf(source) {
  const requests = [];
  const front = { answer: passing, requests };
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    const asked = { method, url, headers, body: "" };
    requests.push(asked);
    try {
      asked.body = await text(request);
      await front.answer({ request, response, source, body: asked.body });
    } catch {
      response.destroy();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return Object.defineProperties(front, {
    asked: { get: () => requests.length },
    url: { value: `http://127.0.0.1:${server.address().port}${new URL(source).pathname}` },
    stop: {
      async value() {
        server.closeAllConnections();
        await new Promise((closed) => server.close(closed));
      },
    },
  });
}

/** What the issuer says. */
export async function passing({ request, response, source, body }) {
  const { status, type, said } = await relayed({ request, source, body });
  response.writeHead(status, { "content-type": type }).end(said);
}

/** What the issuer says, with these members laid over it; `undefined` takes one away. */
export const changing = (members) => async ({ request, response, source, body }) => {
  const { status, type, said } = await relayed({ request, source, body });
  response.writeHead(status, { "content-type": type }).end(JSON.stringify({ ...JSON.parse(said), ...members }));
};

/** These public keys; `more` are further members of the set. */
export const serving = (keys, more = {}) => saying(JSON.stringify({ keys, ...more }), KEY_SET);

/** Text of the test's own. */
export const saying = (said, headers = JSON_TYPE) => ({ response }) => void response.writeHead(200, headers).end(said);

/** An issuer that has a fault. */
export const failing = ({ response }) => void response.writeHead(500).end("no");

/** What the issuer says, under another status: only the status tells that it is no answer. */
export const refusing = (status) => async ({ request, response, source, body }) => {
  const { type, said } = await relayed({ request, source, body });
  response.writeHead(status, { "content-type": type }).end(said);
};

/** An issuer that takes the connection and says nothing. */
export const silent = () => {};

/** An issuer that begins to answer and never ends. */
export const stalling = ({ response }) => void response.writeHead(200, JSON_TYPE).write("{");

/** An issuer that closes the connection. */
export const closing = ({ response }) => void response.destroy();

/** An issuer that sends its askers elsewhere, or that was made to; there they would be answered. */
export const redirecting = (status) => async ({ request, response, source, body }) => {
  if (request.url === "/elsewhere") return passing({ request, response, source, body });
  response.writeHead(status, { location: "/elsewhere" }).end();
};

/** Answers by `answer`, once `gate` has settled. */
export const after = (gate, answer = passing) => async (asked) => {
  await gate;
  await answer(asked);
};

async function relayed({ request, source, body }) {
  const { authorization, "content-type": contentType } = request.headers;
  const headers = { ...(authorization && { authorization }), ...(contentType && { "content-type": contentType }) };
  const answer = await fetch(source, { method: request.method, headers, ...(body && { body }) });
  return { status: answer.status, type: answer.headers.get("content-type") ?? "text/plain", said: await answer.text() };
}
