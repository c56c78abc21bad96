export { createMemoryStore } from './store.ts';
export type { MemoryStoreOptions } from './store.ts';
