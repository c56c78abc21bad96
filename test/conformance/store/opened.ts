import type { Store } from '@nephometer/core';
import type { Test } from 'tap';

/** A store over data of its own, empty at first. */
export interface OpenedStore {
  readonly store: Store;
  /** Closes the store and opens the same data again, as after a restart. */
  readonly reopen: () => Promise<Store>;
  /** Opens a second writer to the same data; null when the engine is single-process. */
  readonly second: (() => Promise<Store>) | null;
}

export type OpenStore = () => Promise<OpenedStore>;

/** The store for one test, closed with it. */
export async function openFor(t: Test, open: OpenStore): Promise<Store> {
  const { store } = await open();
  t.teardown(() => store.close());
  return store;
}
