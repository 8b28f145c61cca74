// What the gateway makes of a policy with OpenAPI documents, asked and told.

/** What an answer of `policy/import` has. */
export const IMPORTED = {
  loads: "boolean",
  name: "string?",
  version: "string?",
  faults: "array",
  policy: "object?",
  report: "object?",
};

/** Whether every part of the documents is routed and enforced. */
export function isWhole(report) {
  const { left_out: leftOut = [], not_enforced: open = [] } = report ?? {};
  return leftOut.length === 0 && open.length === 0;
}

/** The report as lines; none where there is no report. */
export function reportLines(report) {
  if (!report) return [];
  const leftOut = report.left_out.map(({ operation, place, problem }) => `  not routed: ${operation}: ${problem} (${place})`);
  const open = report.not_enforced.map(
    ({ problem, place, times }) => `  not enforced: ${problem} (${times > 1 ? `${times} times, first ` : ""}${place})`,
  );
  return [`${report.imported} of ${report.operations} operations imported`, ...leftOut, ...open];
}
