// What a request must look like, and what a caller is told of one that does not: place and rule, never the value.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Response, start } from "./harness.mjs";
import { policyOf } from "./support/policy.mjs";
import { codeOf, send } from "./support/raw.mjs";

const JSON_TYPE = { "content-type": "application/json" };
const CANARY = "canary-7f3a91c2";
const ORDER = {
  type: "object",
  additionalProperties: false,
  required: ["item"],
  properties: {
    item: { enum: ["tea", "coffee"] },
    quantity: { type: "integer", minimum: 1, maximum: 99 },
    note: { type: "string", minLength: 2, maxLength: 5 },
    code: { type: "string", pattern: "^[A-Z]{3}$" },
    at: { type: "string", format: "date-time" },
    kind: { const: "order" },
    tags: { type: "array", maxItems: 2, uniqueItems: true, items: { type: "string" } },
    "a/b~c": { type: "boolean" },
    address: { type: "object", additionalProperties: false, properties: { street: { type: "string" } } },
  },
};
const PARAMETERS = {
  path: { item: { type: "string", pattern: "^it_[0-9]{3}$" } },
  query: {
    additionalProperties: false,
    required: ["page"],
    properties: {
      page: { type: "integer", minimum: 1 },
      deep: { type: "boolean" },
      tag: { type: "array", maxItems: 2, items: { type: "string", maxLength: 3 } },
      sort: { enum: ["up", "down"] },
    },
  },
  headers: { required: ["X-Tenant"], properties: { "X-Tenant": { type: "string", maxLength: 4 } } },
};

let gateway;

before(async () => {
  const policy = policyOf(
    {
      "GET,POST /orders": { request: { body: { $ref: "#/schemas/Order" } } },
      "POST /any": { request: { body: true } },
      "POST /text": { request: { content_types: ["text/plain", "text/csv"] } },
      "POST /unread": {},
      "GET /items/{item}": { request: PARAMETERS },
      "GET /either": { request: { query: { properties: { size: { type: ["integer", "null"] } } } } },
      "POST /watched": { request: { body: { $ref: "#/schemas/Order" }, mode: "observe", max_bytes: 200 } },
    },
    { schemas: { Order: ORDER } },
  );
  gateway = await start({ policy, origin: () => new Response("stored", { status: 201 }) });
});

after(() => gateway?.stop());

test("the content type is compared without case, and in UTF-8 alone", async () => {
  for (const [type, status] of [
    ["application/json", 201],
    ["APPLICATION/Json", 201],
    ["application/json; charset=utf-8", 201],
    ['application/json;charset="UTF-8"', 201],
    ["application/json; charset=utf-7", 415],
    ["application/json; charset=utf-16", 415],
    ["application/json; charset=iso-8859-1", 415],
    ["application/json; charset=utf-8; charset=utf-7", 415],
    ["application/json-patch+json", 415],
    ["application/jsonp", 415],
    ["application/problem+json", 415],
    ["text/plain", 415],
    ["text/json", 415],
    ["application/xml", 415],
    ["application/x-www-form-urlencoded", 415],
    ["multipart/form-data; boundary=application/json", 415],
    ["application/grpc", 415],
    ["application/*", 415],
    ["*/*", 415],
    ["application", 415],
    ["json", 415],
    ["application/json, application/json", 400],
    ["text/plain, application/json", 400],
  ]) {
    const answer = await post("/orders", '{"item":"tea"}', { "content-type": type });
    assert.equal(answer.status, status, type);
    if (status === 415) assert.equal((await answer.json()).code, "unsupported-media-type", type);
  }
});

test("content without a type is refused where a type is asked for", async () => {
  for (const [target, status] of [["/orders", 415], ["/text", 415], ["/unread", 201]]) {
    const headers = ["Content-Length: 14"];
    const answer = await send(gateway.url, { method: "POST", target, headers, body: '{"item":"tea"}' });
    assert.equal(answer.status, status, target);
  }
  for (const [type, status] of [["text/csv", 201], ["text/plain;charset=utf-8", 201], ["application/json", 415]]) {
    assert.equal((await post("/text", "a,b", { "content-type": type })).status, status, type);
  }
});

test("coded content is refused where it would have to be read, and passed where not", async () => {
  const content = gzipSync('{"item":"tea"}');
  for (const coding of ["gzip", "br", "deflate", "zstd", "gzip, gzip", "x-odd", "GZIP"]) {
    const answer = await post("/orders", content, { ...JSON_TYPE, "content-encoding": coding });
    assert.deepEqual([answer.status, (await answer.json()).code], [415, "unsupported-encoding"], coding);
  }
  assert.equal((await post("/unread", content, { "content-encoding": "gzip" })).status, 201);
  assert.deepEqual(gateway.originRequests.at(-1).body, content);
});

test("JSON with one reading is taken", async () => {
  for (const text of [
    "{}",
    "[]",
    "0",
    '"a"',
    "null",
    " \t\r\n{ }\n",
    nested(32),
    '{"a":{"a":1},"b":[{"a":1}]}',
    '{"é":"\\ud83d\\ude00😀"}',
    "9007199254740991",
    "-9007199254740991",
    "18446744073709551615",
    "1.5e3",
    "-0.0",
    '{"":1}',
    '{"__proto__":1,"constructor":2}',
  ]) {
    assert.equal((await post("/any", text)).status, 201, text.slice(0, 40));
  }
});

test("JSON with two readings, or none, is refused with the rule it broke", async () => {
  for (const [text, keyword, pointer = ""] of [
    ["", "syntax"],
    [" ", "syntax"],
    ["{", "syntax"],
    ["{}{}", "syntax"],
    ["{} x", "syntax"],
    ["[1,]", "syntax"],
    ['{"a":1,}', "syntax"],
    ["{a:1}", "syntax"],
    ["{'a':1}", "syntax"],
    ["/* */{}", "syntax"],
    ["{}//", "syntax"],
    ["NaN", "syntax"],
    ["Infinity", "syntax"],
    ["01", "syntax"],
    ["+1", "syntax"],
    [".5", "syntax"],
    ["0x10", "syntax"],
    ["1e999", "syntax"],
    ["\ufeff{}", "syntax"],
    ["\0{}", "syntax"],
    ['"a\nb"', "syntax"],
    ['"\\ud800"', "syntax"],
    ['"\\udc00\\ud800"', "syntax"],
    ['{"\\ud800":1}', "syntax"],
    [Buffer.from('"\xff"', "latin1"), "syntax"],
    [Buffer.from('"\xc0\xae"', "latin1"), "syntax"],
    [Buffer.from('"\xed\xa0\x80"', "latin1"), "syntax"],
    [Buffer.from("\ufeff{}", "utf16le"), "syntax"],
    ['{"a":1,"a":1}', "duplicateName", "/a"],
    ['{"item":"tea","\\u0069tem":"x"}', "duplicateName", "/item"],
    ['{"a":[{"b":1,"b":2}]}', "duplicateName", "/a/0/b"],
    [nested(33), "maxDepth"],
    [`${'{"a":'.repeat(33)}1${"}".repeat(33)}`, "maxDepth"],
    ["[".repeat(100_000), "maxDepth"],
    [JSON.stringify(Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`n${n}`, 1]))), "maxNames", "/n1000"],
    [`[${"1,".repeat(100_000)}1]`, "maxItems"],
    [`[${"[1,1,1],".repeat(50_000)}1]`, "maxValues"],
    [`[${"1".repeat(41)}]`, "maxDigits"],
    ["[18446744073709551616]", "number", "/0"],
    ['{"a":9007199254740993.5}', "number", "/a"],
    ["[1e300]", "number", "/0"],
    ["[-1e20]", "number", "/0"],
    ['{"a":"\\u0000"}', "nul", "/a"],
    ['{"a\\u0000":1}', "nul"],
  ]) {
    const answer = await post("/any", text);
    const problem = await answer.json();
    const name = text.toString().slice(0, 40);
    assert.deepEqual([answer.status, problem.code, problem.errors.length], [400, "malformed-request", 1], name);
    const [{ location, ...error }] = problem.errors;
    assert.deepEqual([location, error.keyword, error.pointer], ["body", keyword, pointer], name);
  }
});

const UNKNOWN = ["additionalProperties", "not a known name", "Remove it, or check its spelling."];

test("each broken rule of a schema is told by place, rule and what to send", async () => {
  for (const [body, pointer, keyword, message, fix] of [
    [{}, "/item", "required", "missing", "Send it."],
    [{ item: CANARY }, "/item", "enum", "not one of the known values", 'Send one of "tea", "coffee".'],
    [{ quantity: CANARY }, "/quantity", "type", "of another type", "Send a value of type integer."],
    [{ quantity: "1" }, "/quantity", "type", "of another type", "Send a value of type integer."],
    [{ quantity: 1.5 }, "/quantity", "type", "of another type", "Send a value of type integer."],
    [{ quantity: null }, "/quantity", "type", "of another type", "Send a value of type integer."],
    [{ quantity: 0 }, "/quantity", "minimum", "too small", "Send 1 or more."],
    [{ quantity: 100 }, "/quantity", "maximum", "too large", "Send 99 or less."],
    [{ note: "x" }, "/note", "minLength", "too short", "Send 2 characters or more."],
    [{ note: CANARY }, "/note", "maxLength", "too long", "Send 5 characters or fewer."],
    [{ code: CANARY }, "/code", "pattern", "not in the known form", "Send text that matches ^[A-Z]{3}$."],
    [{ at: CANARY }, "/at", "format", "not a valid date-time", "Send a date-time."],
    [{ at: "2026-02-30T00:00:00Z" }, "/at", "format", "not a valid date-time", "Send a date-time."],
    [{ kind: CANARY }, "/kind", "const", "not the one known value", 'Send "order".'],
    [{ tags: ["a", "b", CANARY] }, "/tags", "maxItems", "too many items", "Send 2 items or fewer."],
    [{ tags: [CANARY, CANARY] }, "/tags", "uniqueItems", "items repeat", "Send each item once."],
    [{ tags: ["a", 7] }, "/tags/1", "type", "of another type", "Send a value of type string."],
    [{ "a/b~c": CANARY }, "/a~1b~0c", "type", "of another type", "Send a value of type boolean."],
    [{ address: { street: 1 } }, "/address/street", "type", "of another type", "Send a value of type string."],
    [{ owner: CANARY }, "/owner", ...UNKNOWN],
    [{ Item: "tea" }, "/Item", ...UNKNOWN],
    [{ __proto_: CANARY }, "/__proto_", ...UNKNOWN],
    [{ address: { zip: CANARY } }, "/address/zip", ...UNKNOWN],
  ]) {
    const sent = pointer === "/item" ? body : { item: "tea", ...body };
    const problem = await refused(await post("/orders", JSON.stringify(sent)), 422, "schema-violation");
    assert.deepEqual(problem.errors, [{ location: "body", pointer, keyword, message, fix }], JSON.stringify(sent));
  }
  const problem = await refused(await post("/orders", `["${CANARY}"]`), 422, "schema-violation");
  assert.deepEqual(problem.errors.map(({ pointer, keyword }) => [pointer, keyword]), [["", "type"]]);
});

test("what a caller sent is neither in its answer nor in the log", async () => {
  const many = JSON.stringify(Array.from({ length: 500 }, () => CANARY));
  for (const [path, init] of [
    ["/orders", { body: `{"item":"${CANARY}","quantity":"${CANARY}","at":"${CANARY}","address":"${CANARY}"}` }],
    ["/orders", { body: `{"item":"tea","address":{"street":["${CANARY}"]}}` }],
    ["/orders", { body: many }],
    ["/orders", { body: `{"item": ${CANARY}}` }],
    ["/orders", { body: `{"item":"${CANARY}","item":1}` }],
    ["/orders", { body: CANARY, headers: { "content-type": `text/${CANARY}` } }],
    ["/orders", { body: CANARY, headers: { ...JSON_TYPE, "content-encoding": CANARY } }],
    [`/items/${CANARY}?page=${CANARY}&tag=${CANARY}`, { method: "GET", headers: { "x-tenant": CANARY } }],
    [`/none/${CANARY}?a=${CANARY}`, { method: "GET" }],
    [`/items//${CANARY}`, { method: "GET" }],
    [`/items/it_001?a=%&b=${CANARY}`, { method: "GET" }],
  ]) {
    const answer = await gateway.fetch(path, { method: "POST", headers: JSON_TYPE, ...init });
    assert.ok(answer.status >= 400, path);
    const told = JSON.stringify([...answer.headers]) + (await answer.text());
    assert.equal(told.includes(CANARY), false, `${path} ${told}`);
    assert.ok(await gateway.decisionOf(answer), path);
  }
  assert.deepEqual(gateway.lines.filter(({ message }) => message.includes(CANARY)), []);
});

test("names that a caller chose are cut short and steer no terminal", async () => {
  const name = `\u001b[31m\u202e${"n".repeat(5_000)}`;
  const answer = await post("/orders", JSON.stringify({ item: "tea", [name]: 1 }));
  const problem = await refused(answer, 422, "schema-violation");
  const [{ pointer }] = problem.errors;
  assert.ok(Buffer.byteLength(pointer) <= 256);
  assert.match(pointer, /^\/\[31mn+$/);
});

test("a hostile document is told of a bounded number of faults", async () => {
  const names = Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`n${n}`, 1]));
  const problem = await refused(await post("/orders", JSON.stringify(names)), 422, "schema-violation");
  assert.equal(problem.errors.length, 20);
});

test("path, query and header parameters are read by their types, and exactly", async () => {
  for (const [path, found] of [
    ["/items/it_001?page=1", []],
    ["/items/it_001?page=1&deep=true&tag=a&tag=b&sort=up", []],
    ["/items/it_001?%70age=1", []],
    ["/items/it_0011?page=1", ["path /item pattern"]],
    ["/items/it_00%31?page=1", []],
    ["/items/it_001%20?page=1", ["path /item pattern"]],
    ["/items/it_001", ["query /page required"]],
    ["/items/it_001?page=", ["query /page type"]],
    ["/items/it_001?page=01", ["query /page type"]],
    ["/items/it_001?page=+1", ["query /page type"]],
    ["/items/it_001?page=1.5", ["query /page type"]],
    ["/items/it_001?page=0", ["query /page minimum"]],
    ["/items/it_001?page=-1", ["query /page minimum"]],
    ["/items/it_001?page=1&page=1", ["query /page duplicateName"]],
    ["/items/it_001?page=1&p%61ge=2", ["query /page duplicateName"]],
    ["/items/it_001?page=1&Page=2", ["query /Page additionalProperties"]],
    ["/items/it_001?page=1&page[]=2", ["query /page[] additionalProperties"]],
    ["/items/it_001?page=1;admin=1", ["query /page type"]],
    ["/items/it_001?page=1%26admin=1", ["query /page type"]],
    ["/items/it_001?page=1&admin", ["query /admin additionalProperties"]],
    ["/items/it_001?page=1&=2", ["query / additionalProperties"]],
    ["/items/it_001?page=1&deep=TRUE", ["query /deep type"]],
    ["/items/it_001?page=1&deep=1", ["query /deep type"]],
    ["/items/it_001?page=1&tag=long", ["query /tag/0 maxLength"]],
    ["/items/it_001?page=1&tag=a&tag=b&tag=c", ["query /tag maxItems"]],
    ["/items/it_001?page=1&sort=UP", ["query /sort enum"]],
    ["/items/no?page=0", ["path /item pattern", "query /page minimum"]],
  ]) {
    const answer = await gateway.fetch(path, { headers: { "x-tenant": "acme" } });
    assert.equal(answer.status, found.length ? 422 : 201, path);
    assert.deepEqual(await toldBy(answer), found, path);
  }
  for (const [headers, found] of [
    [{ "X-TENANT": "acme" }, []],
    [{}, ["header /x-tenant required"]],
    [{ "x-tenant": "acme1" }, ["header /x-tenant maxLength"]],
  ]) {
    const answer = await gateway.fetch("/items/it_001?page=1", { headers });
    assert.deepEqual(await toldBy(answer), found);
  }
});

// Of `1e1` one reader makes 10 and another (`parseInt`) 1.
test("a number in a parameter is written in digits, or origins read another one", async () => {
  for (const page of ["1e1", "1E1", "1.0", "10.0", "1e-0"]) {
    const answer = await gateway.fetch(`/items/it_001?page=${page}`, { headers: { "x-tenant": "acme" } });
    assert.equal(answer.status, 422, page);
  }
});

test("a parameter of several types is read as the one that fits", async () => {
  for (const [path, status] of [["/either?size=5", 201], ["/either?size=large", 422]]) {
    assert.equal((await gateway.fetch(path)).status, status, path);
  }
});

test("observe lets pass what it would have refused, says so in the log, and holds the size all the same", async () => {
  for (const [body, status, observed] of [
    ['{"item":"tea"}', 201, false],
    ['{"item":"x"}', 201, true],
    ['{"item":"tea","item":"tea"}', 201, true],
    ["{", 201, true],
    [`"${"x".repeat(200)}"`, 413, false],
  ]) {
    const answer = await post("/watched", body);
    assert.equal(answer.status, status, body);
    const { verdict } = await gateway.decisionOf(answer);
    assert.equal(verdict === "observed", observed, body);
  }
});

test("a problem document is one, and its type is a page that says what to do", async () => {
  for (const [answer, status, code] of [
    [await post("/any", "{"), 400, "malformed-request"],
    [await gateway.fetch("/any//"), 400, "ambiguous-path"],
    [await gateway.fetch("/none"), 404, "route-not-found"],
    [await gateway.fetch("/any"), 405, "method-not-allowed"],
    [await post("/watched", "x".repeat(201)), 413, "payload-too-large"],
    [await gateway.fetch(`/${"a".repeat(9_000)}`), 414, "uri-too-long"],
    [await post("/orders", "{}", { "content-type": "text/plain" }), 415, "unsupported-media-type"],
    [await post("/orders", "{}"), 422, "schema-violation"],
  ]) {
    const problem = await refused(answer, status, code);
    const page = await gateway.fetch(problem.type);
    assert.equal(page.status, 200, problem.type);
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    const text = await page.text();
    assert.ok(text.includes(problem.title) && text.includes("What to do"), problem.type);
  }
  assert.equal((await gateway.fetch("/.edgeward/problems/none")).status, 404);
});

test("a problem document reaches a HEAD as its head alone", async () => {
  const answer = await send(gateway.url, { method: "HEAD", target: "/none" });
  assert.deepEqual([answer.status, codeOf(answer), answer.body.length], [404, undefined, 0]);
});

/** Judges the shape of a problem document, and gives it. */
async function refused(answer, status, code) {
  const problem = await answer.json();
  assert.deepEqual([answer.status, problem.code], [status, code]);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.equal(problem.status, status);
  assert.equal(problem.type, `http://gateway.test/.edgeward/problems/${code}`);
  assert.equal(problem.instance, `urn:uuid:${answer.headers.get("x-request-id")}`);
  for (const name of ["title", "detail"]) assert.ok(problem[name].length > 5, name);
  const known = ["type", "title", "status", "detail", "instance", "code", "errors", "violated-policies"];
  assert.deepEqual(Object.keys(problem).filter((name) => !known.includes(name)), []);
  return problem;
}

/** The findings of an answer, one line each. */
async function toldBy(answer) {
  const { errors } = answer.status === 422 ? await answer.json() : { errors: [] };
  return errors.map(({ location, pointer, keyword }) => `${location} ${pointer} ${keyword}`);
}

const post = (path, body, headers = JSON_TYPE) => gateway.fetch(path, { method: "POST", headers, body });

const nested = (depth) => "[".repeat(depth) + "]".repeat(depth);
