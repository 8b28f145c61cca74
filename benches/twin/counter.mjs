// The twin's limiter: a sliding window by two counters, in memory. A row is written at each tenth of the limit, so that
// an object that is evicted forgets a tenth at most: cheaper than a write for each request, and what many apps do.
import { DurableObject } from "cloudflare:workers";

const WRITES_PER_WINDOW = 10;

export class Counter extends DurableObject {
  #window = 0;
  #before = 0;
  #now = 0;

  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS counts (id INTEGER PRIMARY KEY, window INTEGER, before INTEGER, now INTEGER)");
    const [kept] = ctx.storage.sql.exec("SELECT window, before, now FROM counts").toArray();
    if (kept) [this.#window, this.#before, this.#now] = [kept.window, kept.before, kept.now];
  }

  /** Counts one request; gives `{ admitted, remaining, retryAfterS }`. */
  hit(limit, windowMs) {
    const now = Date.now();
    this.#turn(Math.floor(now / windowMs));
    const passed = (now % windowMs) / windowMs;
    const used = this.#before * (1 - passed) + this.#now;
    if (used + 1 > limit) return { admitted: false, remaining: 0, retryAfterS: Math.ceil(((1 - passed) * windowMs) / 1_000) };
    this.#now += 1;
    if (this.#now % Math.ceil(limit / WRITES_PER_WINDOW) === 1) this.#write();
    return { admitted: true, remaining: Math.floor(limit - used - 1), retryAfterS: 0 };
  }

  #turn(window) {
    if (window === this.#window) return;
    this.#before = window === this.#window + 1 ? this.#now : 0;
    this.#now = 0;
    this.#window = window;
  }

  #write() {
    const row = "INSERT OR REPLACE INTO counts (id, window, before, now) VALUES (1, ?, ?, ?)";
    this.ctx.storage.sql.exec(row, this.#window, this.#before, this.#now);
  }
}
