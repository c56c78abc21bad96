import { createMemoryStore } from '@nephometer/store-memory';
import t from 'tap';
import { runStoreSuite } from './store.suite.ts';

// Nothing outlives the process in memory: a restart is the same store, and what closes it comes last.
runStoreSuite(t, 'memory', async () => {
  const store = createMemoryStore();
  return { store, reopen: async () => store, second: null };
});
