// `npm run simulate [-- --requests N --seed S --scenario NAME --json FILE]`: runs the limiter in a simulated world and
// prints what it came to; ends with 1 where a limit was exceeded. What else it takes: simulation/src/main.rs.
import { must, run } from "./command.mjs";
import { root, target } from "./place.mjs";
import { main, say, seconds, step } from "./progress.mjs";
import { environment } from "./toolchain/compiler.mjs";
import { setUp } from "./toolchain/setup.mjs";

await main(async () => {
  const { native } = await setUp();
  const options = { env: { ...environment(native), CARGO_TARGET_DIR: target }, cwd: root };
  const which = ["--locked", "--release", "--quiet", "--package", "edgeward-simulation"];
  await step("cargo build", () => must(native.cargo, ["build", ...which], options).then(() => undefined));
  const began = performance.now();
  const { code } = await run(native.cargo, ["run", ...which, "--", ...process.argv.slice(2)], options);
  say(`\nsimulated in ${seconds(began)}`);
  return code;
});
