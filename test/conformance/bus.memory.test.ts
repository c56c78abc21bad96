import { createMemoryBroker, createMemoryBus } from '@nephometer/bus-memory';
import t from 'tap';
import { busSuite } from './bus.suite.ts';

const broker = createMemoryBroker();

busSuite(t, { open: async () => createMemoryBus({ broker }), maxMessage: 16 * 2 ** 20 });
