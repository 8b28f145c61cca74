// The commands that the demo prints: what is admitted, then one refusal for each stage.
//
// Each command stands alone and pastes into bash and zsh as it is. An interactive zsh takes a
// comment for a command, so a comment has none of the characters that would mean something in one.

/** Orders that a new book begins with, of two accounts. */
const ORDER = "ord_00000000000000a1";
const ORDER_OF_BETA = "ord_00000000000000b1";
const JSON_TYPE = "-H 'content-type: application/json'";

/**
 * Gives the lines: a comment, its command, an empty line, and so on.
 *
 * - `gateway`, `issuer`: their URLs.
 * - `keys`: the texts of the keys `shop`, `dashboard` and `retired`.
 */
export function curlLines({ gateway, issuer, keys }) {
  const ask = (path, ...options) => {
    // A problem document has no line end of its own: without one the prompt would follow it.
    return ["curl -sS -i -w '\\n'", `'${gateway}${path}'`, ...options].join(" ");
  };
  const key = (text) => `-H 'x-api-key: ${text}'`;
  const token = (name) => `-H "authorization: Bearer $(curl -sS '${issuer}/token?as=${name}')"`;
  const shop = key(keys.shop);
  const words = { ask, shop, key, token, keys };
  const blocks = [
    ...admitted(words),
    ...refusedPath(words),
    ...refusedCredential(words),
    ...refusedAmount(words, `${gateway}/v1/export`),
    ...refusedAccess(words),
    ...refusedContent(words),
    ...refusedAnswer(words),
  ];
  return blocks.flatMap(([comment, ...commands]) => [`# ${comment}`, ...commands, ""]);
}

function admitted({ ask, shop, token }) {
  const order = '{"item":"tea","quantity":2,"note":"no milk","express":true}';
  const preflight = [
    "-X OPTIONS -H 'origin: http://localhost:3000'",
    "-H 'access-control-request-method: POST'",
    "-H 'access-control-request-headers: content-type,x-api-key'",
  ];
  return [
    [
      "admitted with an API key: 201, and what the origin was told of the caller",
      ask("/v1/accounts/alpha/orders", shop, JSON_TYPE, `-d '${order}'`),
    ],
    ["admitted with a token: 200 and the orders of alice", ask("/v1/orders", token("alice"))],
    [
      "admitted by a role: 200, sam of the support reads the orders of any account",
      ask(`/v1/accounts/alpha/orders/${ORDER}`, token("sam")),
    ],
    [
      "admitted, less a field: 200, who made an order is for the support alone",
      ask(`/v1/orders/${ORDER}`, token("alice")),
    ],
    ["CORS preflight of a page on localhost:3000: 204", ask("/v1/orders", ...preflight)],
  ];
}

function refusedPath({ ask, shop }) {
  return [
    [
      "a path with two readings: 400 ambiguous-path",
      ask("/v1/accounts/alpha%2F..%2Fbeta/orders", shop),
    ],
    ["an unknown path: 404 route-not-found", ask("/v1/invoices", shop)],
    ["a wrong method: 405 method-not-allowed, see Allow", ask("/v1/orders", "-X PATCH", shop)],
    [
      "an address on the deny list: 403 access-denied, the header plays another address",
      ask("/v1/orders", "-H 'x-edgeward-test-ip: 192.0.2.7'", shop),
    ],
  ];
}

function refusedCredential({ ask, shop, key, token, keys }) {
  return [
    ["no credential: 401 credential-missing, see WWW-Authenticate", ask("/v1/orders")],
    [
      "a mistyped key: 401 credential-invalid, found by its check",
      ask("/v1/orders", key(mistyped(keys.shop))),
    ],
    ["an expired key: 401 credential-invalid", ask("/v1/orders", key(keys.retired))],
    ["an expired token: 401 credential-invalid", ask("/v1/orders", token("expired"))],
    ["two credentials: 400 duplicate-credential", ask("/v1/orders", shop, token("alice"))],
  ];
}

/** On a route with a limit of its own, so that the other commands go on being admitted. */
function refusedAmount({ ask, shop }, url) {
  const status = `curl -sS -o /dev/null -w '%{http_code} ' '${url}' ${shop}`;
  const unseen = `curl -sS -o /dev/null '${url}' ${shop}`;
  return [
    [
      "over the limit of 5 in 10 s: five times 200, then 429",
      `for i in 1 2 3 4 5 6 7; do ${status}; done; echo`,
    ],
    [
      "the same with headers: 429 quota-exceeded, see Retry-After and RateLimit",
      `for i in 1 2 3 4 5; do ${unseen}; done; ${ask("/v1/export", shop)}`,
    ],
  ];
}

function refusedAccess({ ask, key, token, keys }) {
  const order = `-d '{"item":"tea","quantity":1}'`;
  const express = `-d '{"item":"tea","quantity":1,"express":true}'`;
  const create = "/v1/accounts/alpha/orders";
  return [
    [
      "a missing scope: 403 insufficient-scope, this key may only read",
      ask(create, key(keys.dashboard), JSON_TYPE, order),
    ],
    [
      "a missing role: 403 access-denied, only an admin deletes",
      ask(`/v1/orders/${ORDER}`, "-X DELETE", token("alice")),
    ],
    [
      "the orders of another account: 403 access-denied, alice asks for those of bob",
      ask("/v1/accounts/beta/orders", token("alice")),
    ],
    [
      "a rule over the body: 403 access-denied, express is for the plan pro",
      ask(create, token("alice"), JSON_TYPE, express),
    ],
  ];
}

function refusedContent({ ask, shop }) {
  const create = (...options) => ask("/v1/accounts/alpha/orders", shop, ...options);
  // 5000 zeros, made where the command runs: bash and zsh both print so wide a number.
  const zeros = "$(printf '%05000d' 0)";
  const long = `-d "{\\"item\\":\\"tea\\",\\"quantity\\":1,\\"note\\":\\"${zeros}\\"}"`;
  return [
    ["a parameter out of bounds: 422 schema-violation", ask("/v1/orders?limit=1000", shop)],
    [
      "an unknown field: 422 schema-violation, see errors",
      create(JSON_TYPE, `-d '{"item":"tea","quantity":1,"price":0}'`),
    ],
    [
      "a text where a number belongs: 422 schema-violation",
      create(JSON_TYPE, `-d '{"item":"tea","quantity":"1"}'`),
    ],
    ["a body that is not JSON: 400 malformed-request", create(JSON_TYPE, `-d '{"item":"tea",'`)],
    [
      "another content type: 415 unsupported-media-type",
      create("-H 'content-type: text/plain'", `-d 'one tea, please'`),
    ],
    ["more than 4096 bytes: 413 payload-too-large", create(JSON_TYPE, long)],
  ];
}

/** The origin gives any order to anybody. */
function refusedAnswer({ ask, token }) {
  return [
    [
      "an order of another account, which the origin gave out: 404 route-not-found, the same as for none",
      ask(`/v1/orders/${ORDER_OF_BETA}`, token("alice")),
    ],
  ];
}

/** The key with its last character changed, as a slip of the hand would. */
function mistyped(text) {
  return text.slice(0, -1) + (text.endsWith("0") ? "1" : "0");
}
