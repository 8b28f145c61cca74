// The admin API as it is described: finds the operation of a request and judges requests and answers by their schemas.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Validator } from "@cfworker/json-schema";
import { root } from "../../../scripts/place.mjs";

export const schemaFile = (name) => JSON.parse(readFileSync(join(root, "schemas", name), "utf8"));

export const api = schemaFile("admin.openapi.json");

const BASE = "/.edgeward";
const METHODS = ["get", "put", "post", "delete", "patch"];

/** Every operation: `{ path, method, parameters, ...operation }`. */
export const operations = Object.entries(api.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => ({
    ...item[method],
    path,
    method: method.toUpperCase(),
    parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map(resolved),
  })),
);

/** What `reference` points at, if it is one. */
export function resolved(value) {
  if (value?.$ref === undefined) return value;
  return value.$ref
    .slice(2)
    .split("/")
    .reduce((node, name) => node?.[name], api);
}

/** What does not meet `schema`, as texts; empty where all does. */
export function faults(schema, value) {
  const here = (part) => JSON.parse(JSON.stringify(part).replaceAll("#/components/schemas/", "#/$defs/"));
  const whole = { ...here(schema), $defs: here(api.components.schemas) };
  const { errors } = new Validator(whole, "2020-12", false).validate(value);
  return errors.map(({ instanceLocation, error }) => `${instanceLocation} ${error}`);
}

/** The operation of a request line and the values of its path: `{ operation, values }`, or `null`. */
export function operationOf(method, pathname) {
  for (const operation of operations) {
    const names = [];
    const pattern = operation.path.replace(/\{(\w+)\}/g, (_, name) => names.push(name) && "([^/]+)");
    const found = operation.method === method && new RegExp(`^${BASE}${pattern}$`).exec(pathname);
    if (found) {
      const values = Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(found[index + 1])]));
      return { operation, values };
    }
  }
  return null;
}

/** What is wrong in a request: texts. - `body`: its content as text. */
export function requestFaults({ operation, values, query, headers, body }) {
  const wrong = [];
  const known = operation.parameters.filter((parameter) => parameter.in === "query");
  for (const [name, text] of query) {
    const parameter = known.find((one) => one.name === name);
    if (!parameter) wrong.push(`query ${name} is unknown`);
    else wrong.push(...faults(parameter.schema, parameter.schema.type === "integer" ? Number(text) : text));
  }
  for (const { name, schema } of operation.parameters.filter((parameter) => parameter.in === "path")) {
    wrong.push(...faults(schema, values[name]));
  }
  if (!operation.requestBody) return body === "" ? wrong : [...wrong, "there is a body"];
  if (headers["content-type"] !== "application/json") return [...wrong, `content-type ${headers["content-type"]}`];
  return [...wrong, ...faults(operation.requestBody.content["application/json"].schema, parsed(body))];
}

/** What is wrong in an answer: texts. */
export function answerFaults(operation, { status, body, type }) {
  const response = resolved(operation.responses[status]);
  if (!response) return [`${operation.operationId} does not answer ${status}`];
  const content = response.content[type];
  return content ? faults(content.schema, body) : [`${status} does not come as ${type}`];
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
