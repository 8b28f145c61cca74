// The configuration of a bare workerd: one worker, its Durable Objects in files, a native origin, no miniflare between.

/** What stands for the origin, the store and the disk among workerd's services. */
const ORIGIN = "origin";
const STORE = "store";
const DISK = "disk";

/**
 * The text of a configuration.
 *
 * - `modules`: `[{ name, kind, file }]`: `kind` is `esModule` or `wasm`, `file` relative to the configuration.
 * - `bindings`: text by name, each `{ file }`. - `objects`: names of Durable Object classes, each bound as `binding`.
 * - `origin`, `store`: `HOST:PORT`; every fetch of the worker goes to the first, reads of `STORE` to the second.
 * - `disk`: the folder that keeps Durable Objects. - `flags`: compatibility flags.
 */
export function configText({ modules, bindings, objects, origin, store, disk, date, flags }) {
  const bound = [
    ...Object.entries(bindings).map(([name, { file }]) => entry({ name: quoted(name), text: `embed ${quoted(file)}` })),
    ...objects.map(({ binding, className }) => entry({ name: quoted(binding), durableObjectNamespace: quoted(className) })),
    ...(store ? [entry({ name: quoted("STORE"), kvNamespace: quoted(STORE) })] : []),
  ];
  const namespaces = objects.map(({ className }) =>
    entry({ className: quoted(className), uniqueKey: quoted(`bench-${className}`), enableSql: "true" }),
  );
  const services = [
    entry({ name: quoted("worker"), worker: ".worker" }),
    entry({ name: quoted(DISK), disk: entry({ path: quoted(disk), writable: "true" }) }),
    entry({ name: quoted(ORIGIN), external: entry({ address: quoted(origin), http: "()" }) }),
    ...(store ? [entry({ name: quoted(STORE), external: entry({ address: quoted(store), http: "()" }) })] : []),
  ];
  // As Cloudflare's front would: the scheme and what it knows of the connection come beside the request.
  const http = entry({ forwardedProtoHeader: quoted(PROTO_HEADER), cfBlobHeader: quoted(CF_HEADER) });
  const sockets = [entry({ name: quoted("http"), address: quoted("127.0.0.1:0"), http, service: quoted("worker") })];
  const loaded = modules.map(({ name, kind, file }) => entry({ name: quoted(name), [kind]: `embed ${quoted(file)}` }));
  const storage = objects.length > 0 ? { durableObjectStorage: entry({ localDisk: quoted(DISK) }) } : {};
  const worker = entry({
    modules: list(loaded),
    compatibilityDate: quoted(date),
    compatibilityFlags: list(flags.map(quoted)),
    bindings: list(bound),
    globalOutbound: quoted(ORIGIN),
    durableObjectNamespaces: list(namespaces),
    ...storage,
  });
  return [
    'using Workerd = import "/workerd/workerd.capnp";',
    `const config :Workerd.Config = ${entry({ services: list(services), sockets: list(sockets) })};`,
    `const worker :Workerd.Worker = ${worker};`,
    "",
  ].join("\n");
}

export const PROTO_HEADER = "x-forwarded-proto";
export const CF_HEADER = "bench-cf";

const entry = (members) => `(${Object.entries(members).map(([name, value]) => `${name} = ${value}`).join(", ")})`;
const list = (items) => `[${items.join(", ")}]`;
const quoted = (text) => JSON.stringify(text);
