export { connectInflux, openInfluxStore } from './open.ts';
export type { InfluxStoreOptions } from './open.ts';
export { WriteRejected } from './client.ts';
export type { InfluxClient, InfluxSeries } from './client.ts';
