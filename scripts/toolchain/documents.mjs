// The public OpenAPI documents that tests import: large, and nobody else's need, so only tests fetch them.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.mjs";
import { root } from "../place.mjs";
import { Hint, step } from "../progress.mjs";

const folder = join(root, "tests", "documents");

/** Installs them where they are missing, or are others than the lock names. */
export async function documents() {
  const installed = join(folder, "node_modules", ".package-lock.json");
  if (existsSync(installed) && versions(installed) === versions(join(folder, "package-lock.json"))) return;
  await step("public OpenAPI documents", async () => {
    const { code } = await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
    if (code !== 0) throw new Hint("they could not be fetched: run `npm ci --ignore-scripts` in tests/documents");
  });
}

/** The packages of a lock file and their versions, as text to compare. */
function versions(file) {
  const { packages = {} } = JSON.parse(readFileSync(file, "utf8"));
  const named = Object.entries(packages).filter(([name]) => name !== "");
  return JSON.stringify(named.map(([name, { version }]) => `${name}@${version}`).sort());
}
