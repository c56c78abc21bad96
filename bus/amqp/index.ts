export { AmqpBus, createAmqpBus, type AmqpBusOptions } from './bus.ts';
export { maskUrl, type BusSettings } from './dial.ts';
