// `edgeward openapi POLICY --export`: the policy's document as its callers should read it.
import { bundleOf } from "../documents.mjs";
import { EXIT, Failure } from "../failure.mjs";
import { exported } from "../export.mjs";
import { IMPORTED, isWhole } from "../imported.mjs";
import { faultLines } from "../text.mjs";
import { contentOf } from "./check.mjs";

export function addOpenapi(program, perform) {
  program
    .command("openapi")
    .description("give a policy's OpenAPI document back, with what the gateway adds to it")
    .argument("<policy>", "the policy's file")
    .requiredOption("--export", "print the document: callers, limits and the gateway's own answers written in")
    .option("--strict", "also fail (1) where a part of the document is not routed or not enforced")
    .action(perform(exportDocument));
}

async function exportDocument({ args: [file], flags: { strict = false }, api }) {
  const text = contentOf(file).toString("utf8");
  const entry = entryOf(file, text);
  const { content } = bundleOf(file, text, entry);
  const { faults, policy, report } = await api().postAsIs(["policy", "import"], IMPORTED, content);
  if (policy === null) {
    return { document: { faults }, lines: [`${file}: no policy can be made:`, ...faultLines(faults)], exitCode: EXIT.findings };
  }
  const told = exported(JSON.parse(content).files, policy, report);
  const exitCode = strict && !isWhole(report) ? EXIT.findings : EXIT.fine;
  return { document: told, lines: JSON.stringify(told, null, 2).split("\n"), exitCode };
}

function entryOf(file, text) {
  const fix = "Name the document's file in `openapi`.";
  try {
    const { openapi } = JSON.parse(text);
    if (typeof openapi === "string") return openapi;
  } catch (error) {
    throw new Failure(`${file} is no JSON: ${error.message}`, fix);
  }
  throw new Failure(`${file} has no \`openapi\``, fix);
}
