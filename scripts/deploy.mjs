// `npm run deploy [-- --dry-run]`: the release build, handed to `wrangler deploy` with all further arguments.
import { run } from "./command.mjs";
import { installed } from "./place.mjs";
import { main } from "./progress.mjs";

await main(async () => {
  // wrangler builds by itself, from `[build]` in wrangler.toml.
  const wrangler = [installed("wrangler", "bin", "wrangler.js"), "deploy", ...process.argv.slice(2)];
  const { code } = await run(process.execPath, wrangler);
  return code;
});
