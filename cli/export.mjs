// An OpenAPI document with what the gateway adds: who may call, what is charged, and the answers it gives itself.

const PROBLEM = "EdgewardProblem";
/** Answers of the gateway: their component, what they say, and when a route has them. */
const ANSWERS = {
  400: ["EdgewardBadRequest", "The request is malformed.", () => true],
  401: ["EdgewardUnauthorized", "No credential came, or none that is good.", (route) => route.auth !== "public"],
  403: ["EdgewardForbidden", "The caller may not do this.", (route) => Boolean(route.require ?? route.allow)],
  413: ["EdgewardTooLarge", "The content is too large.", takesContent],
  415: ["EdgewardMediaType", "The content is of a type that is not taken.", takesContent],
  422: ["EdgewardInvalid", "A parameter or the content does not meet its schema; `errors` names each place.", checks],
  429: ["EdgewardTooManyRequests", "A limit has no room for now.", (route) => (route.limits ?? []).length > 0],
  503: ["EdgewardUnavailable", "The gateway or the API cannot answer for now.", () => true],
};
const LIMIT_HEADERS = {
  ratelimit: "What is left of each limit, and until when (IETF draft RateLimit).",
  "ratelimit-policy": "The limits that apply.",
};
const RETRY = { "retry-after": { description: "Seconds until it is worth to ask again.", schema: { type: "integer", minimum: 0 } } };

/**
 * - `name`: the document's file, as places in `report` name it.
 * - `policy`, `report`: what the gateway made of it.
 *
 * Gives the document; `document` itself is changed. Operations that stand in other files are left as they are.
 */
export function exported(name, document, policy, report) {
  const routes = new Map(policy.routes.map((route) => [route.id, route]));
  const used = { answers: new Set(), authenticators: new Set() };
  for (const { id, place } of report.routed) {
    const operation = at(name, document, place);
    const route = routes.get(id);
    if (operation && route) describe(operation, route, policy, used);
  }
  for (const { place, problem } of report.left_out) {
    const operation = at(name, document, place);
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
  return request.body !== undefined || request.content_types !== undefined;
}

function checks({ request = {} }) {
  return ["body", "query", "headers", "path"].some((part) => request[part] !== undefined);
}

/** What stands at a place; `undefined` where that is in another file. */
function at(name, document, place) {
  const [file, pointer] = place.split("#");
  if (file !== name) return undefined;
  const parts = pointer.split("/").slice(1);
  return parts.reduce((node, part) => node?.[part.replaceAll("~1", "/").replaceAll("~0", "~")], document);
}
