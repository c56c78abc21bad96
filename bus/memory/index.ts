export { MemoryBroker, type BrokerOptions } from './broker.ts';
export { createMemoryBroker, createMemoryBus, MemoryBus, type MemoryBusOptions } from './bus.ts';
export { topicMatches } from './match.ts';
