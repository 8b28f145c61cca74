// The policy that a local gateway serves: from a file or from the demo, with the origins of the command line.
import { unwatchFile, watchFile } from "node:fs";
import { say } from "../progress.mjs";
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

/** Puts the policy into `store` again whenever its file changes; gives a function that ends this. */
export function followPolicy({ policyFile, origins }, store) {
  const again = async () => {
    try {
      await putPolicy(store, withOrigins(jsonObject("--policy", policyFile), origins));
      say(`policy read again: ${policyFile}`);
    } catch (error) {
      say(`the policy before is kept: ${error.message}`);
    }
  };
  // By looking, not by events: editors replace a file as often as they write to it.
  watchFile(policyFile, { interval: LOOK_MS }, again);
  return () => unwatchFile(policyFile, again);
}

function withOrigins(policy, origins) {
  const known = policy.origins ?? {};
  const changed = Object.entries(origins).map(([name, url]) => {
    if (!(name in known)) throw wrong(`--origin ${name}: the policy's origins are ${Object.keys(known).join(", ")}`, "");
    return [name, { ...known[name], url }];
  });
  return { ...policy, origins: { ...known, ...Object.fromEntries(changed) } };
}
