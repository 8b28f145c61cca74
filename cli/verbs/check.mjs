// `edgeward check POLICY`: would the gateway load it, with the secrets that it has?
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { EXIT, Failure } from "../failure.mjs";
import { faultLines, printable } from "../text.mjs";

/** As the gateway reads a policy from KV, at most. */
export const POLICY_BYTES_MAX = 4 * 1_048_576;

const SHAPE = { loads: "boolean", name: "string?", version: "string?", faults: "array" };

export function addCheck(program, perform) {
  program
    .command("check")
    .description("ask the gateway whether a policy would load, and what is wrong in it")
    .argument("<policy>", "the policy's file")
    .action(perform(check));
}

async function check({ args: [file], api }) {
  const content = contentOf(file);
  const fault = jsonFault(content);
  const document = fault
    ? { loads: false, name: null, version: null, faults: [fault] }
    : await api().postAsIs(["policy", "check"], SHAPE, content);
  if (document.loads) return { document, lines: loadsLines(file, document) };
  const lines = [`${file} does not load:`, ...faultLines(document.faults)];
  return { document, lines, exitCode: EXIT.findings };
}

function loadsLines(file, { name, version, open_routes: open }) {
  const lines = [`${file} loads: ${name}, version ${version}`];
  if (Array.isArray(open) && open.length > 0) {
    lines.push(`open to every caller with a good credential: ${open.map(printable).join(", ")}`);
    lines.push("  Name require, allow or tenancy on those that are not meant to be.");
  }
  return lines;
}

function contentOf(file) {
  let opened;
  try {
    opened = openSync(file, "r");
    const stat = fstatSync(opened);
    if (!stat.isFile()) throw new Failure(`${file} is no file`, "Name the policy's file.");
    if (stat.size > POLICY_BYTES_MAX) {
      throw new Failure(
        `${file} has ${stat.size} bytes`,
        `A policy has at most ${POLICY_BYTES_MAX}: leave out what no route needs.`,
      );
    }
    return readFileSync(opened);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`${file} cannot be read: ${error.message}`, "Name the policy's file.");
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

/** What keeps the content from being a JSON object: a fault like the gateway's own, or `null`. */
function jsonFault(content) {
  const fault = (problem, fix) => ({ pointer: "", problem, fix });
  try {
    const policy = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content));
    if (typeof policy === "object" && policy !== null && !Array.isArray(policy)) return null;
    return fault("not a JSON object", "Write the policy as one object: { … }.");
  } catch (error) {
    return fault(
      `not JSON in UTF-8: ${error.message}`,
      "Write the policy as JSON, without comments and trailing commas.",
    );
  }
}
