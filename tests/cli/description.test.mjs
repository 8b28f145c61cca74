// schemas/admin.openapi.json: that it is whole, and that it agrees with the other schemas.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, faults, operations, resolved, schemaFile } from "./support/contract.mjs";

test("every operation is there, with the scope it needs", () => {
  const told = operations.map(({ method, path, operationId, ...more }) => [
    `${method} ${path}`,
    operationId,
    more["x-edgeward-scope"],
  ]);
  assert.deepEqual(told, [
    ["GET /status", "readStatus", "edgeward:read"],
    ["GET /keys", "listKeys", "edgeward:read"],
    ["POST /keys", "createKey", "edgeward:keys"],
    ["GET /keys/{id}", "showKey", "edgeward:read"],
    ["POST /keys/{id}/rotate", "rotateKey", "edgeward:keys"],
    ["POST /keys/{id}/limits", "limitKey", "edgeward:keys"],
    ["POST /keys/{id}/revoke", "revokeKey", "edgeward:keys"],
    ["POST /tokens/revoke", "revokeTokens", "edgeward:keys"],
    ["POST /policy/check", "checkPolicy", "edgeward:policy"],
    ["POST /policy/import", "importPolicy", "edgeward:policy"],
  ]);
});

test("every operation asks for a key and tells what it refuses as a problem", () => {
  for (const { operationId, security, responses } of operations) {
    assert.deepEqual(security, [{ adminKey: [] }], operationId);
    for (const status of ["401", "403", "404", "503"]) assert.ok(responses[status], `${operationId} ${status}`);
    for (const [status, response] of Object.entries(responses)) {
      const type = status < "400" ? "application/json" : "application/problem+json";
      assert.deepEqual(Object.keys(resolved(response).content), [type], `${operationId} ${status}`);
    }
  }
});

test("every reference leads somewhere, and every schema, property and parameter says what it is", () => {
  const silent = [];
  walk(api, "#", (node, place) => {
    if (node.$ref) assert.ok(resolved(node), `${place} leads to ${node.$ref}`);
    const named = /\/(?:properties|parameters|headers|responses|schemas)\/[^/]+$/.test(place);
    if (named && !resolved(node).description && !node.description) silent.push(place);
  });
  assert.deepEqual(silent, []);
});

test("objects are closed, so that a member nobody knows is refused", () => {
  const open = [];
  walk(api.components.schemas, "#", (node, place) => {
    const isObject = [node.type].flat().includes("object");
    if (isObject && node.properties && node.additionalProperties !== false) open.push(place);
  });
  assert.deepEqual(open, []);
});

test("a record holds what a stored one holds, less its hash, by the same rules", () => {
  const stored = schemaFile("key-record.schema.json");
  const { properties } = api.components.schemas.Record;
  const names = Object.keys(stored.properties).filter((name) => name !== "hash");
  assert.deepEqual(
    Object.keys(properties)
      .filter((name) => name !== "authenticator")
      .sort(),
    names.filter((name) => name !== "authenticator").sort(),
  );
  for (const { hash, ...example } of stored.examples) {
    assert.deepEqual(faults(api.components.schemas.Record, example), []);
    assert.notDeepEqual(faults(api.components.schemas.Record, { ...example, hash }), []);
  }
  for (const [name, ours] of [
    ["scopes", "Scopes"],
    ["cidrs", "Networks"],
    ["expires_at", "End"],
  ]) {
    assert.deepEqual(ruled(api.components.schemas[ours]), ruled(stored.properties[name]), name);
  }
  for (const name of ["KeyId", "Name", "Text", "Instant", "OwnLimit"]) {
    assert.deepEqual(ruled(api.components.schemas[name]), ruled(stored.$defs[name]), name);
  }
});

test("a problem is what the gateway's problems are everywhere", () => {
  const { $schema, $id, title, examples, $defs, ...stored } = schemaFile("problem.schema.json");
  const renamed = JSON.parse(JSON.stringify(stored).replaceAll("#/$defs/Error", "#/components/schemas/ProblemError"));
  assert.deepEqual(api.components.schemas.Problem, renamed);
  assert.deepEqual(api.components.schemas.ProblemError, $defs.Error);
});

test("a revocation takes one form and no mix", () => {
  const verdict = (body) => faults(api.components.schemas.Revocation, body).length === 0;
  const good = [
    { jti: "t1" },
    { jti: "t1", subject: "ada", expires_at: 1, authenticator: "accounts" },
    { subject: "ada" },
    { subject: "ada", issued_before: 1 },
    { subject: "ada", version_below: 3 },
    { every: true },
    { every: true, issued_before: 1 },
  ];
  const bad = [
    {},
    { every: false },
    { every: true, subject: "ada" },
    { jti: "t1", every: true },
    { jti: "t1", issued_before: 1 },
    { subject: "ada", version_below: 3, issued_before: 1 },
    { version_below: 3 },
    { subject: "ada", since: 1 },
  ];
  assert.deepEqual([good.filter((body) => !verdict(body)), bad.filter(verdict)], [[], []]);
});

/** A schema without its words. */
function ruled(schema) {
  return JSON.parse(
    JSON.stringify(schema, (name, value) => (name === "description" || name === "$ref" ? undefined : value)),
  );
}

function walk(node, place, visit) {
  if (typeof node !== "object" || node === null) return;
  visit(node, place);
  for (const [name, value] of Object.entries(node)) walk(value, `${place}/${name.replaceAll("/", "~1")}`, visit);
}
