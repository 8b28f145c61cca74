// Where the provider of the tests keeps what it issued: a map that outlives the provider, as a database would.

/** An adapter as `oidc-provider` wants one: a function from a model's name to its store. */
export function memoryAdapter() {
  const records = new Map();
  return (model) => new Store(model, records);
}

class Store {
  #model;
  #records;

  constructor(model, records) {
    this.#model = model;
    this.#records = records;
  }

  async upsert(id, payload) {
    this.#records.set(this.#key(id), { id, model: this.#model, payload });
  }

  async find(id) {
    return this.#records.get(this.#key(id))?.payload;
  }

  findByUid(uid) {
    return this.#first((payload) => payload.uid === uid);
  }

  findByUserCode(userCode) {
    return this.#first((payload) => payload.userCode === userCode);
  }

  async destroy(id) {
    this.#records.delete(this.#key(id));
  }

  async consume(id) {
    this.#records.get(this.#key(id)).payload.consumed = Math.floor(Date.now() / 1_000);
  }

  async revokeByGrantId(grantId) {
    for (const [key, { model, payload }] of this.#records) {
      if (model === this.#model && payload.grantId === grantId) this.#records.delete(key);
    }
  }

  async #first(fits) {
    const found = [...this.#records.values()].find(({ model, payload }) => model === this.#model && fits(payload));
    return found?.payload;
  }

  #key(id) {
    return `${this.#model}:${id}`;
  }
}
