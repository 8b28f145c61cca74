// An OpenAPI document with what the gateway adds: who may call, what is charged, and the answers it gives itself.
import { bundled } from "./bundled.mjs";

const PROBLEM = "EdgewardProblem";
/** Answers of the gateway: their component, what they say, and when a route has them. */
const ANSWERS = {
  400: ["EdgewardBadRequest", "The request is malformed.", () => true],
  401: ["EdgewardUnauthorized", "No credential came, or none that is good.", (route) => route.auth !== "public"],
  403: ["EdgewardForbidden", "The caller may not do this.", (route) => Boolean(route.require ?? route.allow)],
  409: ["EdgewardConflict", "A request with this key is still being carried out.", (route) => Boolean(route.idempotency)],
  413: ["EdgewardTooLarge", "The content is too large.", takesContent],
  415: ["EdgewardMediaType", "The content is of a type that is not taken.", takesContent],
  422: ["EdgewardInvalid", "A parameter or the content does not meet its schema; `errors` names each place.", checks],
  429: ["EdgewardTooManyRequests", "A limit has no room for now.", (route) => (route.limits ?? []).length > 0],
  502: ["EdgewardInvalidAnswer", "What the API answered is not fit to be passed on.", () => true],
  503: ["EdgewardUnavailable", "The gateway or the API cannot answer for now.", () => true],
  504: ["EdgewardTimeout", "The API took too long.", () => true],
};
const LIMIT_HEADERS = {
  ratelimit: "What is left of each limit, and until when (IETF draft RateLimit).",
  "ratelimit-policy": "The limits that apply.",
};
const RETRY = { "retry-after": { description: "Seconds until it is worth to ask again.", schema: { type: "integer", minimum: 0 } } };

/**
 * - `files`: the documents under their paths, as places in `report` name them; the first is the one to give back.
 * - `policy`, `report`: what the gateway made of them.
 *
 * Gives one document, with what stands in other files brought in.
 */
export function exported(files, policy, report) {
  const { document, at } = bundled(files);
  const routes = new Map(policy.routes.map((route) => [route.id, route]));
  const used = { answers: new Set(), authenticators: new Set() };
  const told = new Set();
  // Two paths may lead to one place: the first that is free is the one that comes first.
  const next = (place) => {
    const operation = at(place).find((one) => !told.has(one));
    if (operation) told.add(operation);
    return operation;
  };
  for (const { id, place } of report.routed) {
    const operation = next(place);
    const route = routes.get(id);
    if (operation && route) describe(operation, route, policy, used);
  }
  for (const { place, problem } of report.left_out) {
    const operation = next(place);
    if (operation) operation["x-edgeward-not-routed"] = problem;
  }
  addComponents(document, policy, used);
  return document;
}

function describe(operation, route, policy, used) {
  const scopes = route.require?.scopes ?? [];
  operation.security = route.auth === "public" ? [] : route.auth.map((one) => ({ [one]: scopes }));
  if (route.auth !== "public") for (const one of route.auth) used.authenticators.add(one);
  const limits = (route.limits ?? []).map((one) => ({ name: one, ...policy.limits?.[one] }));
  if (limits.length > 0) operation["x-edgeward-limits"] = limits;
  operation.responses ??= {};
  for (const [status, [component, , applies]] of Object.entries(ANSWERS)) {
    // What the API says of itself stays: a caller meets both.
    if (!applies(route) || operation.responses[status] !== undefined) continue;
    operation.responses[status] = { $ref: `#/components/responses/${component}` };
    used.answers.add(status);
  }
}

function addComponents(document, policy, { answers, authenticators }) {
  const components = (document.components ??= {});
  components.schemas ??= {};
  components.schemas[PROBLEM] = problemSchema();
  components.responses ??= {};
  for (const status of answers) {
    const [component, description] = ANSWERS[status];
    const limited = Object.entries(status === "429" ? LIMIT_HEADERS : {});
    const headers = {
      ...(["429", "503"].includes(status) && RETRY),
      ...Object.fromEntries(limited.map(([field, text]) => [field, { description: text, schema: { type: "string" } }])),
    };
    components.responses[component] = {
      description,
      ...(Object.keys(headers).length > 0 && { headers }),
      content: { "application/problem+json": { schema: { $ref: `#/components/schemas/${PROBLEM}` } } },
    };
  }
  const schemes = [...authenticators].map((one) => [one, schemeOf(policy.authenticators?.[one] ?? {})]);
  if (schemes.length > 0) components.securitySchemes = { ...Object.fromEntries(schemes), ...components.securitySchemes };
}

function schemeOf({ kind, header = "x-api-key" }) {
  if (kind === "api_key") return { type: "apiKey", in: "header", name: header };
  if (kind === "client_certificate") return { type: "mutualTLS" };
  return { type: "http", scheme: "bearer", ...(kind === "jwt" && { bearerFormat: "JWT" }) };
}

/** RFC 9457, as the gateway writes it. */
function problemSchema() {
  const text = { type: "string" };
  const place = { type: "object", properties: { location: text, pointer: text, keyword: text, message: text, fix: text } };
  return {
    type: "object",
    description: "What is wrong with a request (RFC 9457).",
    required: ["type", "title", "status", "detail", "instance", "code"],
    properties: {
      type: text,
      title: text,
      status: { type: "integer" },
      detail: text,
      instance: text,
      code: text,
      errors: { type: "array", items: place },
    },
  };
}

function takesContent({ request = {} }) {
  return ["body", "bodies", "content_types", "opaque"].some((part) => request[part] !== undefined);
}

function checks({ request = {} }) {
  return ["body", "bodies", "query", "headers", "cookies", "path"].some((part) => request[part] !== undefined);
}
