// How clients write parameters and forms (OpenAPI 3.1 §4.8.12.2, RFC 6570 §3.2).

const SEPARATORS = { spaceDelimited: " ", pipeDelimited: "|" };
const BOUNDARY = "edgeward-test-boundary";

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value) => encodeURIComponent(String(value));

/** The segment of a path. */
export function pathText({ name, style = "simple", explode = false }, value) {
  const lead = { simple: "", label: ".", matrix: ";" }[style];
  const named = style === "matrix" ? `${name}=` : "";
  const between = explode ? { simple: ",", label: ".", matrix: ";" }[style] : ",";
  if (Array.isArray(value)) {
    const each = explode ? named : "";
    return lead + (explode ? "" : named) + value.map((one) => each + text(one)).join(between);
  }
  if (isObject(value)) {
    const members = Object.entries(value).map(([key, one]) => (explode ? `${key}=${text(one)}` : `${key},${text(one)}`));
    return lead + (explode ? "" : named) + members.join(between);
  }
  return lead + named + text(value);
}

/** Names and values of a query or of a form's field. */
export function pairs({ name, style = "form", explode = style === "form" }, value) {
  const between = SEPARATORS[style] ?? ",";
  if (Array.isArray(value)) return explode ? value.map((one) => [name, String(one)]) : [[name, value.join(between)]];
  if (!isObject(value)) return [[name, String(value)]];
  const members = Object.entries(value).map(([key, one]) => [key, String(one)]);
  if (style === "deepObject") return members.map(([key, one]) => [`${name}[${key}]`, one]);
  return explode ? members : [[name, members.flat().join(between)]];
}

export function headerText({ explode = false }, value) {
  if (Array.isArray(value)) return value.join(", ");
  if (!isObject(value)) return String(value);
  return Object.entries(value)
    .map(([key, one]) => (explode ? `${key}=${one}` : `${key},${one}`))
    .join(",");
}

/** - `encoding`: of the document, by field. Gives `{ type, body }`. */
export function urlencoded(fields, encoding = {}) {
  const all = Object.entries(fields).flatMap(([name, value]) => pairs({ name, ...encoding[name] }, value));
  return { type: "application/x-www-form-urlencoded", body: String(new URLSearchParams(all)) };
}

/** - `schemaOf`: the schema of a field, references followed. */
export function multipart(fields, encoding = {}, schemaOf = () => ({})) {
  const parts = Object.entries(fields).flatMap(([name, value]) => {
    const schema = schemaOf(name);
    const one = (value, { format, contentMediaType } = {}) => {
      const said = encoding[name]?.contentType?.split(",")[0].replace("*", "png");
      const isFile = format === "binary" || contentMediaType !== undefined;
      const filename = isFile ? '; filename="a.bin"' : "";
      const type = said ?? (isFile ? "application/octet-stream" : isObject(value) ? "application/json" : "text/plain");
      const content = isObject(value) ? JSON.stringify(value) : String(value);
      return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${filename}\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`;
    };
    return Array.isArray(value) ? value.map((each) => one(each, schema.items)) : [one(value, schema)];
  });
  return { type: `multipart/form-data; boundary=${BOUNDARY}`, body: `${parts.join("")}--${BOUNDARY}--\r\n` };
}
