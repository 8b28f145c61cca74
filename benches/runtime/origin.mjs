// A native origin: nginx on loopback. It answers from its configuration,
// which costs as little as can be; where it is asked to, with what it was told of the caller.
import { spawn } from "node:child_process";
import { chmodSync, closeSync, ftruncateSync, mkdtempSync, openSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { minding } from "./child.mjs";

const START_MS = 5_000;
/** Where the origin reads a body to its end before it answers. */
export const READING_PATH = "/pass";

/** The end of every path under which the origin sends `streamBytes` of content. */
export const STREAM_END = "/stream";

/** Gives `{ address, url, stop() }`. - `streamBytes`: how much it sends where a path ends in `STREAM_END`. */
export async function startOrigin(nginx, { streamBytes = 0 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "edgeward-origin-"));
  const port = await freePort();
  const config = join(folder, "nginx.conf");
  writeFileSync(config, configText(folder, port));
  // Started by root, nginx reads as somebody who may not look into a folder of root's.
  chmodSync(folder, 0o755);
  // Zeros that take no room on the disk.
  const stream = openSync(join(folder, STREAM_END), "w");
  ftruncateSync(stream, streamBytes);
  closeSync(stream);
  const child = spawn(nginx, ["-p", folder, "-c", config], { stdio: ["ignore", "ignore", "ignore"] });
  const { stop } = minding(child, folder, "SIGTERM");
  const until = performance.now() + START_MS;
  while (!(await answers(port))) {
    if (performance.now() > until || child.exitCode !== null) {
      await stop();
      throw new Error("nginx does not answer");
    }
    await sleep(10);
  }
  return { address: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}`, stop };
}

function configText(folder, port) {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`);
  return `daemon off;
worker_processes 1;
pid ${folder}/pid;
error_log /dev/null;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.join("\n  ")}
  client_max_body_size 0;
  keepalive_requests 1000000;
  large_client_header_buffers 8 32k;
  map $http_x_bench_echo $answer {
    default '{"id":"o-17","owner":"caller-0","item":"tea","quantity":2,"price":{"amount":420,"currency":"EUR"}}';
    1 '{"user":"$http_x_user_id","statement":"$http_edgeward_identity","credential":"$http_authorization"}';
  }
  server {
    listen 127.0.0.1:${port};
    default_type application/json;
    location / { return 200 $answer; }
    location ~ ${STREAM_END}$ {
      root ${folder};
      try_files ${STREAM_END} =404;
    }
    # Answers when it has read all: wrk takes an answer that comes before for the end of what it still sends.
    location = ${READING_PATH} {
      client_body_buffer_size 16m;
      proxy_pass_request_body off;
      proxy_set_header content-length "";
      proxy_pass http://127.0.0.1:${port}/;
    }
  }
}
`;
}

function freePort() {
  return new Promise((settle) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => settle(port));
    });
  });
}

const answers = (port) =>
  new Promise((settle) => {
    const asked = request({ host: "127.0.0.1", port, path: "/", agent: false }, (answer) => {
      answer.resume();
      settle(true);
    });
    asked.on("error", () => settle(false));
    asked.end();
  });
