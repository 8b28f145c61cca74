// The commands that `npm start` prints, run against the gateway: each shows what its comment says.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, mock, test } from "node:test";
import { promisify } from "node:util";
import { buildFolder } from "../../scripts/place.mjs";
import { readFlags } from "../../scripts/serve/flags.mjs";
import { freePort, serve } from "../../scripts/serve/gateway.mjs";

const BUILD = process.env.EDGEWARD_BUILD ?? buildFolder("release");
const run = promisify(execFile);

describe("the printed commands", () => {
  const folder = mkdtempSync(join(tmpdir(), "edgeward-commands-"));
  let gateway;
  before(async () => {
    // The gateway logs every decision.
    mock.method(console, "log", () => {});
    const port = await freePort(0);
    gateway = await serve(readFlags(["--port", String(port), "--state", folder]), port, BUILD);
  });
  after(async () => {
    await gateway?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("each shows the status and the problem that its comment names", async (t) => {
    const blocks = gateway.lines.join("\n").trim().split("\n\n");
    assert.ok(blocks.length > 20, `only ${blocks.length} commands`);
    for (const block of blocks) {
      const [comment, command] = block.split("\n");
      await t.test(comment.slice(2), async () => assertShown(comment, command));
    }
  });
});

async function assertShown(comment, command) {
  const { stdout } = await run("bash", ["-c", command]);
  const [, status, code] = /: (\d{3})(?: ([a-z]+(?:-[a-z]+)+))?/.exec(comment) ?? [];
  if (!status) return assert.equal(stdout.trim(), "200 200 200 200 200 429 429");
  assert.match(stdout, new RegExp(`^HTTP/1.1 ${status} `), stdout);
  if (code) assert.equal(JSON.parse(stdout.split("\r\n\r\n")[1]).code, code);
}
