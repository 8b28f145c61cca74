// What the Workers runtime loads: the Rust module, with its Durable Objects as classes that the runtime can call by
// RPC. The classes that wasm-bindgen writes do not extend `DurableObject`, and only such classes take RPC.
import { DurableObject } from "cloudflare:workers";
import * as rust from "./index.js";

export default {
  fetch(request, env, ctx) {
    const answer = new Promise((settle, fail) => {
      open.add(fail);
      const end = (response) => {
        open.delete(fail);
        response ? settle(response) : fail(new Error("no response"));
      };
      entering(() => rust.serve(request, env, ctx, end));
    }).catch((error) => {
      // A panic is caught in Rust. What arrives here is a trap: the instance is gone, this answer is all there is.
      console.error(`trap: ${error}`);
      return trapped(request);
    });
    // A client that goes away takes neither the log line nor what others wait for along.
    ctx.waitUntil(answer);
    return answer;
  },
};

/** What ends the requests that Rust is at, and the sessions. */
const open = new Set();

/** Calls Rust. A trap ends the instance, and with it every request that it is at: what they wait for finds nobody. */
function entering(call) {
  try {
    call();
  } catch (error) {
    for (const fail of open) fail(error);
    open.clear();
  }
}

// The JavaScript that belongs to Rust cannot see what Rust exports, and is introduced here.
rust.enter_by((number, found) => entering(() => hand(number, found)), hear);

/** Has `fail` called where a trap ends the instance; gives what ends that. */
function hear(fail) {
  open.add(fail);
  return () => void open.delete(fail);
}

/** Nothing was waited for under this number. */
const NOTHING = 0;

/** Hands over to Rust what it waited for under a number, or lets it run what is ready. */
function hand(number, found) {
  if (number === NOTHING) rust.run_ready();
  else if (typeof found === "number") rust.hand_number(number, found);
  else if (typeof found === "string") rust.hand_text(number, found);
  else if (found instanceof Uint8Array) rust.hand_bytes(number, found);
  else rust.hand_value(number, found);
}

/** The answer to a request that took its wasm instance down. */
function trapped(request) {
  const problem = {
    type: `${new URL(request.url).origin}/.edgeward/problems/overloaded`,
    title: "Overloaded",
    status: 503,
    detail: "The gateway failed on this request. Try again after Retry-After.",
    instance: `urn:uuid:${crypto.randomUUID()}`,
    code: "overloaded",
  };
  const headers = {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "retry-after": "5",
  };
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

// `charge` takes and gives JSON text; `broker` likewise, with the name of the object it borrows from.
export const Limiter = inRust(rust.Limiter, ["fetch", "alarm", "charge", "broker"]);
// `take`, `act` likewise.
export const Replay = inRust(rust.Replay, ["fetch", "alarm", "take"]);
export const Idempotency = inRust(rust.Idempotency, ["fetch", "alarm", "act"]);

/** A Durable Object that is the Rust object `Rust`, made anew when its wasm instance is gone. */
function inRust(Rust, methods) {
  return class RustObject extends DurableObject {
    #object;
    #instance;

    constructor(ctx, env) {
      super(ctx, env);
      this.#current();
    }

    #current() {
      const now = liveInstance();
      if (this.#instance !== now) {
        this.#object = new Rust(this.ctx, this.env);
        this.#instance = now;
      }
      return this.#object;
    }

    // Only what is named becomes a method: every public method of the class can be called from outside.
    static {
      for (const name of methods) {
        this.prototype[name] = function (...args) {
          return this.#current()[name](...args);
        };
      }
    }
  };
}

/**
 * The number of the wasm instance that answers now. A panic unwinds and leaves the instance alone; a trap (stack or
 * memory exhausted) ends it, and the next call into Rust replaces it. This is such a call, so it must come before
 * any use of an object that may live in the old instance: the glue looks at an object's instance before it makes a
 * new one, and would hand an old address to new memory.
 */
function liveInstance() {
  return rust.__worker_init_state().instanceId;
}
