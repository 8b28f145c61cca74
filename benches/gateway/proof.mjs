// Nothing is bought with a check: before a variant is measured, it shows that it makes every one of them.
import { BAD_BODY, GOOD_BODY, PATH } from "./policy.mjs";

/** What each caller sends along who lies about itself. */
const LIES = { "x-user-id": "somebody-else", "edgeward-identity": "somebody-else" };

/** A call as `ask` and `load` take it. */
export const callOf = (front, token, body = GOOD_BODY) => ({
  path: PATH,
  headers: { ...front, "content-type": "application/json", authorization: `Bearer ${token}` },
  body,
});

/** Throws unless `worker` refuses a bad token and bad content, and lets good ones through. */
export async function proveRefusals(worker, front, token) {
  const [head, claims, signature] = token.split(".");
  const other = signature.startsWith("A") ? "B" : "A";
  const forged = [head, claims, other + signature.slice(1)].join(".");
  await expect(worker, "a good request", callOf(front, token), [200]);
  await expect(worker, "a forged token", callOf(front, forged), [401]);
  await expect(worker, "no token", { ...callOf(front, token), headers: { ...front, "content-type": "application/json" } }, [401]);
  await expect(worker, "bad content", callOf(front, token, BAD_BODY), [400, 422]);
  await expect(worker, "content that is no JSON", callOf(front, token, "{"), [400]);
  await expect(worker, "an unknown path", { ...callOf(front, token), path: "/v1/other" }, [404]);
}

/** Throws unless `worker`, started with `limit`, lets exactly so many through. */
export async function proveLimit(worker, front, token, limit) {
  const call = callOf(front, token);
  await worker.firstAnswer({ ...call, path: "/v1/other" }, 404);
  for (let sent = 0; sent < limit; sent += 1) await expect(worker, `request ${sent + 1} of ${limit}`, call, [200]);
  await expect(worker, "one request over the limit", call, [429]);
}

/**
 * Throws unless the origin hears who calls from `worker` alone, and never sees the credential.
 * - `tells`: by the member of the origin's answer (`user`, `statement`), what it has to match.
 */
export async function proveIdentity(worker, front, token, tells) {
  const call = callOf(front, token);
  const { text } = await worker.ask({ ...call, headers: { ...call.headers, ...LIES, "x-bench-echo": "1" } });
  const seen = JSON.parse(text);
  for (const [member, form] of Object.entries({ credential: /^$/, ...tells })) {
    if (!form.test(seen[member])) throw new Error(`the origin was told, as ${member}: ${seen[member]}`);
  }
}

async function expect(worker, what, call, statuses) {
  const { status, text } = await worker.ask(call);
  if (!statuses.includes(status)) throw new Error(`${what} was answered ${status}, not ${statuses.join(" or ")}: ${text}`);
}
