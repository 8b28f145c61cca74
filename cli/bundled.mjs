// OpenAPI documents in several files as one: what a reference to another file means becomes a component.
// A path item is put in its place instead, for it has operations that say what is theirs alone.

const ITEM = "pathItem";
/** Deepest path item that refers to another. */
const ITEMS_MAX = 16;

const operations = Object.fromEntries(
  ["get", "put", "post", "delete", "options", "head", "patch", "trace"].map((method) => [method, "operation"]),
);
const parameter = { schema: "schema", content: { each: "media" }, examples: { each: "example" } };
/** What stands where (OpenAPI 3.1 §4.8): the kind of a member, or of each of its members or items. */
const MEMBERS = {
  document: {
    paths: { each: ITEM },
    webhooks: { each: ITEM },
    components: {
      schemas: { each: "schema" },
      responses: { each: "response" },
      parameters: { each: "parameter" },
      examples: { each: "example" },
      requestBodies: { each: "requestBody" },
      headers: { each: "header" },
      securitySchemes: { each: "securityScheme" },
      links: { each: "link" },
      callbacks: { each: "callback" },
      pathItems: { each: ITEM },
    },
  },
  [ITEM]: { ...operations, parameters: { each: "parameter" } },
  operation: {
    parameters: { each: "parameter" },
    requestBody: "requestBody",
    responses: { each: "response" },
    callbacks: { each: "callback" },
  },
  callback: { each: ITEM },
  parameter,
  header: parameter,
  requestBody: { content: { each: "media" } },
  response: { headers: { each: "header" }, content: { each: "media" }, links: { each: "link" } },
  media: { schema: "schema", examples: { each: "example" }, encoding: { each: { headers: { each: "header" } } } },
};
const COMPONENTS = Object.fromEntries(
  Object.entries(MEMBERS.document.components).map(([section, { each }]) => [each, section]),
);
/** Members of a schema whose values are no schemas. */
const VALUES = new Set(["const", "default", "enum", "example", "examples"]);

/**
 * Gives `{ document, at }`: the first file with all that it refers to, and the operations that stand at a place of
 * the files, as `parts/orders.yaml#/get`, in the order in which the document has them.
 *
 * - `files`: each file under its path; none of them is changed.
 */
export function bundled(files) {
  const [entry] = Object.keys(files);
  const document = structuredClone(files[entry]);
  const bundle = new Bundle(files, entry, document);
  bundle.walk("document", document, { file: entry, pointer: "" });
  return { document, at: (place) => bundle.places.get(place) ?? [] };
}

class Bundle {
  places = new Map();
  #files;
  #entry;
  #document;
  /** The component of each place that was put there. */
  #known = new Map();

  constructor(files, entry, document) {
    this.#files = files;
    this.#entry = entry;
    this.#document = document;
  }

  /** - `kind`: a name of `MEMBERS`, `schema`, or what such a name stands for. - `place`: where `node` comes from. */
  walk(kind, node, place) {
    if (typeof node !== "object" || node === null) return;
    if (kind === "schema") return this.#schema(node, place);
    if (kind === "operation") this.#found(place, node);
    if (kind === ITEM) place = this.#inline(node, place);
    else this.#refer(kind, node, place);
    const shape = typeof kind === "string" ? (MEMBERS[kind] ?? {}) : kind;
    for (const [name, below] of Object.entries(node)) {
      const of = name.startsWith("x-") ? undefined : (shape[name] ?? shape.each);
      if (of !== undefined) this.walk(of, below, deeper(place, name));
    }
  }

  #schema(node, place) {
    this.#nameBranches(node, place.file);
    this.#refer("schema", node, place);
    const mapping = node.discriminator?.mapping;
    for (const [value, target] of Object.entries(typeof mapping === "object" && mapping !== null ? mapping : {})) {
      if (typeof target === "string" && /[#./]/.test(target)) mapping[value] = this.#renamed("schema", target, place.file);
    }
    for (const [name, below] of Object.entries(node)) {
      if (VALUES.has(name) || name.startsWith("x-") || name === "discriminator") continue;
      const named = name === "properties" || name === "patternProperties" || name === "$defs" || name === "dependentSchemas";
      const all = Array.isArray(below) || named ? Object.values(below ?? {}) : [below];
      for (const one of all) this.walk("schema", one, place);
    }
  }

  /** A discriminator means a branch by the end of its reference, which may be another in one document. */
  #nameBranches({ discriminator, oneOf, anyOf }, file) {
    const branches = oneOf ?? anyOf;
    if (typeof discriminator !== "object" || discriminator === null || !Array.isArray(branches)) return;
    const mapping = discriminator.mapping ?? {};
    for (const { $ref } of branches) {
      if (typeof $ref !== "string") continue;
      const value = $ref.split("/").pop();
      const renamed = this.#renamed("schema", $ref, file);
      const isMapped = Object.values(mapping).some((target) => target === $ref || target === value);
      if (!isMapped && renamed.split("/").pop() !== value) mapping[value] = renamed;
    }
    if (Object.keys(mapping).length > 0) discriminator.mapping = mapping;
  }

  #found({ file, pointer }, node) {
    const place = `${file}#${pointer}`;
    this.places.set(place, [...(this.places.get(place) ?? []), node]);
  }

  /** A path item in place of the reference to it; where it comes from. */
  #inline(node, place) {
    for (let hops = 0; typeof node.$ref === "string" && hops < ITEMS_MAX; hops += 1) {
      const target = this.#resolve(node.$ref, place.file);
      const item = target && valueAt(this.#files[target.file], target.pointer);
      if (typeof item !== "object" || item === null) return place;
      for (const name of Object.keys(node)) delete node[name];
      Object.assign(node, structuredClone(item));
      place = target;
    }
    return place;
  }

  #refer(kind, node, { file }) {
    if (typeof node.$ref === "string" && (COMPONENTS[kind] || kind === "schema")) node.$ref = this.#renamed(kind, node.$ref, file);
  }

  /** The reference within the one document; as it was where it leads nowhere. */
  #renamed(kind, reference, file) {
    const target = this.#resolve(reference, file);
    if (target === undefined) return reference;
    if (target.file === this.#entry && target.pointer !== "") return `#${encodeURI(target.pointer)}`;
    const place = `${kind} ${target.file}#${target.pointer}`;
    if (!this.#known.has(place)) this.#put(kind, target, place);
    return this.#known.get(place);
  }

  #put(kind, target, place) {
    const value = valueAt(this.#files[target.file], target.pointer);
    const section = COMPONENTS[kind];
    const components = (this.#document.components ??= {});
    const taken = (components[section] ??= {});
    const last = target.pointer.split("/").pop() || target.file.split("/").pop().replace(/\.[^.]*$/, "");
    const plain = unescaped(last).replace(/[^A-Za-z0-9._-]/g, "_").replace(/^_+/, "") || "part";
    let name = plain;
    for (let number = 2; Object.hasOwn(taken, name); number += 1) name = `${plain}_${number}`;
    // Before it is walked: it may refer to itself.
    this.#known.set(place, `#/components/${section}/${name}`);
    taken[name] = structuredClone(value);
    this.walk(kind, taken[name], target);
  }

  #resolve(reference, file) {
    const [path, fragment = ""] = reference.split("#");
    const pointer = decoded(fragment);
    if (path.includes(":") || path.startsWith("/")) return undefined;
    const parts = path === "" ? file.split("/") : [...file.split("/").slice(0, -1), ...decoded(path).split("/")];
    const target = [];
    for (const part of parts) {
      if (part === "..") target.pop();
      else if (part !== "." && part !== "") target.push(part);
    }
    const name = target.join("/");
    const known = Object.hasOwn(this.#files, name) && valueAt(this.#files[name], pointer) !== undefined;
    return known ? { file: name, pointer } : undefined;
  }
}

function deeper({ file, pointer }, name) {
  return { file, pointer: `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}` };
}

/** What a pointer leads to (RFC 6901). */
function valueAt(value, pointer) {
  const parts = pointer.split("/").slice(1).map(unescaped);
  const below = (node, part) => (typeof node === "object" && node !== null && Object.hasOwn(node, part) ? node[part] : undefined);
  return parts.reduce(below, value);
}

function unescaped(part) {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
