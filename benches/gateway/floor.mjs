// The floor: a Worker that hands every request to the origin and checks nothing.
export default {
  fetch: (request, env) => {
    const { pathname, search } = new URL(request.url);
    return fetch(env.ORIGIN + pathname + search, request);
  },
};
