// `npm start`: set up, build, serve; see `serve/flags.mjs` for the flags.
import { existsSync } from "node:fs";
import { buildFolder } from "./place.mjs";
import { main, say, seconds } from "./progress.mjs";
import { readFlags } from "./serve/flags.mjs";
import { freePort, serve } from "./serve/gateway.mjs";
import { firstPolicy } from "./serve/policy.mjs";
import { setUp } from "./toolchain/setup.mjs";
import { build } from "./wasm/build.mjs";

const STOP_MS = 5_000;

await main(async () => {
  // All that can be wrong with the command is found before minutes of building.
  const flags = readFlags(process.argv.slice(2));
  if (flags.policyFile) firstPolicy(flags, null);
  const port = await freePort(flags.port);
  const began = performance.now();
  if (!existsSync(buildFolder("local"))) say("the first time builds all: 6 to 20 minutes on two cores, then seconds");
  const { wasm } = await setUp();
  const setUpTook = seconds(began);
  const building = performance.now();
  await build("local", wasm);
  const buildTook = seconds(building);
  const starting = performance.now();
  const gateway = await serve(flags, port);
  say(`set-up ${setUpTook}, build ${buildTook}, start ${seconds(starting)}`);
  say(`ready ${gateway.url}`);
  for (const line of [...gateway.lines, ...gateway.adminLines]) say(line);
  await stopSignal();
  await Promise.race([gateway.stop(), new Promise((late) => setTimeout(late, STOP_MS))]);
  // Whatever still holds the process open has had its time.
  process.exit(0);
});

function stopSignal() {
  return new Promise((stop) => {
    // They stay handled: a terminal's Ctrl-C may come twice, once by way of npm.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
  });
}
