// Where the time of an admitted request goes: V8's sampling profiler over the release code, with its names. See
// README.md, "profile".
import { LOCAL_CF } from "../scripts/serve/worker.mjs";
import { buildFolder } from "../scripts/place.mjs";
import { findLoadPrograms } from "../scripts/toolchain/load.mjs";
import { build } from "../scripts/wasm/build.mjs";
import { makeIdentityKey, makeIssuer } from "./gateway/issuer.mjs";
import { ROOMY } from "./gateway/policy.mjs";
import { callOf } from "./gateway/proof.mjs";
import { variants } from "./gateway/variants.mjs";
import { selfTimes, shares } from "./profile/shares.mjs";
import { profiled } from "./profile/inspector.mjs";
import { rounded } from "./runtime/measures.mjs";
import { startOrigin } from "./runtime/origin.mjs";
import { frontHeaders, isMeasurable } from "./runtime/workerd.mjs";
import { load } from "./runtime/wrk.mjs";

export const name = "profile";

const WARM_MS = 4_000;
const MEASURED_MS = 5_000;
const SHOWN = 45;
const VARIANTS = ["floor", "twin", "edgeward"];

/** `null` without Linux, wrk and nginx. */
export async function run({ compilers, say }) {
  const programs = isMeasurable() ? await findLoadPrograms() : null;
  if (!programs) return null;
  await build("named", compilers.wasm);
  const origin = await startOrigin(programs.nginx);
  try {
    const issuer = makeIssuer("RS256");
    const call = callOf(frontHeaders(LOCAL_CF), await issuer.token("caller-warm"));
    const starts = await variants({ folder: buildFolder("named"), origin, jwks: issuer.jwks, identityKey: makeIdentityKey() });
    const samples = [];
    for (const variant of VARIANTS) samples.push({ variant, ...(await measure(starts[variant], call, programs.wrk)) });
    for (const { variant, cpu_us } of samples) say(`  ${variant}: ${cpu_us.toFixed(0)} us/request while profiled`);
    const { inclusive, own } = samples.find(({ variant }) => variant === "edgeward");
    return { figures: {}, rows: rows(inclusive, own), samples };
  } finally {
    await origin.stop();
  }
}

async function measure(start, call, wrk) {
  const worker = await start(ROOMY, { inspected: true });
  try {
    await worker.firstAnswer(call);
    await load(wrk, worker, call, { ms: WARM_MS });
    let found;
    const profile = await profiled(worker.inspectorPort, async () => {
      found = await load(wrk, worker, call, { ms: MEASURED_MS });
    });
    const ofOne = (list) => list.map(({ name: called, share }) => ({ name: called, us: rounded(share * found.cpu_us, 1) }));
    return { ...found, inclusive: ofOne(shares(profile)), own: ofOne(selfTimes(profile)) };
  } finally {
    await worker.stop();
  }
}

function rows(inclusive, own) {
  return Array.from({ length: SHOWN }, (_, index) => ({
    "us with what it calls": inclusive[index]?.us.toFixed(1) ?? "",
    function: inclusive[index]?.name.slice(0, NAME_CHARS) ?? "",
    "us itself": own[index]?.us.toFixed(1) ?? "",
    "function itself": own[index]?.name.slice(0, NAME_CHARS) ?? "",
  }));
}

const NAME_CHARS = 90;
