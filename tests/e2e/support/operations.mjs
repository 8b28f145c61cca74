// One request for each operation of an OpenAPI document, from its examples; where it has none, made from its schemas.
import { headerText, multipart, pairs, pathText, urlencoded } from "./parameters.mjs";

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch"];
const DEPTH_MAX = 6;
const TEXTS = {
  "date-time": "2026-01-02T03:04:05Z",
  date: "2026-01-02",
  email: "ada@example.com",
  uuid: "fc2ce192-2818-4077-a788-c033f1024772",
  uri: "https://example.com/a",
  "uri-reference": "/a",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  hostname: "example.com",
};

/** Gives `{ id, method, path, headers, body }` for each operation. */
export function requestsOf(document) {
  const follow = (node) => {
    for (let hops = 0; node?.$ref !== undefined && hops < 16; hops += 1) {
      const parts = node.$ref.replace(/^#\//, "").split("/");
      node = parts.reduce((at, part) => at?.[decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")], document);
    }
    return node;
  };
  const sample = sampler(follow);
  return Object.entries(document.paths).flatMap(([template, item]) =>
    METHODS.filter((method) => item[method]).map((method) => requestOf(template, method, item, item[method])),
  );

  function requestOf(template, method, item, operation) {
    const parameters = [...(operation.parameters ?? []), ...(item.parameters ?? [])].map(follow);
    const query = [];
    const headers = {};
    const cookies = [];
    let path = template;
    for (const parameter of parameters) {
      const value = exampleOf(parameter) ?? filled(parameter.schema ?? {}, sample(parameter.schema ?? {}));
      if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, pathText(parameter, value));
      else if (parameter.required && parameter.in === "query") query.push(...pairs(parameter, value));
      else if (parameter.required && parameter.in === "header") headers[parameter.name] = headerText(parameter, value);
      else if (parameter.required && parameter.in === "cookie") cookies.push(`${parameter.name}=${value}`);
    }
    const search = query.length > 0 ? `?${new URLSearchParams(query)}` : "";
    if (cookies.length > 0) headers.cookie = cookies.join("; ");
    const request = { id: operation.operationId ?? `${method} ${template}`, method: method.toUpperCase(), path: path + search, headers };
    const content = follow(operation.requestBody)?.content ?? {};
    const type = Object.keys(content).find((name) => /^application\/(?:.*\+)?json$/.test(name)) ?? Object.keys(content)[0];
    if (type === undefined || method === "get" || method === "head") return request;
    const { schema = {}, encoding } = content[type];
    const sampled = () => (type.includes("form") ? filled(schema, sample(schema)) : sample(schema));
    const value = exampleOf(content[type]) ?? sampled();
    const fields = Object.fromEntries(Object.entries(Object(value)).filter(([, one]) => one !== undefined));
    const schemaOf = (name) => {
      const { items, ...rest } = follow(follow(schema).properties?.[name]) ?? {};
      return { ...rest, items: follow(items) };
    };
    const form =
      type === "multipart/form-data" ? multipart(fields, encoding, schemaOf)
      : type === "application/x-www-form-urlencoded" ? urlencoded(fields, encoding)
      : { type: type.includes("*") ? "application/octet-stream" : type, body: type.includes("json") ? JSON.stringify(value) : "x" };
    headers["content-type"] = form.type;
    request.body = form.body;
    return request;
  }

  /** An object in which nothing is required has every property: of none there is nothing to send. */
  function filled(schema, value) {
    if (typeof value !== "object" || value === null || Object.keys(value).length > 0) return value;
    const properties = Object.entries(follow(schema).properties ?? {});
    return Array.isArray(value) ? value : Object.fromEntries(properties.map(([name, one]) => [name, sample(one)]));
  }

  function exampleOf(node) {
    if (node.example !== undefined) return node.example;
    const [first] = Object.values(node.examples ?? {});
    return follow(first)?.value;
  }
}

/** A value that meets a schema, as far as that is easy to say. */
function sampler(follow) {
  return function sample(written, depth = 0) {
    const schema = follow(written) ?? {};
    if (schema.example !== undefined) return schema.example;
    if (schema.examples?.[0] !== undefined) return schema.examples[0];
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return schema.enum[0];
    if (schema.default !== undefined && schema.default !== null) return schema.default;
    if (schema.allOf) return merged([...schema.allOf.map((one) => sample(one, depth + 1)), own(schema, depth)]);
    const branches = schema.oneOf ?? schema.anyOf;
    if (branches) return merged([sample(branches[0], depth + 1), own(schema, depth)]);
    return own(schema, depth);
  };

  function own(schema, depth) {
    const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== "null") : schema.type;
    if (type === "object" || schema.properties) return members(schema, depth);
    if (type === "array") {
      const count = depth > DEPTH_MAX ? 0 : Math.max(schema.minItems ?? 0, 1);
      return Array.from({ length: count }, () => sampler(follow)(schema.items ?? {}, depth + 1));
    }
    if (type === "integer" || type === "number") return Math.max(schema.minimum ?? 1, 1);
    if (type === "boolean") return true;
    if (type === "string") return (TEXTS[schema.format] ?? "a").padEnd(schema.minLength ?? 0, "a");
    return depth === 0 ? {} : "a";
  }

  function members(schema, depth) {
    const wanted = (schema.required ?? []).filter((name) => {
      const property = schema.properties?.[name];
      return property !== undefined && follow(property)?.readOnly !== true && depth <= DEPTH_MAX;
    });
    return Object.fromEntries(wanted.map((name) => [name, sampler(follow)(schema.properties[name], depth + 1)]));
  }
}

function merged(values) {
  const objects = values.filter((value) => typeof value === "object" && value !== null && !Array.isArray(value));
  return objects.length > 1 || objects.length === values.length ? Object.assign({}, ...objects) : values[0];
}
