// The OpenAPI documents of a policy that is served here: a worker of its own imports them, once, and goes.
import { Log, LogLevel, Miniflare } from "miniflare";
import { adminKeyHash, makeAdminKey } from "../../cli/admin-key.mjs";
import { AdminApi } from "../../cli/api.mjs";
import { bundleOf } from "../../cli/documents.mjs";
import { Failure } from "../../cli/failure.mjs";
import { KEY_VARIABLE } from "../../cli/gateway.mjs";
import { IMPORTED, reportLines } from "../../cli/imported.mjs";
import { faultLines } from "../../cli/text.mjs";
import { say } from "../progress.mjs";
import { wrong } from "./flags.mjs";
import { workerOptions } from "./worker.mjs";

const TIMEOUT_S = 120;

/**
 * Gives `{ policy, files }`: the policy with its documents imported, and the files that were read; without `openapi`
 * the policy as it is. Throws a `Hint` where nothing can be made of them.
 *
 * - `policy`: as read from `policyFile`, or `null`. - `folder`: the build that imports.
 */
export async function withDocuments(policy, policyFile, folder) {
  if (typeof policy?.openapi !== "string" || !policyFile) return { policy, files: [] };
  try {
    const { content, files } = bundleOf(policyFile, JSON.stringify(policy), policy.openapi);
    const answer = await imported(content, folder);
    for (const line of reportLines(answer.report)) say(line);
    if (answer.policy === null) throw wrong(faultLines(answer.faults).join("\n"), "");
    return { policy: answer.policy, files };
  } catch (error) {
    throw error instanceof Failure ? wrong(error.lines.join("\n"), "") : error;
  }
}

async function imported(content, folder) {
  const key = makeAdminKey();
  // No secret but its own key: whether the policy loads is the gateway's to say that serves it.
  const vars = { ADMIN_KEY_HASH: adminKeyHash(key), EDGEWARD_LOOPBACK_LISTENER: "1" };
  const miniflare = new Miniflare({ ...workerOptions({ folder, vars, onLog: () => {} }), log: new Log(LogLevel.NONE) });
  try {
    const url = await miniflare.ready;
    const api = new AdminApi({ url: url.origin, timeout: TIMEOUT_S }, { [KEY_VARIABLE]: key });
    return await api.postAsIs(["policy", "import"], IMPORTED, content);
  } finally {
    await miniflare.dispose();
  }
}
