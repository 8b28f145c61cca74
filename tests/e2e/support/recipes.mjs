// The recipes of docs/IDENTITY.md, as they stand there: a test runs what a reader would copy.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { pathToFileURL } from "node:url";
import { root } from "../../../scripts/place.mjs";

const PAGE = readFileSync(join(root, "docs", "IDENTITY.md"), "utf8");

/** The text of the block below `<!-- NAME -->`. */
export function recipe(name) {
  const block = PAGE.split(`<!-- ${name} -->\n`)[1]?.match(/^```\w+\n([^]*?)^```$/m);
  if (!block) throw new Error(`docs/IDENTITY.md has no recipe ${name}`);
  return block[1];
}

/** A folder for it below the project, where its imports are found. */
export function recipeFolder() {
  mkdirSync(join(root, "target"), { recursive: true });
  const folder = mkdtempSync(join(root, "target", "recipe-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A recipe in JavaScript as a module; `change` is made to its text first. */
export async function recipeModule(name, change = (text) => text) {
  const file = join(recipeFolder(), name);
  writeFileSync(file, change(recipe(name)));
  return import(pathToFileURL(file).href);
}
