// The names of Durable Objects, as `src/object.rs` makes them.
import { createHash } from "node:crypto";

export function objectName(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(Buffer.byteLength(part)));
    hash.update(length).update(part);
  }
  return hash.digest("hex").slice(0, 40);
}
