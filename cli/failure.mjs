// What can go wrong on this side: each failure says what happened and what to do about it.

/** Exit codes: all is well, `check` found something, the command failed or was not understood. */
export const EXIT = { fine: 0, findings: 1, failed: 2 };

/** A failure for people: `fix` says what to do, on one line or more. No secret may stand in either. */
export class Failure extends Error {
  constructor(message, fix) {
    super(message);
    this.fix = fix;
  }

  /** The one JSON document that `--json` prints. */
  get document() {
    return { error: { message: this.message, fix: this.fix } };
  }

  /** The same for people. */
  get lines() {
    return [this.message, ...this.fix.split("\n")];
  }
}

/** The gateway answered with a problem document (RFC 9457). */
export class Refused extends Failure {
  constructor(problem, fix) {
    super(`${problem.title ?? "refused"} (${problem.status} ${problem.code ?? ""})`.replace(" )", ")"), fix);
    this.problem = problem;
  }

  get document() {
    return this.problem;
  }

  get lines() {
    const { detail, errors = [], instance } = this.problem;
    const places = Array.isArray(errors) ? errors : [];
    return [
      `${this.message}: ${detail ?? "no detail"}`,
      ...places.map((at) => `  ${at?.location} ${at?.pointer || "/"}: ${at?.message}. ${at?.fix ?? ""}`.trimEnd()),
      this.fix,
      ...(typeof instance === "string" ? [`In the gateway's log: ${instance}`] : []),
    ];
  }
}
