// A table for a terminal.

/** Lines up `rows`, objects with the same keys, under their keys; numbers and their like stand to the right. */
export function table(rows) {
  const names = Object.keys(rows[0] ?? {});
  const lines = [names, ...rows.map((row) => names.map((name) => String(row[name])))];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const right = names.map((_, column) => lines.slice(1).every((line) => /^\d/.test(line[column]) && !/[a-z]$/.test(line[column])));
  const text = (line) => line.map((cell, column) => (right[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])));
  const rule = widths.map((width) => "-".repeat(width));
  return [text(lines[0]), rule, ...lines.slice(1).map(text)].map((line) => line.join("  ").trimEnd()).join("\n");
}
