/** Runs several sources, at most `parallel` at a time, and gives what they yield as it comes. */
export async function* merge<T>(sources: readonly (() => AsyncGenerator<T>)[], parallel: number): AsyncGenerator<T> {
  const waiting = [...sources];
  const running = new Map<AsyncGenerator<T>, Promise<[AsyncGenerator<T>, IteratorResult<T>]>>();
  const advance = (source: AsyncGenerator<T>): void => {
    running.set(
      source,
      source.next().then((result) => [source, result]),
    );
  };
  try {
    for (;;) {
      for (let next = waiting[0]; next !== undefined && running.size < parallel; next = waiting[0]) {
        waiting.shift();
        advance(next());
      }
      if (running.size === 0) return;
      const [source, result] = await Promise.race(running.values());
      if (result.done === true) running.delete(source);
      else {
        advance(source);
        yield result.value;
      }
    }
  } finally {
    for (const [source, next] of running) {
      void next.catch(() => undefined);
      void source.return(undefined).catch(() => undefined);
    }
  }
}
