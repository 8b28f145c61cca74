// Takes the names of functions out of a wasm module: a tenth of its size that only a debugger
// reads. The local build keeps them.
import { readFileSync, writeFileSync } from "node:fs";

const HEADER_BYTES = 8;
const CUSTOM_SECTION = 0;

/** Rewrites the module at `path` without its custom section `name`. */
export function dropNames(path) {
  const module = readFileSync(path);
  const kept = [module.subarray(0, HEADER_BYTES)];
  for (let at = HEADER_BYTES; at < module.length; ) {
    const [size, content] = leb128(module, at + 1);
    const end = content + size;
    if (module[at] !== CUSTOM_SECTION || nameOf(module, content) !== "name") {
      kept.push(module.subarray(at, end));
    }
    at = end;
  }
  writeFileSync(path, Buffer.concat(kept));
}

function nameOf(module, at) {
  const [length, start] = leb128(module, at);
  return module.toString("utf8", start, start + length);
}

/** An unsigned LEB128 number at `at`, and where it ends (WebAssembly core specification, 5.2.2). */
function leb128(module, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7, at += 1) {
    value += (module[at] & 0x7f) * 2 ** shift;
    if (module[at] < 0x80) return [value, at + 1];
  }
}
