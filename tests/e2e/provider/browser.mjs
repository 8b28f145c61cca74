// A user at a browser: follows redirects, keeps cookies, logs in, consents.

const STEPS_MAX = 20;

/**
 * A browser with an empty cookie jar.
 *
 * - `account`: who sits at it.
 */
export function openBrowser({ account = "alice" } = {}) {
  const jar = new Map();
  let login = { account, acr: "aal1", ago_s: "0" };

  const ask = async (url, form) => {
    const answer = await fetch(url, {
      redirect: "manual",
      headers: { cookie: cookiesFor(jar, new URL(url).pathname) },
      ...(form && { method: "POST", body: new URLSearchParams(form) }),
    });
    for (const line of answer.headers.getSetCookie()) keep(jar, line);
    return answer;
  };

  /** Follows redirects and fills in forms until it is sent to `until` or a page has nothing more to ask. */
  const go = async (url, { form, until } = {}) => {
    let answer = await ask(url, form);
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const location = answer.headers.get("location");
      const page = await answer.text();
      if (!location) return { status: answer.status, page };
      const next = new URL(location, url);
      if (until && next.href.startsWith(until)) return { status: answer.status, arrived: next };
      const isForm = next.pathname.startsWith("/interaction/");
      answer = await ask(next.href, isForm ? login : undefined);
    }
    throw new Error(`no end to the redirects from ${url}`);
  };

  return {
    go,
    /** How this user logs in from now on: `acr`, and how many seconds ago it was (`ago_s`). */
    logsIn: (change) => void (login = { ...login, ...change }),

    /** Enters a device's code, at the address that holds it. */
    async confirmDevice(url) {
      const first = fieldsOf((await go(url)).page);
      const action = new URL("/device", url).href;
      const second = fieldsOf((await go(action, { form: first })).page);
      return go(action, { form: second });
    },
  };
}

/** The hidden fields of a page's form. */
function fieldsOf(page) {
  const inputs = [...page.matchAll(/<input[^>]*name="(?<name>[^"]+)"[^>]*value="(?<value>[^"]*)"/g)];
  return Object.fromEntries(inputs.map(({ groups: { name, value } }) => [name, value]));
}

function keep(jar, line) {
  const [pair, ...attributes] = line.split("; ");
  const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
  const path = attributes.find((attribute) => attribute.startsWith("path="))?.slice(5) ?? "/";
  const key = `${name} ${path}`;
  if (value) jar.set(key, { name, value, path });
  else jar.delete(key);
}

function cookiesFor(jar, path) {
  const fitting = [...jar.values()].filter((cookie) => path === cookie.path || path.startsWith(folder(cookie.path)));
  return fitting.map(({ name, value }) => `${name}=${value}`).join("; ");
}

const folder = (path) => (path.endsWith("/") ? path : `${path}/`);
