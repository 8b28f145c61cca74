// The first thing every npm script runs, on whatever Node the machine has: it installs the npm packages when they
// are missing or the lock file changed, then runs `scripts/NAME.mjs` on a Node that wrangler and miniflare accept.
// Node built-ins only, and nothing newer than Node 18 knows.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { root } from "./place.mjs";

const NODE_NEEDED = [22, 12];
const [script, ...args] = process.argv.slice(2);

installPackages();
const node = pickNode();
const child = spawn(node, [join(root, "scripts", `${script}.mjs`), ...args], {
  stdio: "inherit",
  env: {
    ...process.env,
    PATH: [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter),
    WRANGLER_SEND_METRICS: "false",
  },
});
// A terminal sends Ctrl-C to the child too, a supervisor only to this process: the child takes a second one calmly.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("close", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 143)));

function installPackages() {
  const lock = createHash("sha256").update(readFileSync(join(root, "package-lock.json"))).digest("hex");
  const stamp = join(root, "node_modules", ".edgeward-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  const began = Date.now();
  // On stderr: what a command prints on stdout may be one JSON document and nothing else.
  console.error("> npm packages");
  const done = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["inherit", process.stderr.fd, "inherit"],
  });
  if (done.status !== 0) {
    console.error("npm ci failed: see above; it needs the npm registry once.");
    process.exit(1);
  }
  writeFileSync(stamp, lock);
  console.error(`  npm packages (${((Date.now() - began) / 1000).toFixed(1)} s)`);
}

/** This Node if it is new enough, else the one that came as an optional package for this machine. */
function pickNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1])) {
    return process.execPath;
  }
  const own = join(root, "node_modules", ".bin", "node");
  if (existsSync(own)) return own;
  console.error(`Node ${NODE_NEEDED.join(".")} or newer is needed; this is ${process.versions.node}.`);
  process.exit(1);
}
