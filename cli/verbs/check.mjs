// `edgeward check POLICY`: would the gateway load it, with the secrets that it has?
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { bundleOf } from "../documents.mjs";
import { EXIT, Failure } from "../failure.mjs";
import { IMPORTED, isWhole, reportLines } from "../imported.mjs";
import { faultLines, printable } from "../text.mjs";

/** As the gateway reads a policy from KV, at most. */
export const POLICY_BYTES_MAX = 4 * 1_048_576;

const SHAPE = { loads: "boolean", name: "string?", version: "string?", faults: "array" };

export function addCheck(program, perform) {
  program
    .command("check")
    .description("ask the gateway whether a policy would load, and what is wrong in it")
    .argument("<policy>", "the policy's file")
    .option("--strict", "also fail (1) where a part of an OpenAPI document is not routed or not enforced")
    .option("--write <file>", "where to write the policy that is made of one with `openapi`")
    .action(perform(check));
}

async function check({ args: [file], flags, api }) {
  const content = contentOf(file);
  const fault = jsonFault(content);
  const entry = fault ? undefined : JSON.parse(content).openapi;
  if (typeof entry === "string") return checkWithDocuments(file, content, entry, flags, api);
  if (flags.write !== undefined) throw new Failure(`${file} has no \`openapi\`: nothing is made of it`, "Leave --write out.");
  const document = fault
    ? { loads: false, name: null, version: null, faults: [fault] }
    : await api().postAsIs(["policy", "check"], SHAPE, content);
  if (document.loads) return { document, lines: loadsLines(file, document) };
  const lines = [`${file} does not load:`, ...faultLines(document.faults)];
  return { document, lines, exitCode: EXIT.findings };
}

function loadsLines(file, { name, version, open_routes: open, notices }) {
  const lines = [`${file} loads: ${name}, version ${version}`];
  if (Array.isArray(open) && open.length > 0) {
    lines.push(`open to every caller with a good credential: ${open.map(printable).join(", ")}`);
    lines.push("  Name require, allow or tenancy on those that are not meant to be.");
  }
  if (Array.isArray(notices)) lines.push(...notices.map((notice) => `look again: ${printable(notice)}`));
  return lines;
}

/** Has the gateway import the documents first. */
async function checkWithDocuments(file, content, entry, { write, strict = false }, api) {
  const bundle = bundleOf(file, content.toString("utf8"), entry).content;
  const document = await api().postAsIs(["policy", "import"], IMPORTED, bundle);
  const { policy, ...told } = document;
  const report = reportLines(document.report);
  if (!document.loads) {
    const lines = [...report, `${file} does not load:`, ...faultLines(document.faults)];
    return { document: told, lines, exitCode: EXIT.findings };
  }
  if (write !== undefined) writeFileSync(write, `${JSON.stringify(policy)}\n`);
  const lines = [...report, ...loadsLines(file, document)];
  return { document: told, lines, exitCode: strict && !isWhole(document.report) ? EXIT.findings : EXIT.fine };
}

export function contentOf(file) {
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
