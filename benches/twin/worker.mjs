// The twin as a Worker: its configuration comes as the var CONFIG and is read once.
import { makeApp } from "./app.mjs";

export { Counter } from "./counter.mjs";

let app;

export default {
  fetch(request, env, context) {
    app ??= makeApp(JSON.parse(env.CONFIG));
    return app.fetch(request, env, context);
  },
};
