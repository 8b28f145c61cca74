// The limiters of others, each used as its README says, on the same Redis.
//
// A system is `{ name, note, open({ limit, windowMs, vantages, subject }) }`; `open` gives `{ askers, calls() }`: one
// `async () => true when admitted` for each vantage, which has a connection and a limiter of its own, and how many
// remote calls they have made.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Ratelimit } from "@upstash/ratelimit";
import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { installed } from "../../scripts/place.mjs";

/** Lets each library load its script, on a subject of its own. */
const WARM = "warm";

/** - `redis`: as `startRedis` gives it. */
export function redisSystems(redis) {
  const flexible = versionOf("rate-limiter-flexible");
  const upstash = versionOf("@upstash/ratelimit");
  const off = { ephemeralCache: false };
  return [
    { name: "rate-limiter-flexible", note: `${flexible}, fixed window`, open: opener(redis, flexibleLimiter) },
    { name: "upstash sliding", note: `${upstash}, no cache`, open: opener(redis, upstashLimiter("slidingWindow", off)) },
    { name: "upstash sliding, cached", note: `${upstash}, as by default`, open: opener(redis, upstashLimiter("slidingWindow", {})) },
    { name: "upstash fixed", note: `${upstash}, no cache`, open: opener(redis, upstashLimiter("fixedWindow", off)) },
  ];
}

const versionOf = (name) => JSON.parse(readFileSync(installed(name, "package.json"), "utf8")).version;

/** `limiterOf(client, limit, windowMs)` gives `async (subject) => true` when admitted. */
function opener(redis, limiterOf) {
  const clients = [];
  return async ({ limit, windowMs, vantages, subject }) => {
    while (clients.length < vantages) clients.push(await redis.client());
    const used = clients.slice(0, vantages);
    const limiters = used.map((client) => limiterOf(client, limit, windowMs));
    for (const limiter of limiters) await limiter(WARM);
    const sent = () => used.reduce((sum, client) => sum + client.sent, 0);
    const before = sent();
    return { askers: limiters.map((limiter) => () => limiter(subject)), calls: () => sent() - before };
  };
}

function flexibleLimiter(client, points, windowMs) {
  const limiter = new RateLimiterRedis({ storeClient: client, points, duration: windowMs / 1_000 });
  return async (subject) => {
    try {
      await limiter.consume(subject);
      return true;
    } catch (refusal) {
      // It throws its answer when it refuses, and an error when it fails.
      if (refusal instanceof RateLimiterRes) return false;
      throw refusal;
    }
  };
}

function upstashLimiter(algorithm, options) {
  return (client, tokens, windowMs) => {
    const limiter = new Ratelimit({
      redis: upstashClient(client),
      limiter: Ratelimit[algorithm](tokens, `${windowMs} ms`),
      prefix: `${algorithm}-${tokens}-${windowMs}`,
      ...options,
    });
    return async (subject) => {
      const { success, reason } = await limiter.limit(subject);
      if (reason === "timeout") throw new Error("no answer in time");
      return success;
    };
  };
}

/**
 * The two methods of Upstash's client that its limiter calls, over ioredis. Redis does not know the flag that
 * Upstash's scripts begin with (it tells their servers how to lock), so the first line goes; the hash is then another.
 */
function upstashClient(client) {
  const hashes = new Map();
  return {
    evalsha: (theirs, keys, args) => client.evalsha(hashes.get(theirs) ?? theirs, keys.length, ...keys, ...args),
    eval(script, keys, args) {
      const plain = script.replace(/^#!lua flags=allow-key-locking\n/, "");
      hashes.set(sha1(script), sha1(plain));
      return client.eval(plain, keys.length, ...keys, ...args);
    },
  };
}

const sha1 = (text) => createHash("sha1").update(text).digest("hex");
