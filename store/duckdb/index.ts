export { openDuckDbStore } from './open.ts';
export type { DuckDbStoreOptions } from './open.ts';
