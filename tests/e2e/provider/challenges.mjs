// `WWW-Authenticate`, read: a parser of the tests' own, so that the gateway's lines are held to the grammar (RFC 9110
// §11.6.1) and not to one client's leniency.
import assert from "node:assert/strict";

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/;
const QUOTED = /^"(?<text>(?:[\t !#-[\]-~]|\\[\t -~])*)"/;

/**
 * The challenges of an answer: `[{ scheme, realm, error, … }]`, parameters by name in lower case. The runtime joins
 * the lines of this field by commas, over the wire too, so each challenge has to stand for itself.
 */
export const challengesOf = (answer) => challengesIn(answer.headers.get("www-authenticate") ?? "");

/** The challenge of one scheme; fails unless there is exactly one. */
export function challengeOf(answer, scheme) {
  const found = challengesOf(answer).filter((challenge) => challenge.scheme === scheme);
  assert.equal(found.length, 1, `${scheme} once in: ${answer.headers.get("www-authenticate")}`);
  return found[0];
}

/** Reads a field value. Fails on what is not the grammar, and on a parameter that stands twice. */
export function challengesIn(field) {
  const challenges = [];
  let rest = field;
  const take = (pattern) => {
    const found = pattern.exec(rest);
    if (found) rest = rest.slice(found[0].length);
    return found;
  };
  while (rest) {
    const [name] = take(TOKEN) ?? assert.fail(`no token at "${rest}"`);
    if (take(/^=/)) {
      const quoted = take(QUOTED);
      const value = quoted ? quoted.groups.text.replace(/\\(.)/g, "$1") : take(TOKEN)?.[0];
      const challenge = challenges.at(-1);
      assert.ok(challenge && value !== undefined, field);
      assert.equal(name.toLowerCase() in challenge, false, `${name} twice in: ${field}`);
      challenge[name.toLowerCase()] = value;
    } else {
      challenges.push({ scheme: name });
      take(/^ +/);
      continue;
    }
    take(/^ *, */);
  }
  return challenges;
}
