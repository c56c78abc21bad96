/** Work of many at once: so many at a time, and of one key one after the other. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  /** The last of each key; settles and never rejects. */
  readonly #last = new Map<string, Promise<void>>();

  constructor(atATime: number) {
    this.#free = atATime;
  }

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    // Who waits for others of its key keeps no place from the rest.
    const before = this.#last.get(key) ?? Promise.resolve();
    const turn = before.then(() => this.#inPlace(work));
    const last = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(key, last);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === last) this.#last.delete(key);
    }
  }

  async #inPlace<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

/** As `Promise.all`, but when one fails the others are waited for too, so that nothing goes on behind the caller's back. */
export async function allDone<T>(works: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(works);
  return Promise.all(works);
}
