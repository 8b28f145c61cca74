// Files that hold secrets: in a folder of their owner's own, readable by nobody else.
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "./failure.mjs";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const OTHERS = 0o077;

/** Makes `folder` for secrets, or sees to it that one that is there is nobody else's. */
export function secretFolder(folder) {
  mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  const stat = statSync(folder);
  const isEmpty = readdirSync(folder).length === 0;
  // Windows keeps no such bits.
  if (process.platform !== "win32" && (stat.mode & OTHERS) !== 0) {
    // Others may work in a folder that is in use: closing it is its owner's decision.
    if (!isEmpty) {
      throw new Failure(`${folder} can be opened by others`, "Name a new folder with --dir, or close it: chmod 700.");
    }
    chmodSync(folder, FOLDER_MODE);
  }
  // In whatever repository the folder lies: secrets are not committed. A folder with other things in it is not hidden.
  if (isEmpty) writeFileSync(join(folder, ".gitignore"), "*\n");
}

/** Writes a new file; fails where there is one. */
export const writeSecret = (file, text) => writeFileSync(file, text, { mode: FILE_MODE, flag: "wx" });

/** Puts `text` in the place of what `file` holds, if anything: whole, or not at all. */
export function replaceSecret(file, text) {
  const staging = `${file}.${process.pid}`;
  rmSync(staging, { force: true });
  writeSecret(staging, text);
  renameSync(staging, file);
}
