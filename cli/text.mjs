// How values are written for people.

/** What a terminal would take for a command, or what turns the direction of text. */
const UNPRINTABLE = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
/** The end of the year 9999: beyond it, ISO 8601 has another form. */
export const INSTANT_S_MAX = 253_402_300_799;

/** One line without characters that steer a terminal: names and notes come from others. */
export const printable = (line) => String(line).replace(UNPRINTABLE, "?");

/** The same in JSON text, which keeps what it means: such a character is written as an escape. */
export const printableJson = (document) =>
  JSON.stringify(document).replace(UNPRINTABLE, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Unix seconds as ISO 8601; anything else as it is. */
export function instantText(value) {
  if (!Number.isSafeInteger(value) || value < 0 || value > INSTANT_S_MAX) return String(value ?? "-");
  return new Date(value * 1_000).toISOString().replace(".000Z", "Z");
}

export const listText = (values) => (Array.isArray(values) && values.length > 0 ? values.join(" ") : "-");

/** Rows of texts under `heads`, each column as wide as its widest text. */
export function table(heads, rows) {
  const all = [heads, ...rows].map((row) => row.map(printable));
  const widths = heads.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  return all.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
}

/** Faults of a policy: the place and what is wrong, and below it what to write instead. */
export function faultLines(faults) {
  return faults.flatMap(({ pointer, problem, fix }) => [`${pointer || "/"}: ${problem}`, ...(fix ? [`  ${fix}`] : [])]);
}

/** `text` as one word of a shell. */
export const shellWord = (text) => (/^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
