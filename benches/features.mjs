// What each feature costs, and each kind of refusal. See README.md, "features".
import { makeKey, recordOf } from "../examples/demo/keys.mjs";
import { LOCAL_CF } from "../scripts/serve/worker.mjs";
import { findLoadPrograms } from "../scripts/toolchain/load.mjs";
import { admissions, answers, BASE, bodies, digests, refusals, WHOLE } from "./features/cases.mjs";
import { featurePolicy } from "./features/policy.mjs";
import { ISSUER, makeIdentityKey, makeIssuer, makeSharedIssuer, SCOPE } from "./gateway/issuer.mjs";
import { edgewardWorker } from "./gateway/variants.mjs";
import { inTurn, median, rounded, spread, told } from "./runtime/measures.mjs";
import { startOrigin } from "./runtime/origin.mjs";
import { startStore } from "./runtime/store.mjs";
import { frontHeaders, isMeasurable, startWorkerd } from "./runtime/workerd.mjs";
import { load } from "./runtime/wrk.mjs";

export const name = "features";

const WARM_MS = 1_000;
const MEASURED_MS = 1_000;
/** Until the runtime has compiled what is called often, for good. */
const COMPILED_MS = 3_000;
/** More than a list of requests takes, which ends by itself. */
const LIST_MS = 300_000;
/** More than are asked for while one algorithm is measured. */
const FRESH_TOKENS = 4_000;
const ASYMMETRIC = ["RS256", "PS256", "ES256", "ES384", "Ed25519"];
const PEPPER = "a pepper of the benchmark's own";
const SECRET_BINDING = "BENCH_SECRET";

/** `null` without Linux, wrk and nginx. */
export async function run({ folder, rounds, say }) {
  const programs = isMeasurable() ? await findLoadPrograms() : null;
  if (!programs) return null;
  const origin = await startOrigin(programs.nginx);
  const known = await prepared();
  const store = await startStore(known.entries);
  try {
    const bench = { ...known, folder, origin, store, wrk: programs.wrk, say };
    const samples = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const group of inTurn(groups(known), round)) samples.push(...(await measureGroup(bench, group, round)));
      say(`  round ${round + 1} of ${rounds}`);
    }
    return { figures: figures(samples), rows: rows(samples), samples };
  } finally {
    await Promise.all([origin.stop(), store.stop()]);
  }
}

/** Each group has a process of its own; what it gives stands beside the public route of the same process. */
function groups(known) {
  const whole = admissions(known).filter(({ name: one }) => one === BASE || one === WHOLE);
  const renamed = (suffix) => whole.map((one) => ({ ...one, name: one.name === BASE ? BASE : `${one.name}, ${suffix}` }));
  const base = whole.filter(({ name: one }) => one === BASE);
  return [
    { name: "admissions", cases: [...admissions(known), ...refusals(known)] },
    { name: "statement", cases: renamed("statement"), bindings: { IDENTITY_KEY: makeIdentityKey() } },
    { name: "signature", cases: [...renamed("statement and signature"), ...digests(known)], bindings: { IDENTITY_KEY: makeIdentityKey() }, signature: {} },
    { name: "chain", cases: renamed("chained log"), bindings: { AUDIT_KEY: "an audit key of the benchmark's own" } },
    { name: "bodies", cases: [...base, ...bodies(known)] },
    { name: "answers", cases: [...base, ...answers(known)] },
  ];
}

async function prepared() {
  const main = makeIssuer("RS256");
  const shared = makeSharedIssuer(`${ISSUER}/HS256`);
  const made = ASYMMETRIC.map((algorithm) => [algorithm, makeIssuer(algorithm, `${ISSUER}/${algorithm}`)]);
  const subjects = Array.from({ length: FRESH_TOKENS }, () => "caller");
  const fresh = { HS256: shared.tokens(subjects) };
  for (const [algorithm, issuer] of made) fresh[algorithm] = await issuer.tokens(subjects);
  const issuers = Object.fromEntries(made.map(([algorithm, { jwks }]) => [algorithm, { keys: { jwks }, issuer: `${ISSUER}/${algorithm}` }]));
  issuers.HS256 = { keys: { secret_binding: SECRET_BINDING }, issuer: `${ISSUER}/HS256` };
  const key = makeKey();
  const record = recordOf(key, PEPPER, { subject: "caller-key", scopes: [SCOPE] });
  const token = await main.token("caller");
  return {
    front: frontHeaders(LOCAL_CF),
    main: { jwks: main.jwks },
    token,
    forged: `${token.slice(0, token.lastIndexOf("."))}.${(await main.token("caller")).split(".")[2]}`,
    key: key.text,
    unknownKey: makeKey().text,
    fresh,
    issuers,
    secret: shared.secret,
    entries: new Map([[`key/${key.id}`, JSON.stringify(record)]]),
  };
}

async function measureGroup(bench, group, round) {
  const { folder, origin, store, secret } = bench;
  const policy = featurePolicy({ ...bench, signature: group.signature });
  const worker = await startWorkerd({
    ...edgewardWorker(folder),
    bindings: { POLICY: JSON.stringify(policy), KEY_PEPPER: PEPPER, [SECRET_BINDING]: secret, ...group.bindings },
    origin: origin.address,
    store: store.address,
  });
  try {
    const first = group.cases[0];
    const { status } = await settled(worker, first.call);
    if (status !== 200) throw new Error(`${group.name}: the policy does not load: ${worker.said()}`);
    for (const { call } of group.cases.filter(({ name: one }) => one === BASE || one.startsWith(WHOLE))) {
      await load(bench.wrk, worker, call, { ms: COMPILED_MS });
    }
    const samples = [];
    for (const one of inTurn(group.cases, round)) samples.push({ round, group: group.name, ...(await measure(bench, worker, one)) });
    return samples;
  } finally {
    await worker.stop();
  }
}

/** The first answer of the gateway, once it is no connection error. */
async function settled(worker, call) {
  await worker.firstAnswer({ ...call, method: "GET", path: "/.edgeward/problems/", body: undefined }, 404);
  return worker.ask(call);
}

async function measure({ wrk }, worker, { name: feature, status, call, warm = call, connections, ms = MEASURED_MS }) {
  const admitted = status < 400;
  if (status === 429) await worker.ask(call);
  const { status: told, text } = await worker.ask({ ...call, ...warmHeaders(call) });
  if (told !== status) throw new Error(`${feature} was answered ${told}, not ${status}: ${text} ${worker.said().slice(-1_000)}`);
  await load(wrk, worker, warm, { ms: warm.tokens ? LIST_MS : WARM_MS, connections, admitted });
  return { feature, status, ...(await load(wrk, worker, call, { ms, connections, admitted })) };
}

/** A first request by hand is like those that follow. */
const warmHeaders = ({ tokens, tokenHeader, headers }) =>
  tokens && !tokenHeader ? { headers: { ...headers, authorization: `Bearer ${tokens[0]}` } } : {};

const isRefusal = ({ status }) => status >= 400;

/** Per round, since only what is of one process is compared. */
function figures(samples) {
  const rounds = [...new Set(samples.map(({ round }) => round))];
  const worst = rounds.map((round) => {
    const own = samples.filter((one) => one.round === round && one.group === "admissions");
    const admission = own.find(({ feature }) => feature === WHOLE).cpu_us;
    return Math.max(...own.filter(isRefusal).map(({ cpu_us }) => cpu_us / admission));
  });
  return { refusal_ratio: rounded(median(worst)) };
}

function rows(samples) {
  const features = [...new Set(samples.map(({ group, feature }) => `${group}\0${feature}`))];
  return features.map((key) => {
    const [group, feature] = key.split("\0");
    const own = samples.filter((one) => one.group === group && one.feature === feature);
    const base = (one) => samples.find(({ round, group: other, feature: named }) => round === one.round && other === group && named === BASE);
    const over = own.map((one) => one.cpu_us - base(one).cpu_us);
    return {
      feature: own[0].status < 400 ? feature : `${own[0].status} ${feature}`,
      "CPU us/request": told(spread(own, "cpu_us")),
      "over a public route": median(over).toFixed(0),
      "requests/s": median(own.map(({ rps }) => rps)).toFixed(0),
      "p50 ms": median(own.map(({ p50_ms }) => p50_ms)).toFixed(2),
      "p99 ms": median(own.map(({ p99_ms }) => p99_ms)).toFixed(2),
    };
  });
}
