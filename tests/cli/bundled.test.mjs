// OpenAPI documents in several files as one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bundled } from "../../cli/bundled.mjs";

const FILES = {
  "api/openapi.yaml": {
    openapi: "3.1.0",
    paths: {
      "/pets": { $ref: "paths/pets.yaml#/all" },
      "/other": { get: { responses: { 200: { $ref: "../shared.json#/answers/Ok" } } } },
      "/again": { $ref: "paths/pets.yaml#/all" },
    },
    components: { schemas: { Pet: { type: "string" }, Own: { $ref: "paths/pets.yaml#/Pet" } } },
  },
  "api/paths/pets.yaml": {
    all: {
      parameters: [{ $ref: "../../shared.json#/limit" }],
      post: {
        requestBody: { content: { "application/json": { schema: { $ref: "#/Pet" } } } },
        responses: { 200: { description: "a", content: { "application/json": { schema: { $ref: "../openapi.yaml#/components/schemas/Pet" } } } } },
        callbacks: { done: { "{$url}": { $ref: "#/call" } } },
      },
    },
    call: { post: { responses: { 200: { $ref: "../../shared.json#/answers/Ok" } } } },
    Pet: {
      discriminator: { propertyName: "kind", mapping: { feline: "cat.yaml" } },
      oneOf: [{ $ref: "cat.yaml" }, { $ref: "dog.yaml" }],
      properties: {
        parent: { $ref: "#/Pet" },
        headers: { items: { $ref: "cat.yaml" } },
        example: { $ref: "dog.yaml" },
        default: { const: { $ref: "dog.yaml" } },
      },
    },
  },
  "api/paths/cat.yaml": { type: "object" },
  "api/paths/dog.yaml": { anyOf: [{ $ref: "pets.yaml#/Pet" }, { $ref: "gone.yaml" }, { $ref: "https://example.com/a" }] },
  "shared.json": {
    limit: { name: "limit", in: "query", schema: { $ref: "#/size" } },
    size: { type: "integer" },
    answers: { Ok: { description: "fine", headers: { x: { $ref: "#/x" } } } },
    x: { schema: { $ref: "#/size" } },
  },
};

test("what other files say is brought in by its kind, once, and everything leads somewhere", () => {
  const before = structuredClone(FILES);
  const { document, at } = bundled(FILES);
  assert.deepEqual(FILES, before);
  const { paths, components } = document;
  assert.deepEqual(paths["/pets"].parameters, [{ $ref: "#/components/parameters/limit" }]);
  const { post } = paths["/pets"];
  assert.deepEqual(post.requestBody.content["application/json"].schema, { $ref: "#/components/schemas/Pet_2" });
  assert.deepEqual(post.responses[200].content["application/json"].schema, { $ref: "#/components/schemas/Pet" });
  assert.deepEqual(post.callbacks.done["{$url}"].post.responses[200], { $ref: "#/components/responses/Ok" });
  assert.deepEqual(components, {
    schemas: {
      Pet: { type: "string" },
      Own: { $ref: "#/components/schemas/Pet_2" },
      size: { type: "integer" },
      Pet_2: {
        discriminator: {
          propertyName: "kind",
          mapping: { feline: "#/components/schemas/cat", "dog.yaml": "#/components/schemas/dog" },
        },
        oneOf: [{ $ref: "#/components/schemas/cat" }, { $ref: "#/components/schemas/dog" }],
        properties: {
          parent: { $ref: "#/components/schemas/Pet_2" },
          headers: { items: { $ref: "#/components/schemas/cat" } },
          example: { $ref: "#/components/schemas/dog" },
          default: { const: { $ref: "dog.yaml" } },
        },
      },
      cat: { type: "object" },
      dog: { anyOf: [{ $ref: "#/components/schemas/Pet_2" }, { $ref: "gone.yaml" }, { $ref: "https://example.com/a" }] },
    },
    parameters: { limit: { name: "limit", in: "query", schema: { $ref: "#/components/schemas/size" } } },
    headers: { x: { schema: { $ref: "#/components/schemas/size" } } },
    responses: { Ok: { description: "fine", headers: { x: { $ref: "#/components/headers/x" } } } },
  });
  assert.deepEqual(at("api/paths/pets.yaml#/all/post"), [paths["/pets"].post, paths["/again"].post]);
  assert.deepEqual(at("api/openapi.yaml#/paths/~1other/get"), [paths["/other"].get]);
  assert.deepEqual(at("api/openapi.yaml#/paths/~1pets/post"), []);
});

test("path items that lead to each other without end, and names that objects have anyway, do no harm", () => {
  const files = {
    "a.json": { paths: { "/a": { $ref: "b.json" } }, components: { schemas: { A: { $ref: "b.json#/__proto__" } } } },
    "b.json": JSON.parse('{ "$ref": "c.json", "__proto__": { "type": "string" } }'),
    "c.json": { $ref: "b.json" },
  };
  const { document } = bundled(files);
  assert.deepEqual(document.components.schemas.A, { $ref: "#/components/schemas/proto__" });
  assert.deepEqual(document.components.schemas.proto__, { type: "string" });
});
