// Calls of the admin API, as schemas/admin.openapi.json describes it. Nothing here is unbounded: not the time of a
// call, not the size of an answer. No redirect is followed, for it would carry the key to another place.
import { Failure, Refused } from "./failure.mjs";
import { gatewayOf } from "./gateway.mjs";

export const CALL_TIMEOUT_S = 30;
/** A page of 200 records, each as large as records may be, and room beside it. */
export const ANSWER_BYTES_MAX = 16 * 1_048_576;

const WRONG_GATEWAY = "Look whether --url names an Edgeward gateway, and of this version.";

export class AdminApi {
  #url;
  #key;
  #timeout_ms;

  /** - `flags`: `url` and `timeout` (seconds). - `env`: with the key. */
  constructor(flags, env) {
    const { url, key } = gatewayOf(flags, env);
    this.#url = url;
    this.#key = key;
    this.#timeout_ms = (flags.timeout ?? CALL_TIMEOUT_S) * 1_000;
  }

  get(path, shape, query = {}) {
    return this.#call("GET", path, { query, shape });
  }

  post(path, shape, body) {
    return this.#call("POST", path, { content: JSON.stringify(body), shape });
  }

  /** Sends bytes of JSON as they are: parsing them here would hide a member that stands twice. */
  postAsIs(path, shape, content) {
    return this.#call("POST", path, { content, shape });
  }

  /**
   * - `path`: its segments below `/.edgeward/`.
   * - `shape`: the members that the answer must have, each with the name of its type.
   */
  async #call(method, path, { query = {}, content, shape }) {
    const url = new URL(`/.edgeward/${path.map(encodeURIComponent).join("/")}`, this.#url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const headers = { accept: "application/json, application/problem+json", authorization: `Bearer ${this.#key}` };
    if (content !== undefined) headers["content-type"] = "application/json";
    const signal = AbortSignal.timeout(this.#timeout_ms);
    try {
      const response = await fetch(url, { method, headers, body: content, redirect: "manual", signal });
      return await read(response, shape);
    } catch (error) {
      throw error instanceof Failure ? error : this.#unreachable(error);
    }
  }

  #unreachable(error) {
    const { origin } = this.#url;
    if (error.name === "TimeoutError") {
      const within = `within ${this.#timeout_ms / 1_000} s`;
      const fix =
        "Ask again, or with a longer --timeout. A change may have been made all the same: look before you repeat it.";
      return new Failure(`${origin} did not answer ${within}`, fix);
    }
    const reason = error.cause?.code ?? error.cause?.message ?? error.message;
    return new Failure(
      `${origin} cannot be reached: ${reason}`,
      "Look at --url; the local gateway is started by `npm start`.",
    );
  }
}

async function read(response, shape) {
  const { status } = response;
  if (status >= 300 && status < 400) {
    await response.body?.cancel();
    throw new Failure(
      `the gateway answered with a redirect (${status}), which is not followed`,
      "Give --url the address that answers itself.",
    );
  }
  const text = await bounded(response);
  const document = /^application\/(?:problem\+)?json\b/i.test(response.headers.get("content-type") ?? "")
    ? parsed(text)
    : null;
  if (!response.ok) throw refusal(status, document);
  const isWhole = isObject(document) && Object.entries(shape).every(([name, type]) => typeOf(document[name], type));
  if (!isWhole) throw new Failure(`the answer (${status}) is not one of the admin API`, WRONG_GATEWAY);
  return document;
}

/** The whole content as text; a `Failure` beyond the bound. */
async function bounded(response) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) {
      throw new Failure(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`, WRONG_GATEWAY);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function refusal(status, document) {
  if (!isObject(document) || typeof document.code !== "string") {
    return new Failure(`the answer is ${status}, without a problem document`, WRONG_GATEWAY);
  }
  return new Refused(
    document,
    FIXES[status] ?? (status >= 500 ? "Ask again in a while." : "Correct what is named, then ask again."),
  );
}

const FIXES = {
  401: "The gateway does not know this admin key: look at EDGEWARD_ADMIN_KEY, and at the gateway it is for.",
  403: "This key may not do that: use the root admin key, or one with edgeward:read, edgeward:keys, edgeward:policy or edgeward:admin.",
  404: "There is no such key; or the admin API is off, until ADMIN_KEY_HASH is bound: see `edgeward init`.",
  426: "Use https, or set transport.https_only to false in the policy of a local gateway.",
  429: "Ask again in a while.",
};

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** - `type`: a name as `typeof` gives it, or `array`; `object?` and the like allow null. */
function typeOf(value, type) {
  if (type.endsWith("?")) return value === null || typeOf(value, type.slice(0, -1));
  if (type === "array") return Array.isArray(value);
  return type === "object" ? isObject(value) : typeof value === type;
}
