// The order book: one Durable Object that keeps every order, and counts the requests that came.
import { DurableObject } from "cloudflare:workers";

/** One book for all accounts: a demo has few orders, and an order is removed by its id alone. */
export const book = (env) => env.BOOK.getByName("book");

/** Orders that a new book begins with, so that printed commands can name one. */
const FIRST_ORDERS = [
  { id: "ord_00000000000000a1", account: "alpha", item: "tea", quantity: 3 },
  { id: "ord_00000000000000b1", account: "beta", item: "coffee", quantity: 1 },
];

export class Book extends DurableObject {
  #sql;

  constructor(ctx, env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    const known = this.#all("SELECT name FROM sqlite_master WHERE name = 'orders'");
    if (known.length === 0) this.#begin();
  }

  countHit() {
    this.#sql.exec("UPDATE hits SET count = count + 1");
  }

  hits() {
    return this.#sql.exec("SELECT count FROM hits").one().count;
  }

  /** The newest orders of an account, `limit` at most. */
  list(account, limit) {
    const query = "SELECT * FROM orders WHERE account = ? ORDER BY created_at DESC, id LIMIT ?";
    return this.#all(query, account, limit).map(asOrder);
  }

  find(account, id) {
    const found = this.#all("SELECT * FROM orders WHERE account = ? AND id = ?", account, id);
    return found.map(asOrder).at(0) ?? null;
  }

  /** Whoever's it is. */
  findAny(id) {
    const found = this.#all("SELECT * FROM orders WHERE id = ?", id);
    return found.map(asOrder).at(0) ?? null;
  }

  add({ id = newId(), account, item, quantity, note = null, express = false, created_by = null }) {
    const row = [id, account, item, quantity, note, Number(express), new Date().toISOString()];
    this.#sql.exec("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?)", ...row, created_by);
    return this.find(account, id);
  }

  /** Gives the order that is no more, or `null`. */
  remove(id) {
    const removed = this.#all("DELETE FROM orders WHERE id = ? RETURNING *", id);
    return removed.map(asOrder).at(0) ?? null;
  }

  #begin() {
    this.#sql.exec(`
      CREATE TABLE orders (
        id TEXT PRIMARY KEY, account TEXT, item TEXT, quantity INTEGER,
        note TEXT, express INTEGER, created_at TEXT, created_by TEXT
      );
      CREATE INDEX orders_by_account ON orders (account, created_at);
      CREATE TABLE hits (count INTEGER);
      INSERT INTO hits VALUES (0);
    `);
    for (const order of FIRST_ORDERS) this.add(order);
  }

  #all(query, ...values) {
    return this.#sql.exec(query, ...values).toArray();
  }
}

const asOrder = (row) => ({ ...row, express: row.express === 1 });

/** `ord_` and 16 characters of 0-9a-z, as the policy describes an order's id. */
function newId() {
  const digits = crypto.getRandomValues(new Uint8Array(16));
  return `ord_${Array.from(digits, (digit) => (digit % 36).toString(36)).join("")}`;
}
