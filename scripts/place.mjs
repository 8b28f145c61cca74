// Where things are. Everything set-up makes lies in one ignored folder, so that removing it undoes set-up.
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Tools that set-up builds. A machine with several clones may share one folder by EDGEWARD_TOOLS. */
export const tools = resolve(process.env.EDGEWARD_TOOLS ?? join(root, ".edgeward", "tools"));

/** Cargo's folder, for the native tests and both wasm profiles. */
export const target = resolve(root, process.env.CARGO_TARGET_DIR ?? "target");

export const buildFolder = (profile) => join(root, "build", profile);

/** A program or script that npm installed. */
export const installed = (...parts) => join(root, "node_modules", ...parts);

/** Where a local gateway keeps KV, Durable Objects and its admin key, unless `--state` says otherwise. */
export const localState = join(root, ".edgeward", "state");
