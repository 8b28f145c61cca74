// `edgeward keys …`: API keys are made, listed, replaced and revoked.
import { Option } from "commander";
import { Failure } from "../failure.mjs";
import { NUMBERS_HELP, numbersOf } from "../numbers.mjs";
import {
  effectLine,
  limitedLine,
  newKeyLines,
  recordLines,
  recordTable,
  unheededLines,
  useLine,
} from "../records.mjs";
import { instantText } from "../text.mjs";
import { durationS, endS, instant } from "../time.mjs";

/** Records in one answer, as many as the API gives. */
const PAGE_KEYS = 200;
/** A hundred thousand keys: beyond that, a list is not what is wanted. */
const PAGES_MAX = 500;

export function addKeys(program, perform) {
  const keys = program.command("keys").description("make, list, replace and revoke API keys");
  addCreate(keys, perform);
  keys
    .command("list")
    .description("list the keys, or those of one caller")
    .option("--subject <text>", "only the keys of this caller")
    .action(perform(list));
  keys
    .command("show")
    .description("show one key's record and how much it was used")
    .argument("<id>", "the key's id, the third part of the key")
    .action(perform(show));
  keys
    .command("rotate")
    .description("make a new key of the same caller; the old one goes on for a while")
    .argument("<id>", "the old key's id")
    .option("--overlap <duration>", "how long the old key is good beside the new one (default: 7d)", durationS)
    .action(perform(rotate));
  keys
    .command("limit")
    .description("give a key numbers of its own in place of a limit's, or the policy's again")
    .argument("<id>", "the key's id")
    .argument("<numbers...>", NUMBERS_HELP)
    .action(perform(limit));
  keys.command("revoke").description("revoke a key, for good").argument("<id>", "the key's id").action(perform(revoke));
}

function addCreate(keys, perform) {
  keys
    .command("create")
    .description("make a key and show it, this once")
    .requiredOption("--subject <text>", "who will call with it; keys of one subject are one caller")
    .option("--tenant <text>", "the caller's tenant")
    .option("--scope <scope...>", "what it may do; may be repeated")
    .option("--role <role...>", "a role of the policy; may be repeated")
    .option("--plan <name>", "the caller's plan (default: the policy's default_plan)")
    .option("--cidr <network...>", "from where it is good, as 192.0.2.0/24; may be repeated (default: anywhere)")
    .option("--expires <end>", "when it ends: never, 90d, or an instant (default: 90d)", (text) => endS(text))
    .option("--not-before <instant>", "from when it is good (default: now)", instant)
    .addOption(new Option("--env <env>", "stands in the key (default: live)").choices(["live", "test"]))
    .option("--limit <numbers...>", `numbers of its own; may be repeated. ${NUMBERS_HELP}`)
    .option("--note <text>", "what it is for; no secret")
    .option(
      "--authenticator <name>",
      "which authenticator takes it (may be left out where the policy has one of API keys)",
    )
    .action(perform(create));
}

async function create({ flags, api }) {
  // What was not said is left out: the gateway's defaults hold, whatever its version.
  const asked = {
    authenticator: flags.authenticator,
    env: flags.env,
    subject: flags.subject,
    tenant: flags.tenant,
    scopes: flags.scope ?? [],
    roles: flags.role,
    plan: flags.plan,
    cidrs: flags.cidr,
    not_before: flags.notBefore?.seconds,
    expires_at: flags.expires,
    limits: flags.limit === undefined ? undefined : numbersOf(flags.limit, false).set,
    note: flags.note,
  };
  const document = await api().post(["keys"], { key: "string", record: "object" }, asked);
  return { document, lines: newKeyLines(document) };
}

async function list({ flags: { subject }, api }) {
  const gateway = api();
  const keys = [];
  let cursor;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query = { subject, cursor, limit: PAGE_KEYS };
    const answer = await gateway.get(["keys"], { keys: "array", cursor: "string?" }, query);
    if (answer.keys.length > PAGE_KEYS || !answer.keys.every(isRecord)) {
      throw new Failure("a page of keys is none", "Is this an Edgeward gateway? Look at EDGEWARD_URL or --url.");
    }
    for (const record of answer.keys) keys.push(record);
    if (answer.cursor === null) return { document: { keys, cursor: null }, lines: recordTable(keys) };
    if (answer.cursor === cursor) {
      throw new Failure("the list of keys leads in a circle", "Report it: a fault of the gateway.");
    }
    cursor = answer.cursor;
  }
  throw new Failure(`there are more than ${PAGES_MAX} pages of keys`, "Ask for those of one caller: --subject.");
}

const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

async function show({ args: [id], api }) {
  const path = ["keys", checkedId(id)];
  const document = await api().get(path, { record: "object", use: "object?", unheeded: "array" });
  const { record, use, unheeded } = document;
  return { document, lines: [...recordLines(record), useLine(use), ...unheededLines(unheeded)] };
}

async function limit({ args: [id, texts], api }) {
  const path = ["keys", checkedId(id), "limits"];
  const document = await api().post(path, { record: "object" }, numbersOf(texts, true));
  return { document, lines: [limitedLine(document.record)] };
}

async function rotate({ args: [id], flags, api }) {
  const shape = { key: "string", record: "object", replaced: "object" };
  const path = ["keys", checkedId(id), "rotate"];
  const document = await api().post(path, shape, { overlap_s: flags.overlap });
  const { replaced } = document;
  const lines = [
    ...newKeyLines(document),
    `the old key ${replaced.id} is good until ${instantText(replaced.expires_at)}`,
  ];
  return { document, lines };
}

async function revoke({ args: [id], api }) {
  const shape = { record: "object", effective_within_s: "number" };
  const path = ["keys", checkedId(id), "revoke"];
  const document = await api().post(path, shape, {});
  const { record, effective_within_s } = document;
  return { document, lines: [`revoked: key ${record.id} of ${record.subject}`, effectLine(effective_within_s)] };
}

/** An id goes into a path, and may be a whole key that was pasted by mistake: it is not repeated. */
function checkedId(text) {
  if (/^[0-9A-Za-z]{12}$/.test(text)) return text;
  const fix =
    "An id is 12 letters and digits, the third part of a key: ew_live_ID_… Never paste a whole key into a command.";
  throw new Failure("that is no key's id", fix);
}
