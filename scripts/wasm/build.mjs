// Builds a profile when its inputs changed since the last build of it.
import { say, seconds } from "../progress.mjs";
import { buildWasm } from "./pipeline.mjs";
import { inputsHash, lastBuild } from "./stamp.mjs";

/** Brings `build/PROFILE` up to date and gives `{ rawBytes, gzipBytes }`. */
export async function build(profile, compiler) {
  const began = performance.now();
  const inputs = inputsHash(profile, compiler);
  const last = lastBuild(profile);
  const fresh = last?.inputs === inputs;
  const sizes = fresh ? last : await buildWasm(profile, compiler, inputs);
  say(`build/${profile} ${fresh ? "is up to date" : "is built"}: ${told(sizes)} (${seconds(began)})`);
  return sizes;
}

const kilobytes = (bytes) => `${Math.round(bytes / 1000)} kB`;

const told = ({ rawBytes, gzipBytes }) => `wasm ${kilobytes(rawBytes)}, ${kilobytes(gzipBytes)} gzip`;
