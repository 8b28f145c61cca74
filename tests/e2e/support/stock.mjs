// A second Worker, which is an origin by a service binding. What it sees it tells; `/__seen` is for tests.
import { verifyRequest } from "./message.mjs";

let seen = 0;

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/__seen") return Response.json(seen);
    seen += 1;
    switch (pathname.split("/")[1]) {
      case "moved":
        return new Response(null, { status: 302, headers: { location: "https://elsewhere.test/secret" } });
      case "slow":
        await new Promise((done) => setTimeout(done, 3_000));
        return new Response("late");
      case "held":
        await new Promise((done) => setTimeout(done, 400));
        return new Response("held");
      case "throws":
        throw new Error("asked to");
      case "broken":
        return new Response("no", { status: 503 });
      case "large":
        return new Response("x".repeat(1_000));
    }
    let fault = null;
    const content = await request.clone().text();
    if (env.KEYS) await verifyRequest(request, env.KEYS).catch((error) => (fault = error.message));
    return Response.json({
      name: env.NAME, url: request.url, method: request.method, content, fault,
      fields: Object.fromEntries(request.headers),
    });
  },
};
