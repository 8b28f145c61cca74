// `npm run setup`: all that the other commands set up by themselves, without building anything.
import { main, say, seconds } from "./progress.mjs";
import { setUp, told } from "./toolchain/setup.mjs";

await main(async () => {
  const began = performance.now();
  const { native, wasm } = await setUp();
  say(`rust for tests: ${told(native)}`);
  say(`rust for wasm: ${told(wasm)}`);
  say(`set up (${seconds(began)})`);
});
