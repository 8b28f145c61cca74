// The admin API, asked by a test: a root key made for it, and calls with it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { makeKey } from "../../../examples/demo/keys.mjs";

/** A root key and the hash to bind: `{ text, vars }`. */
export function rootKey() {
  const { text } = makeKey({ prefix: "ewadmin", environment: "live" });
  const hash = createHash("sha256").update(text).digest("base64url");
  return { text, vars: { ADMIN_KEY_HASH: hash } };
}

/** Calls with `key`: `call(path, body)` posts a body, or gets without one; fails unless `status` is answered. */
export function adminOf(fetch, key, base = "https://gateway.test") {
  return async function call(path, body, status) {
    const headers = { authorization: `Bearer ${key}`, "cf-connecting-ip": "192.0.2.250" };
    const init = { headers };
    if (body !== undefined) {
      init.method = "POST";
      init.body = JSON.stringify(body);
      headers["content-type"] = "application/json";
    }
    const answer = await fetch(`${base}/.edgeward/${path}`, init);
    const document = await answer.json();
    const expected = status ?? (body === undefined || /revoke|check/.test(path) ? 200 : 201);
    assert.equal(answer.status, expected, `${path}: ${JSON.stringify(document)}`);
    return document;
  };
}
