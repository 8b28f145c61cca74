// Content of every type, over the built worker: real clients' forms pass byte by byte, forms with two readings,
// XML and hostile JSON do not, and every draft of JSON Schema holds as it says.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Response, start } from "./harness.mjs";
import { policyOf } from "./support/policy.mjs";
import { send } from "./support/raw.mjs";

const FORM = "application/x-www-form-urlencoded";
const CANARY = "canary-51be77";
const UPLOAD = {
  type: "object",
  additionalProperties: false,
  required: ["title", "photo"],
  properties: {
    title: { type: "string", minLength: 2, maxLength: 9 },
    count: { type: "integer", maximum: 9 },
    tag: { type: "array", maxItems: 2, items: { type: "string" } },
    photo: { type: "string", format: "binary", maxLength: 64, contentMediaType: "image/png" },
    meta: { type: "object", additionalProperties: false, properties: { a: { type: "integer" } } },
  },
};
const FIELDS = {
  type: "object",
  additionalProperties: false,
  required: ["title"],
  properties: { title: { type: "string" }, count: { type: "integer" }, urgent: { type: "boolean" } },
};
const TREE = { type: "object", additionalProperties: false, required: ["name"], properties: {
  name: { type: "string", maxLength: 4 },
  children: { type: "array", items: { $ref: "#/schemas/Tree" } },
} };
const OLD = { $schema: "http://json-schema.org/draft-04/schema#", type: "object",
  properties: { n: { maximum: 5, exclusiveMaximum: true }, at: { format: "date-time" } } };

let gateway;

before(async () => {
  const policy = policyOf(
    {
      "POST /forms": { request: { content_types: [FORM], body: FIELDS } },
      "POST /upload": { request: { content_types: ["multipart/form-data"], body: UPLOAD } },
      "POST /ruled": { request: { content_types: [FORM], body: FIELDS }, allow: "request.body.count < 5" },
      "POST /several": { request: { bodies: { "application/json": FIELDS, [FORM]: FIELDS }, opaque: ["application/xml"], max_bytes: 99 } },
      "POST /open": {},
      "POST /tree": { request: { body: { $ref: "#/schemas/Tree" } } },
      "POST /old": { request: { body: { $ref: "#/schemas/Old" } } },
      "POST /small": { request: { body: true, json_limits: {
        max_depth: 3, max_names: 2, max_values: 9, max_items: 3, max_string_bytes: 4, max_digits: 5 } } },
    },
    { schemas: { Tree: TREE, Old: OLD } },
  );
  gateway = await start({ policy, origin: () => new Response("stored", { status: 201 }) });
});

after(() => gateway?.stop());

test("a form that a client library writes passes, and its bytes arrive as they were sent", async () => {
  const fields = new URLSearchParams({ title: "tea & coffee; é%", count: "3", urgent: "true" });
  const answer = await post("/forms", fields.toString(), FORM);
  assert.equal(answer.status, 201);
  assert.equal(gateway.originRequests.at(-1).body.toString(), fields.toString());
});

test("a form with two readings, or another than its schema, is refused by place and rule", async () => {
  for (const [body, status, found] of [
    ["title=a&count=03", 422, ["/count type"]],
    ["title=a&count=1&count=1", 422, ["/count duplicateName"]],
    ["title=a&admin=1", 422, ["/admin additionalProperties"]],
    ["title=a&urgent=yes", 422, ["/urgent type"]],
    ["count=1", 422, ["/title required"]],
    ["title[]=a", 422, ["/title required", "/title[] additionalProperties"]],
    ["title=a;count=1", 400, [" encoding"]],
    ["title=%zz", 400, [" encoding"]],
    ["title=%ff", 400, [" utf8"]],
    ["title=a%00b", 400, [" nul"]],
    ["title=a&_charset_=utf-7", 400, [" charset"]],
    ['{"title":"a"}', 422, ['/title required', '/{"title":"a"} additionalProperties']],
  ]) {
    assert.deepEqual(await told(await post("/forms", body, FORM)), [status, ...found.sort()], body);
  }
});

test("a rule decides on the fields of a form as their types are", async () => {
  for (const [body, status] of [["title=a&count=4", 201], ["title=a&count=5", 403], ["title=a", 403]]) {
    assert.equal((await post("/ruled", body, FORM)).status, status, body);
  }
});

test("a multipart form that a client library writes passes, and its bytes arrive as they were sent", async () => {
  const form = new FormData();
  form.append("title", "caf\u00e9");
  form.append("count", "7");
  form.append("tag", "a");
  form.append("tag", "b");
  form.append("photo", new Blob([new Uint8Array([0, 13, 10, 45, 45, 255])], { type: "image/png" }), "tea 1.png");
  // As a client sends it: the boundary is its own.
  const written = new globalThis.Response(form);
  const type = written.headers.get("content-type");
  const bytes = Buffer.from(await written.arrayBuffer());
  const answer = await post("/upload", bytes, type);
  assert.equal(answer.status, 201, await answer.clone().text());
  const arrived = gateway.originRequests.at(-1);
  assert.deepEqual(arrived.body, bytes);
  assert.equal(arrived.headers["content-type"], type);
});

const PHOTO = part('name="photo"; filename="a.png"', "image/png", "x");
const TITLE = part('name="title"', "", "tea");

test("the parts of a form are judged by size, type and schema", async () => {
  for (const [parts, status, found] of [
    [[TITLE, PHOTO], 201, []],
    [[TITLE, PHOTO, part('name="meta"', "application/json", '{"a":1}')], 201, []],
    [[TITLE, PHOTO, part('name="meta"', "application/json", '{"a":1.5}')], 422, ["/meta/a type"]],
    [[TITLE, PHOTO, part('name="count"', "", "10")], 422, ["/count maximum"]],
    [[TITLE, PHOTO, TITLE], 422, ["/title duplicateName"]],
    [[TITLE, PHOTO, PHOTO], 422, ["/photo duplicateName"]],
    [[TITLE], 422, ["/photo required"]],
    [[TITLE, part('name="photo"; filename="a.png"', "image/png", "x".repeat(64))], 201, []],
    [[TITLE, part('name="photo"; filename="a.png"', "image/png", "x".repeat(65))], 422, ["/photo maxLength"]],
    [[TITLE, part('name="photo"; filename="a.svg"', "image/svg+xml", "x")], 422, ["/photo contentMediaType"]],
    [[TITLE, part('name="photo"; filename="a.png"', "", "x")], 422, ["/photo contentMediaType"]],
    [[TITLE, part('name="photo"', "image/png", "x")], 422, ["/photo file"]],
    [[part('name="title"; filename="a"', "", "tea"), PHOTO], 422, ["/title file"]],
    [[TITLE, PHOTO, part('name="other"', "", CANARY)], 422, ["/other additionalProperties"]],
  ]) {
    const body = `${parts.join("")}--xx--\r\n`;
    assert.deepEqual(await told(await upload(body)), [status, ...found], body);
  }
});

test("a multipart form with two readings is refused", async () => {
  const end = "--xx--\r\n";
  for (const [body, keyword] of [
    ["", "framing"],
    [end, "framing"],
    [`${TITLE}${PHOTO}`, "framing"],
    [`${TITLE}${PHOTO}--xx`, "framing"],
    [`hidden\r\n${TITLE}${PHOTO}${end}`, "framing"],
    [`${TITLE}${PHOTO}${end}${TITLE}${end}`, "framing"],
    [`${TITLE}${PHOTO}${end}hidden`, "framing"],
    [`${TITLE}${PHOTO}${end}`.replaceAll("\r\n", "\n"), "framing"],
    [`${TITLE.slice(0, -2)}${PHOTO}${end}`, "framing"],
    [`${part('name="title"', "", "a\n--xx\nb")}${PHOTO}${end}`, "framing"],
    [`${part('name="photo"; filename="../a"', "image/png", "x")}${end}`, "fileName"],
    [`${part('name="photo"; filename="a\\\\b"', "image/png", "x")}${end}`, "fileName"],
    [`${part('name="photo"; filename="a"; filename="b"', "image/png", "x")}${end}`, "fileName"],
    [`${part("name=\"photo\"; filename*=utf-8''a", "image/png", "x")}${end}`, "fileName"],
    [`${part('name="photo"; filename="a%2fb"', "image/png", "x")}${end}`, "fileName"],
    [`${part('name="a"; name="b"', "", "x")}${end}`, "partName"],
    [`${part("name=a", "", "x")}${end}`, "partName"],
    [`${part('name="a"\r\nContent-Transfer-Encoding: base64', "", "eA==")}${end}`, "partHeader"],
    [`${part('name="a"\r\nContent-Disposition: form-data; name="b"', "", "x")}${end}`, "partHeader"],
    [`${part('name="a";\r\n filename="b"', "", "x")}${end}`, "partHeader"],
  ]) {
    assert.deepEqual(await told(await upload(body)), [400, ` ${keyword}`], body);
  }
  const whole = `${TITLE}${PHOTO}${end}`;
  for (const parameters of ["", "; boundary=xx; boundary=yy", "; boundary=xx; boundary=xx"]) {
    const answer = await post("/upload", whole, `multipart/form-data${parameters}`);
    assert.deepEqual(await told(answer), [400, " boundary"], parameters);
  }
});

test("several types have several schemas, and XML passes unread where it is opaque alone", async () => {
  for (const [path, type, body, status] of [
    ["/several", "application/json", '{"title":"a"}', 201],
    ["/several", "application/json", '{"title":1}', 422],
    ["/several", FORM, "title=1", 201],
    ["/several", "application/xml", '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///c">]><a>&b;</a>', 201],
    ["/several", "application/xml", "<".repeat(100), 413],
    ["/several", "text/xml", "<a/>", 415],
    ["/several", "multipart/form-data; boundary=xx", "x", 415],
    ["/open", "application/xml", "<a/>", 415],
    ["/open", "TEXT/XML;charset=utf-8", "<a/>", 415],
    ["/open", "image/svg+xml", "<a/>", 415],
    ["/open", "text/xml ;", "<a/>", 415],
    ["/open", "text/plain", "<a/>", 201],
    ["/tree", "application/xml", "<a/>", 415],
    ["/forms", "application/xml", "<a/>", 415],
  ]) {
    assert.equal((await post(path, body, type)).status, status, `${path} ${type}`);
  }
});

test("opaque content that comes in chunks is counted", async () => {
  const chunked = (bytes) => ({
    method: "POST",
    target: "/several",
    headers: ["Content-Type: application/xml", "Transfer-Encoding: chunked"],
    body: `${bytes.toString(16)}\r\n${"<".repeat(bytes)}\r\n0\r\n\r\n`,
  });
  for (const [bytes, status] of [[99, 201], [100, 413]]) {
    assert.equal((await send(gateway.url, chunked(bytes))).status, status, `${bytes}`);
  }
});

test("coded forms are refused, and coded content passes where nothing reads it", async () => {
  const coded = (path, type, body) =>
    gateway.fetch(path, { method: "POST", headers: { "content-type": type, "content-encoding": "gzip" }, body: gzipSync(body) });
  for (const [path, type, body, status] of [
    ["/forms", FORM, "title=a", 415],
    ["/upload", "multipart/form-data; boundary=xx", `${TITLE}${PHOTO}--xx--`, 415],
    ["/several", "application/json", '{"title":"a"}', 415],
    ["/several", "application/xml", "<a/>", 201],
    ["/open", "application/json", "{}", 201],
  ]) {
    assert.equal((await coded(path, type, body)).status, status, path);
  }
});

test("a tree is judged at every level, and told of with places", async () => {
  const tree = (levels, name) => (levels === 0 ? { name } : { name: "n", children: [tree(levels - 1, name)] });
  assert.equal((await json("/tree", tree(15, "leaf"))).status, 201);
  const place = `${"/children/0".repeat(15)}/name`;
  assert.deepEqual(await told(await json("/tree", tree(15, CANARY))), [422, `${place} maxLength`]);
  assert.deepEqual(await told(await json("/tree", tree(16, "leaf"))), [400, " maxDepth"]);
});

test("a schema of draft 4 is judged by draft 4, with formats asserted", async () => {
  for (const [body, found] of [
    [{ n: 4.9, at: "2026-01-01T00:00:00Z" }, [201]],
    [{ n: 5 }, [422, "/n exclusiveMaximum"]],
    [{ at: CANARY }, [422, "/at format"]],
  ]) {
    assert.deepEqual(await told(await json("/old", body)), found, JSON.stringify(body));
  }
});

test("the limits of JSON are the route's, on both sides", async () => {
  for (const [fit, beyond, rule] of [
    ["[[[1]]]", "[[[[1]]]]", " maxDepth"],
    ['{"a":1,"b":2}', '{"a":1,"b":2,"c":3}', "/c maxNames"],
    ["[[1,2,3],[4,5,6]]", "[[1,2,3],[4,5,6],[]]", " maxValues"],
    ["[1,2,3]", "[1,2,3,4]", " maxItems"],
    ['["abcd"]', '["abcde"]', "/0 maxBytes"],
    ['{"abcd":1}', '{"abcde":1}', " maxBytes"],
    ["12345", "123456", " maxDigits"],
    ["1.2e-10", "1.23e-100", " maxDigits"],
  ]) {
    assert.deepEqual(await told(await post("/small", fit, "application/json")), [201], fit);
    assert.deepEqual(await told(await post("/small", beyond, "application/json")), [400, rule], beyond);
  }
});

test("what a form held is neither in an answer nor in the log", async () => {
  for (const [path, type, body] of [
    ["/forms", FORM, `title=${CANARY}&count=${CANARY}&urgent=${CANARY}`],
    ["/forms", FORM, `title=${CANARY};%`],
    ["/upload", "multipart/form-data; boundary=xx", `${part('name="count"', "", CANARY)}--xx--`],
    ["/upload", "multipart/form-data; boundary=xx", `${part(`name="photo"; filename="${CANARY}"`, `image/${CANARY}`, CANARY)}--xx--`],
    ["/upload", `multipart/form-data; boundary=${CANARY}`, CANARY],
    ["/tree", "application/json", JSON.stringify({ name: CANARY, children: CANARY })],
  ]) {
    const answer = await post(path, body, type);
    assert.ok(answer.status >= 400, body);
    assert.equal(((await answer.clone().text()) + JSON.stringify([...answer.headers])).includes(CANARY), false, body);
    assert.ok(await gateway.decisionOf(answer));
  }
  assert.deepEqual(gateway.lines.filter(({ message }) => message.includes(CANARY)), []);
});

const post = (path, body, type) => gateway.fetch(path, { method: "POST", headers: { "content-type": type }, body });

const json = (path, body) => post(path, JSON.stringify(body), "application/json");

const upload = (body) => post("/upload", body, "multipart/form-data; boundary=xx");

function part(parameters, type, content) {
  const typed = type ? `\r\nContent-Type: ${type}` : "";
  return `--xx\r\nContent-Disposition: form-data; ${parameters}${typed}\r\n\r\n${content}\r\n`;
}

/** The status of an answer and its findings, sorted. */
async function told(answer) {
  const { errors = [] } = answer.status >= 400 ? await answer.json() : {};
  return [answer.status, ...errors.map(({ pointer, keyword }) => `${pointer} ${keyword}`).sort()];
}
