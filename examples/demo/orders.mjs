// A small orders API, as a Worker of its own: the origin that the demo puts behind the gateway.
//
// Every answer shows under `received` what the gateway said about the caller, so that one can see
// what an origin gets and what it does not get: credentials.
// The API checks nothing that the policy checks already. Open to the world it would be unsafe.
import { book } from "./book.mjs";
import { identify } from "./identity.mjs";

export { Book } from "./book.mjs";

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const orders = book(env);
    // For tests, which ask the origin itself: a refused request must not have come this far.
    if (url.pathname === "/__hits") return json(200, { hits: await orders.hits() });
    await orders.countHit();
    const { received, fault } = await receive(request, env);
    if (fault) return json(401, { error: fault, received });
    // A HEAD is answered as its GET; the runtime leaves the content out.
    const method = request.method === "HEAD" ? "GET" : request.method;
    for (const [routeMethod, pattern, answer] of ROUTES) {
      const match = routeMethod === method && pattern.exec({ pathname: url.pathname });
      if (!match) continue;
      const path = match.pathname.groups;
      const call = { request, url, orders, path, identity: received.identity };
      const { status, ...content } = await answer(call);
      return json(status, { ...content, received });
    }
    return json(404, { error: "nothing stands here", received });
  },
};

const at = (pathname) => new URLPattern({ pathname });

const ROUTES = [
  ["GET", at("/health"), () => ({ status: 200, healthy: true })],
  ["GET", at("/whoami"), whoAmI],
  ["GET", at("/v1/orders"), listOwn],
  ["GET", at("/v1/orders/:orderId"), showAny],
  ["DELETE", at("/v1/orders/:orderId"), remove],
  ["GET", at("/v1/export"), exportOwn],
  ["GET", at("/v1/accounts/:accountId/orders"), listOfAccount],
  ["POST", at("/v1/accounts/:accountId/orders"), create],
  ["GET", at("/v1/accounts/:accountId/orders/:orderId"), show],
];

/** What came with a request, told without repeating a credential. */
async function receive(request, env) {
  const { identity, verified, fault } = await identify(request, env);
  const received = {
    identity,
    identity_verified: verified,
    request_id: request.headers.get("edgeward-request-id"),
    authorization_present: request.headers.has("authorization"),
    api_key_present: request.headers.has("x-api-key"),
  };
  return { received, fault };
}

/** The names of the headers, never their values: one of them could be a credential after all. */
function whoAmI({ request }) {
  return { status: 200, header_names: [...request.headers.keys()] };
}

async function listOwn({ url, orders, identity }) {
  const account = identity?.tenant ?? null;
  const limit = Number(url.searchParams.get("limit") ?? 20);
  return { status: 200, account, orders: await orders.list(account, limit) };
}

async function exportOwn({ orders, identity }) {
  const account = identity?.tenant ?? null;
  return { status: 200, account, orders: await orders.list(account, 10_000) };
}

async function listOfAccount({ path, orders }) {
  return { status: 200, orders: await orders.list(path.accountId, 20) };
}

async function show({ path, orders }) {
  const order = await orders.find(path.accountId, path.orderId);
  return order ? { status: 200, order } : { status: 404, error: "no such order" };
}

/** Forgets to ask whose order it is, as services do: the gateway's rule over the answer does not. */
async function showAny({ path, orders }) {
  const order = await orders.findAny(path.orderId);
  return order ? { status: 200, order } : { status: 404, error: "no such order" };
}

async function create({ request, path, orders, identity }) {
  const wanted = await request.json().catch(() => null);
  if (!wanted?.item || !wanted.quantity) return { status: 400, error: "no order in the body" };
  const { item, quantity, note = null, express = false } = wanted;
  const order = await orders.add({
    account: path.accountId,
    item,
    quantity,
    note,
    express,
    created_by: identity?.sub ?? null,
  });
  return { status: 201, order };
}

async function remove({ path, orders }) {
  const removed = await orders.remove(path.orderId);
  return removed ? { status: 200, removed } : { status: 404, error: "no such order" };
}

function json(status, content) {
  return Response.json(content, { status });
}
