// The flags of `npm start`, read and checked before anything is built.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { localState } from "../place.mjs";
import { Hint } from "../progress.mjs";

const USAGE = `npm start -- [--policy FILE] [--port N] [--vars FILE] [--origin NAME=URL]… [--cf FILE] [--state DIR] [--no-demo]

  --policy FILE      the policy to serve; read again when it changes   (else the demo's)
  --port N           the port on 127.0.0.1, 0 for any free one         (else 8787)
  --vars FILE        a JSON object of secrets and vars
  --origin NAME=URL  in the place of the policy's origins.NAME.url; may be repeated
  --cf FILE          a JSON object laid over request.cf of every request
  --state DIR        where local KV and Durable Objects are kept       (else .edgeward/state)
  --no-demo          no demo origin, API key, token issuer or admin key`;

const options = {
  policy: { type: "string" },
  port: { type: "string", default: "8787" },
  vars: { type: "string" },
  origin: { type: "string", multiple: true, default: [] },
  cf: { type: "string" },
  state: { type: "string", default: localState },
  "no-demo": { type: "boolean", default: false },
};

/** What was asked for: `{ policyFile, port, vars, origins, cf, state, demo }`; wrong flags are a `Hint`, exit code 2. */
export function readFlags(args) {
  const values = parsed(args);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw wrong(`--port ${values.port} is no port`);
  return {
    policyFile: values.policy && resolve(values.policy),
    port,
    vars: values.vars ? jsonObject("--vars", values.vars) : {},
    origins: Object.fromEntries(values.origin.map(origin)),
    cf: values.cf ? jsonObject("--cf", values.cf) : {},
    state: resolve(values.state),
    demo: !values["no-demo"],
  };
}

function parsed(args) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw wrong(error.message);
  }
}

function origin(text) {
  const [, name, url] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (!url || !URL.canParse(url)) throw wrong(`--origin ${text} is not NAME=URL`);
  return [name, url];
}

/** A JSON object from a file; anything else is a `Hint` that names the flag and the file. */
export function jsonObject(flag, file) {
  let value;
  try {
    value = JSON.parse(readFileSync(resolve(file), "utf8"));
  } catch (error) {
    throw wrong(`${flag} ${file}: ${error.message}`, "");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(`${flag} ${file} holds no JSON object`, "");
  }
  return value;
}

export function wrong(message, usage = `\n\n${USAGE}`) {
  return Object.assign(new Hint(message + usage), { exitCode: 2 });
}
