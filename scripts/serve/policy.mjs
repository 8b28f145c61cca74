// The policy that a local gateway serves: from a file or from the demo, with the origins of the command line.
import { unwatchFile, watchFile } from "node:fs";
import { say } from "../progress.mjs";
import { withDocuments } from "./documents.mjs";
import { jsonObject, wrong } from "./flags.mjs";

const KEY = "policy/active";
const LOOK_MS = 300;

/** The policy to begin with, or `null` where none was given and what KV holds is served. */
export function firstPolicy({ policyFile, origins }, demo) {
  const policy = policyFile ? jsonObject("--policy", policyFile) : (demo?.policy ?? null);
  if (policy === null && Object.keys(origins).length > 0) throw wrong("--origin needs a policy");
  return policy && withOrigins(policy, origins);
}

export const putPolicy = (store, policy) => store.put(KEY, JSON.stringify(policy));

/**
 * Puts the policy into `store` again whenever its file or one of its documents changes; gives a function that ends
 * this.
 *
 * - `documents`: the files that were read beside it so far. - `folder`: the build that imports them.
 */
export function followPolicy({ policyFile, origins }, store, documents, folder) {
  const watched = new Set();
  const again = async () => {
    try {
      const written = withOrigins(jsonObject("--policy", policyFile), origins);
      const { policy, files } = await withDocuments(written, policyFile, folder);
      await putPolicy(store, policy);
      follow(files);
      say(`policy read again: ${policyFile}`);
    } catch (error) {
      say(`the policy before is kept: ${error.message}`);
    }
  };
  // By looking, not by events: editors replace a file as often as they write to it.
  const follow = (files) => {
    for (const file of files) {
      if (!watched.has(file)) watchFile(file, { interval: LOOK_MS }, again);
      watched.add(file);
    }
  };
  follow([policyFile, ...documents]);
  return () => watched.forEach((file) => unwatchFile(file, again));
}

/** An address in the place of the policy's is reached as it is: not by a binding, and with no certificate. */
function withOrigins(policy, origins) {
  const known = policy.origins ?? {};
  const changed = Object.entries(origins).map(([name, url]) => {
    if (!(name in known)) throw wrong(`--origin ${name}: the policy's origins are ${Object.keys(known).join(", ")}`, "");
    const { service_binding, client_certificate_binding, ...rest } = known[name];
    return [name, { ...rest, url }];
  });
  return { ...policy, origins: { ...known, ...Object.fromEntries(changed) } };
}
