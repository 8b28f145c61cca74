// What a user would write instead of Edgeward: Hono, jose, @cfworker/json-schema and a Durable Object. It is meant to
// be good: everything that can be made once is made once, and every check that the policy asks for is there.
import { Validator } from "@cfworker/json-schema";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { createLocalJWKSet, jwtVerify } from "jose";

const BODY_BYTES_MAX = 1_048_576;
/** Of a caller: none reaches the origin as it came. */
const NOT_PASSED_ON = ["authorization", "cookie", "x-user-id", "x-user-scopes", "x-forwarded-for", "x-forwarded-host"];

/**
 * The app for one policy.
 *
 * - `config`: `{ issuer, audience, jwks, scope, limit, windowMs, schema, origin }`.
 */
export function makeApp(config) {
  const keys = createLocalJWKSet(config.jwks);
  const validator = new Validator(config.schema, "2020-12");
  const app = new Hono();

  const authenticate = async (c, next) => {
    const [scheme, token] = (c.req.header("authorization") ?? "").split(" ");
    if (scheme.toLowerCase() !== "bearer" || !token) throw problem(401, "credential-missing", { "www-authenticate": "Bearer" });
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: config.issuer,
        audience: config.audience,
        algorithms: ["RS256"],
        requiredClaims: ["sub", "exp", "iat"],
        maxTokenAge: "15m",
        clockTolerance: 30,
      });
      c.set("caller", payload);
    } catch {
      throw problem(401, "credential-invalid", { "www-authenticate": 'Bearer error="invalid_token"' });
    }
    await next();
  };

  const limit = async (c, next) => {
    const counter = c.env.COUNTER.getByName(`${config.issuer} ${c.get("caller").sub}`);
    const { admitted, remaining, retryAfterS } = await counter.hit(config.limit, config.windowMs);
    if (!admitted) throw problem(429, "quota-exceeded", { "retry-after": String(retryAfterS) });
    await next();
    c.header("ratelimit", `"minute";r=${remaining}`);
  };

  const authorize = async (c, next) => {
    const scopes = String(c.get("caller").scope ?? "").split(" ");
    if (!scopes.includes(config.scope)) throw problem(403, "scope-missing");
    await next();
  };

  const validate = async (c, next) => {
    const [type] = (c.req.header("content-type") ?? "").split(";");
    if (type.trim().toLowerCase() !== "application/json") throw problem(415, "content-type");
    let text;
    let body;
    try {
      text = await c.req.text();
      body = JSON.parse(text);
    } catch {
      throw problem(400, "malformed");
    }
    if (!validator.validate(body).valid) throw problem(422, "schema-violation");
    c.set("text", text);
    await next();
  };

  app.use(async (c, next) => {
    const requestId = crypto.randomUUID();
    c.set("requestId", requestId);
    await next();
    c.header("x-request-id", requestId);
    c.header("x-content-type-options", "nosniff");
    c.header("strict-transport-security", "max-age=31536000; includeSubDomains");
  });
  const tooLarge = () => {
    throw problem(413, "too-large");
  };
  app.post("/v1/orders", authenticate, limit, authorize, bodyLimit({ maxSize: BODY_BYTES_MAX, onError: tooLarge }), validate, (c) =>
    proxy(c, config.origin),
  );
  app.notFound(() => problem(404, "not-found").getResponse());
  app.onError((error) => (error instanceof HTTPException ? error.getResponse() : problem(500, "failed").getResponse()));
  return app;
}

async function proxy(c, origin) {
  const { sub, scope } = c.get("caller");
  const headers = new Headers(c.req.raw.headers);
  for (const name of NOT_PASSED_ON) headers.delete(name);
  headers.delete("content-length");
  headers.set("x-user-id", sub);
  headers.set("x-user-scopes", scope);
  headers.set("x-request-id", c.get("requestId"));
  const url = new URL(c.req.url);
  const target = origin + url.pathname + url.search;
  try {
    const answer = await fetch(target, { method: c.req.method, headers, body: c.get("text"), redirect: "manual" });
    // A copy whose headers can be added to.
    return new Response(answer.body, answer);
  } catch {
    throw problem(503, "origin-unavailable");
  }
}

function problem(status, code, headers = {}) {
  const res = new Response(JSON.stringify({ type: `/problems/${code}`, status, code }), {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
  return new HTTPException(status, { res });
}
