// What each kilobyte of the worker is: the code by the names of functions, the data by the linker's map. See README.md,
// "size".
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildFolder } from "../scripts/place.mjs";
import { build } from "../scripts/wasm/build.mjs";
import { MAP } from "../scripts/wasm/pipeline.mjs";
import { readModule } from "./size/module.mjs";
import { ownerOf, piecesOf, subjectOf } from "./size/owners.mjs";

export const name = "size";

/** A crate below this is told with its subject alone. */
const SHOWN_BYTES = 4_000;

export async function run({ compilers }) {
  const { gzipBytes } = await build("release", compilers.wasm);
  await build("named", compilers.wasm);
  const module = readModule(readFileSync(join(buildFolder("named"), "index_bg.wasm")));
  const crates = measured(owned(module, piecesOf(readFileSync(MAP, "utf8"))), gzipBytes);
  return { figures: {}, rows: rows(crates), samples: crates };
}

/** By crate: `{ code, data }`, lists of bytes. */
function owned({ functions, data }, pieces) {
  const crates = new Map();
  const add = (crate, kind, bytes) => {
    if (!crates.has(crate)) crates.set(crate, { code: [], data: [] });
    crates.get(crate)[kind].push(bytes);
  };
  for (const { name: called, bytes } of functions) add(ownerOf(called), "code", bytes);
  for (const segment of data) {
    // In the order of addresses; what lies between two pieces is nobody's.
    let at = segment.address;
    const end = segment.address + segment.bytes.length;
    const part = (from, to) => segment.bytes.subarray(from - segment.address, to - segment.address);
    for (const { address, length, crate } of pieces.filter((piece) => piece.address >= at && piece.address < end)) {
      if (address > at) add("", "data", part(at, address));
      add(crate, "data", part(address, address + length));
      at = address + length;
    }
    if (at < end) add("", "data", part(at, end));
  }
  return crates;
}

/** Each part compressed by itself, and all of them scaled to the sum that they have together. */
function measured(crates, gzipBytes) {
  const alone = [...crates].map(([crate, { code, data }]) => {
    const [codeBytes, dataBytes] = [Buffer.concat(code), Buffer.concat(data)];
    const compressed = [codeBytes, dataBytes].reduce((sum, bytes) => sum + (bytes.length > 0 ? gzipSync(bytes).length : 0), 0);
    return { crate, functions: code.length, code_bytes: codeBytes.length, data_bytes: dataBytes.length, compressed };
  });
  const scale = gzipBytes / alone.reduce((sum, { compressed }) => sum + compressed, 0);
  return alone
    .map(({ compressed, ...one }) => ({ ...one, gzip_bytes: Math.round(compressed * scale) }))
    .sort((a, b) => b.gzip_bytes - a.gzip_bytes);
}

function rows(crates) {
  const subjects = new Map();
  for (const one of crates) {
    const [subject, why] = subjectOf(one.crate);
    if (!subjects.has(subject)) subjects.set(subject, { why, crates: [] });
    subjects.get(subject).crates.push(one);
  }
  const sum = (list, field) => list.reduce((total, one) => total + one[field], 0);
  const row = (what, list, why) => ({
    what,
    "gzip kB": (sum(list, "gzip_bytes") / 1_000).toFixed(0),
    "code kB": (sum(list, "code_bytes") / 1_000).toFixed(0),
    "data kB": (sum(list, "data_bytes") / 1_000).toFixed(0),
    "functions": `${sum(list, "functions")}`,
    why,
  });
  const largest = [...subjects].sort(([, a], [, b]) => sum(b.crates, "gzip_bytes") - sum(a.crates, "gzip_bytes"));
  return [
    row("all", crates, ""),
    ...largest.flatMap(([subject, { why, crates: own }]) => [
      row(subject, own, why),
      ...(own.length > 1 ? own : []).filter((one) => one.gzip_bytes > SHOWN_BYTES).map((one) => row(`  ${one.crate || "-"}`, [one], "")),
    ]),
  ];
}
