// `edgeward tokens revoke`: one token, those of a caller, or all of an issuer.
import { InvalidArgumentError } from "commander";
import { Failure } from "../failure.mjs";
import { effectLine } from "../records.mjs";
import { instantText } from "../text.mjs";
import { instant } from "../time.mjs";

const FORMS = [
  "  tokens revoke --jti ID [--subject S]          one token",
  "  tokens revoke --subject S [--before INSTANT]  those of a caller, issued up to then (default: now)",
  "  tokens revoke --subject S --version-below N   those of a caller, under a version",
  "  tokens revoke --every [--before INSTANT]      all of an issuer, issued up to then (default: now)",
];

/** The mixes of flags that are one of the forms, each in alphabetical order. */
const MIXES = new Set([
  "jti",
  "jti subject",
  "subject",
  "before subject",
  "subject versionBelow",
  "every",
  "before every",
]);

const SHAPE = { revoked: "object", effective_within_s: "number" };

export function addTokens(program, perform) {
  program
    .command("tokens")
    .description("revoke tokens that issuers gave out")
    .command("revoke")
    .description("revoke tokens, in exactly one of four forms")
    .addHelpText("after", `\nThe forms:\n${FORMS.join("\n")}`)
    .option("--jti <id>", "the claim jti of one token")
    .option("--subject <text>", "the claim sub of a caller")
    .option("--before <instant>", "tokens issued up to this instant: ISO 8601, Unix seconds or now", instant)
    .option("--version-below <number>", "tokens under this version, and those without one", wholeNumber)
    .option("--every", "all tokens, of all callers")
    .option("--authenticator <name>", "whose tokens (may be left out where the policy has one token authenticator)")
    .action(perform(revoke));
}

async function revoke({ flags, api }) {
  const body = bodyOf(flags);
  const document = await api().post(["tokens", "revoke"], SHAPE, body);
  return { document, lines: [`revoked: ${told(document.revoked)}`, effectLine(document.effective_within_s)] };
}

function bodyOf(flags) {
  const given = ["before", "every", "jti", "subject", "versionBelow"].filter((name) => flags[name] !== undefined);
  if (!MIXES.has(given.join(" "))) {
    throw new Failure("these flags do not say which tokens to revoke", `Write one of:\n${FORMS.join("\n")}`);
  }
  return {
    authenticator: flags.authenticator,
    jti: flags.jti,
    subject: flags.subject,
    issued_before: flags.before?.seconds,
    version_below: flags.versionBelow,
    every: flags.every,
  };
}

function wholeNumber(text) {
  const number = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(number))
    throw new InvalidArgumentError("Write a whole number, 0 or more.");
  return number;
}

function told({ authenticator, jti, subject, issued_before, version_below, every }) {
  const parts = [
    every && "every token",
    jti !== undefined && `the token ${jti}`,
    every || jti !== undefined || "the tokens",
    subject !== undefined && `of ${subject}`,
    issued_before !== undefined && `issued up to ${instantText(issued_before)}`,
    version_below !== undefined && `under version ${version_below}`,
    authenticator !== undefined && `(${authenticator})`,
  ];
  return parts.filter((part) => typeof part === "string").join(" ");
}
