// `edgeward status`: what is in force.
import { faultLines, instantText } from "../text.mjs";

const SHAPE = { policy: "object?", refused: "object?", authenticators: "array" };

export function addStatus(program, perform) {
  program
    .command("status")
    .description("show which policy is in force, and whether a newer one was refused")
    .action(perform(status));
}

async function status({ api }) {
  const document = await api().get(["status"], SHAPE);
  const { policy, refused, authenticators, origins = [], silent_counters: silences = 0 } = document;
  const failing = origins.filter(({ breaker }) => breaker === "open" || breaker === "probing");
  const lines = [
    policy
      ? `policy ${policy.name}, version ${policy.version}, ${policy.profile}`
      : "no policy is in force: every request is answered 503 until one loads",
    ...(policy
      ? [`authenticators: ${authenticators.map(({ name, kind }) => `${name} (${kind})`).join(", ") || "none"}`]
      : []),
    ...failing.map(({ name, breaker }) => `origin ${name} fails, as far as this isolate knows: its breaker is ${breaker}`),
    ...(silences > 0 ? [`counters were silent ${silences} times, as far as this isolate knows: on_error decided`] : []),
    ...(refused
      ? [`a newer policy was refused at ${instantText(refused.at)}:`, ...faultLines(refused.faults ?? [])]
      : []),
  ];
  return { document, lines };
}
