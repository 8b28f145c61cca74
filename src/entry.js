// What the Workers runtime loads: the Rust module, with its Durable Objects as classes that the runtime can call by
// RPC. The classes that wasm-bindgen writes do not extend `DurableObject`, and only such classes take RPC.
import { DurableObject } from "cloudflare:workers";
import * as rust from "./index.js";

export default {
  fetch: (request, env, ctx) => rust.fetch(request, env, ctx),
};

// `charge` takes and gives JSON text.
export const Limiter = inRust(rust.Limiter, ["fetch", "alarm", "charge"]);

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
