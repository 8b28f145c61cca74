// Reads a wasm module: its functions with their names, and its data by address (WebAssembly core specification, 5).
//
// Owns: where things are in the bytes. Does not own: whose they are (`owners.mjs`).

const HEADER_BYTES = 8;
const SECTION = { custom: 0, import: 2, code: 10, data: 11 };
const KIND = { function: 0, table: 1, memory: 2, global: 3, tag: 4 };
const FUNCTION_NAMES = 1;
/** `i32.const` with an address, `end`: what a segment of one memory begins with. */
const AT_ADDRESS = 0;

/** Gives `{ functions: [{ name, bytes }], data: [{ address, bytes }] }`. */
export function readModule(module) {
  const sections = [...sectionsOf(module)];
  const part = (id) => sections.find((section) => section.id === id)?.bytes ?? new Uint8Array();
  const names = namesOf(sections.find(({ id, name }) => id === SECTION.custom && name === "name")?.bytes);
  const imported = importedFunctions(part(SECTION.import));
  const functions = bodies(part(SECTION.code)).map((bytes, index) => ({ name: names.get(imported + index) ?? "", bytes }));
  return { functions, data: segments(part(SECTION.data)) };
}

function* sectionsOf(module) {
  const read = reader(module, HEADER_BYTES);
  while (!read.done()) {
    const id = read.byte();
    const bytes = read.bytes(read.number());
    if (id !== SECTION.custom) yield { id, bytes };
    else {
      const within = reader(bytes);
      yield { id, name: within.text(), bytes: within.rest() };
    }
  }
}

function namesOf(section) {
  const names = new Map();
  const read = reader(section ?? new Uint8Array());
  while (!read.done()) {
    const kind = read.byte();
    const within = reader(read.bytes(read.number()));
    if (kind !== FUNCTION_NAMES) continue;
    for (let count = within.number(); count > 0; count -= 1) names.set(within.number(), within.text());
  }
  return names;
}

function importedFunctions(section) {
  const read = reader(section);
  let functions = 0;
  for (let count = section.length > 0 ? read.number() : 0; count > 0; count -= 1) {
    read.text();
    read.text();
    const kind = read.byte();
    if (kind === KIND.function) functions += 1;
    if (kind === KIND.function) read.number();
    else if (kind === KIND.global) read.bytes(2);
    else if (kind === KIND.tag) read.bytes(1), read.number();
    else {
      if (kind === KIND.table) read.byte();
      // Limits: the lowest bit says whether there is a most.
      const most = read.byte() & 1;
      for (let numbers = 1 + most; numbers > 0; numbers -= 1) read.number();
    }
  }
  return functions;
}

function bodies(section) {
  const read = reader(section);
  return Array.from({ length: section.length > 0 ? read.number() : 0 }, () => read.bytes(read.number()));
}

function segments(section) {
  const read = reader(section);
  return Array.from({ length: section.length > 0 ? read.number() : 0 }, () => {
    if (read.number() !== AT_ADDRESS) throw new Error("a segment of another kind than is read here");
    read.byte();
    const address = read.number();
    read.byte();
    return { address, bytes: read.bytes(read.number()) };
  });
}

function reader(bytes, at = 0) {
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length) => bytes.subarray(at, (at += length));
  return {
    done: () => at >= bytes.length,
    byte: () => bytes[at++],
    number,
    bytes: take,
    text: () => Buffer.from(take(number())).toString(),
    rest: () => bytes.subarray(at),
  };
}
