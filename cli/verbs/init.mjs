// `edgeward init`: makes the secrets of a gateway, in files, and says how to bind them. No secret is printed.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure.mjs";
import { KEY_VARIABLE } from "../gateway.mjs";
import { replaceSecret, secretFolder, writeSecret } from "../secret-files.mjs";
import { makeSecrets } from "../secrets.mjs";
import { shellWord } from "../text.mjs";

const DEFAULT_FOLDER = join(".edgeward", "secrets");
const ADMIN_KEY_FILE = "admin-key";

export function addInit(program, perform) {
  program
    .command("init")
    .description("make the secrets of a gateway, and say how to bind them")
    .option("--dir <folder>", "where to keep them", DEFAULT_FOLDER)
    .option("--force", "replace the ones that are there: all keys made with them are lost")
    .action(perform(init));
}

async function init({ flags: { dir, force = false } }) {
  const { bound, adminKey } = makeSecrets();
  const secrets = bound.map(({ name, purpose, text }) => ({ name, purpose, text, file: join(dir, name) }));
  const adminKeyFile = join(dir, ADMIN_KEY_FILE);
  const files = [...secrets, { file: adminKeyFile, text: adminKey }];
  if (!force) refuseExisting(files, dir);
  try {
    secretFolder(dir);
    for (const { file, text } of files) (force ? replaceSecret : writeSecret)(file, text);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`secrets cannot be kept in ${dir}: ${error.message}`, "Name another folder with --dir.");
  }
  return told(dir, secrets, adminKeyFile);
}

function refuseExisting(files, dir) {
  const there = files.map(({ file }) => file).filter((file) => existsSync(file));
  if (there.length === 0) return;
  const fix = `Name another folder with --dir. To lose what ${dir} holds, and every key made with it, write --force.`;
  throw new Failure(`nothing was made: there is ${there.join(", ")}`, fix);
}

function told(dir, secrets, adminKeyFile) {
  const bind = secrets.map(({ name, file }) => `npx wrangler secret put ${name} < ${shellWord(file)}`);
  const use = ["export EDGEWARD_URL=https://HOST", `export ${KEY_VARIABLE}="$(cat ${shellWord(adminKeyFile)})"`];
  const width = Math.max(...secrets.map(({ name }) => name.length));
  const lines = [
    `Made in ${dir}, for you alone to read:`,
    "",
    ...secrets.map(({ name, purpose }) => `  ${name.padEnd(width)}  ${purpose}`),
    `  ${ADMIN_KEY_FILE.padEnd(width)}  the root admin key: it may do everything, and is bound nowhere`,
    "",
    "Bind them to the Worker:",
    "",
    ...bind,
    "",
    "Then ask the gateway with the root admin key, and move that file to where you keep such things:",
    "",
    ...use,
    "npm run edgeward -- status",
  ];
  const document = {
    dir,
    secrets: secrets.map(({ name, purpose, file }) => ({ name, purpose, file })),
    admin_key_file: adminKeyFile,
    bind,
    use,
  };
  return { document, lines };
}
