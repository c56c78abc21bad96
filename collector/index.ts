export { createCollector } from './collector.ts';
export type { Collector, CollectorOptions } from './collector.ts';
