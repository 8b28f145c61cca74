// The OpenAPI documents of a policy, read and put beside it as they are: what they mean is the gateway's to say.
import { closeSync, fstatSync, openSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, posix, sep } from "node:path";
import { parse } from "yaml";
import { Failure } from "./failure.mjs";

/** As the gateway takes them, at most. */
export const FILES_MAX = 200;
export const BUNDLE_BYTES_MAX = 24 * 1_048_576;
/** Where YAML repeats by reference, a small file may be a great document. */
const ALIASES_MAX = 1_000;

/**
 * Gives `{ content, files }`: the policy with every file that its `openapi` leads to, as text for the gateway, and
 * the paths that were read.
 *
 * - `policyFile`: the folder it is in holds all of them; what leads out of it, or to a URL, is not read.
 * - `text`: the policy's JSON. - `entry`: its `openapi`.
 */
export function bundleOf(policyFile, text, entry) {
  const folder = realpathSync(dirname(policyFile));
  const found = new Map();
  const wanted = [posix.normalize(entry)];
  let bytes = Buffer.byteLength(text);
  while (wanted.length > 0) {
    const name = wanted.shift();
    if (found.has(name)) continue;
    if (found.size === FILES_MAX) throw new Failure(`more than ${FILES_MAX} documents`, "Bundle them into fewer.");
    const read = documentOf(folder, name);
    bytes += Buffer.byteLength(read.json);
    if (bytes > BUNDLE_BYTES_MAX) {
      throw new Failure(`policy and documents have more than ${BUNDLE_BYTES_MAX} bytes`, "Leave examples out of them.");
    }
    found.set(name, read.json);
    wanted.push(...filesNamed(read.document, name));
  }
  const files = [...found].map(([name, json]) => `${JSON.stringify(name)}:${json}`);
  return {
    content: `{"policy":${text},"files":{${files.join(",")}}}`,
    files: [...found.keys()].map((name) => join(folder, name)),
  };
}

/** A document, and its JSON: of a JSON file the text itself, in which a member that stands twice is still to be seen. */
function documentOf(folder, name) {
  const text = textOf(folder, name);
  try {
    if (name.endsWith(".json")) return { document: JSON.parse(text), json: text };
    const document = parse(text, { maxAliasCount: ALIASES_MAX, uniqueKeys: true });
    return { document, json: JSON.stringify(document) };
  } catch (error) {
    throw new Failure(`${name} does not read: ${error.message.split("\n")[0]}`, "Write it as JSON or YAML 1.2.");
  }
}

function textOf(folder, name) {
  const outside = new Failure(
    `${name} is not below the policy's folder`,
    "Put the documents beside the policy: nothing else is read.",
  );
  if (name.startsWith("/") || name.split("/").includes("..")) throw outside;
  let opened;
  try {
    const path = realpathSync(join(folder, name));
    // A link may lead out.
    if (!path.startsWith(folder.endsWith(sep) ? folder : folder + sep)) throw outside;
    opened = openSync(path, "r");
    const stat = fstatSync(opened);
    if (!stat.isFile()) throw new Failure(`${name} is no file`, "Name a document.");
    if (stat.size > BUNDLE_BYTES_MAX) throw new Failure(`${name} has ${stat.size} bytes`, "Leave examples out of it.");
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(opened));
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`${name} cannot be read: ${error.message}`, "Name a document beside the policy.");
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

/** The files that the references of a document name, as paths below the folder; URLs are left to the gateway to refuse. */
function filesNamed(document, name) {
  const names = new Set();
  const rest = [document];
  while (rest.length > 0) {
    const value = rest.pop();
    if (typeof value !== "object" || value === null) continue;
    const reference = value.$ref;
    const path = typeof reference === "string" ? reference.split("#")[0] : "";
    if (path !== "" && !path.includes(":") && !path.startsWith("/")) {
      names.add(posix.normalize(posix.join(posix.dirname(name), decoded(path))));
    }
    for (const below of Object.values(value)) rest.push(below);
  }
  return names;
}

function decoded(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
