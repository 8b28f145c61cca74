// A gateway that is nothing but the admin API's description: a request that does not meet it is a fault of the test,
// and so is an answer that does not.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { answerFaults, operationOf, requestFaults } from "./contract.mjs";
import { edgeward } from "./bin.mjs";

export const KEY = "ewadmin_live_3kT9mQ2xVb7L_0123456789abcdefghijABCDEFGHIJ0101AbCdEf";

/**
 * Starts a gateway on loopback.
 *
 * - `answers`: by operationId, `(request) => ({ status, body })`; or `(request, response) => void`, which answers by
 *   itself and is not judged, under `raw`.
 *
 * Gives `{ url, requests, run(...args), stop() }`. `run` runs the command line against it, with the admin key, and
 * fails where a request or an answer did not meet the description.
 */
export async function stub({ answers = {}, raw } = {}) {
  const requests = [];
  const wrong = [];
  const server = createServer(async (request, response) => {
    const asked = await read(request);
    requests.push(asked);
    if (raw) return raw(asked, response);
    const { status, body, type } = judged(asked, answers, wrong);
    response.writeHead(status, { "content-type": type }).end(JSON.stringify(body));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    requests,
    async run(...args) {
      const done = await edgeward(args, { env: { EDGEWARD_URL: url, EDGEWARD_ADMIN_KEY: KEY } });
      assert.deepEqual(wrong, []);
      for (const text of [done.stdout, done.stderr]) assert.ok(!text.includes(KEY), "the admin key was printed");
      return done;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** A problem document as the gateway makes them. */
export function problem(status, code, more = {}) {
  const type = `http://127.0.0.1/.edgeward/problems/${code}`;
  const instance = "urn:uuid:fc2ce192-2818-4077-a788-c033f1024772";
  return { status, body: { type, title: "A Problem", status, detail: "What is wrong.", instance, code, ...more } };
}

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { pathname, searchParams } = new URL(request.url, "http://stub");
  const body = Buffer.concat(chunks).toString("utf8");
  const { method, headers } = request;
  const json = headers["content-type"] === "application/json" ? JSON.parse(body) : undefined;
  return { method, pathname, query: [...searchParams], headers, body, json };
}

function judged(asked, answers, wrong) {
  const found = operationOf(asked.method, asked.pathname);
  if (!found) {
    wrong.push(`${asked.method} ${asked.pathname} is no operation`);
    return typed(problem(404, "route-not-found"));
  }
  const { operation, values } = found;
  wrong.push(...requestFaults({ ...asked, ...found }).map((text) => `${operation.operationId}: ${text}`));
  if (asked.headers.authorization !== `Bearer ${KEY}`) return typed(problem(401, "credential-invalid"));
  const answer = answers[operation.operationId];
  if (!answer) {
    wrong.push(`${operation.operationId} was not expected`);
    return typed(problem(503, "overloaded"));
  }
  const given = typed(answer({ ...asked, values }));
  wrong.push(...answerFaults(operation, given).map((text) => `answer of ${operation.operationId}: ${text}`));
  return given;
}

const typed = (answer) => ({ ...answer, type: answer.status < 400 ? "application/json" : "application/problem+json" });
