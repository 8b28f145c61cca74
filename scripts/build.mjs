// `npm run build [-- --profile local|release]`
import { parseArgs } from "node:util";
import { Hint, main } from "./progress.mjs";
import { setUp } from "./toolchain/setup.mjs";
import { build } from "./wasm/build.mjs";
import { profiles } from "./wasm/pipeline.mjs";

await main(async () => {
  const { values } = parseArgs({ options: { profile: { type: "string", default: "release" } } });
  if (!profiles.includes(values.profile)) throw new Hint(`--profile is one of: ${profiles.join(", ")}`);
  const { wasm } = await setUp();
  await build(values.profile, wasm);
});
