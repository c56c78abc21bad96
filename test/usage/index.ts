/** What other workspaces make use of: a synthetic cloud, recorded in a store, and an API over it. */
export { read, startApi } from './api.ts';
export type { Asked, Asking } from './api.ts';
export { arrivalsOf, recordArrivals } from './cloud.ts';
export type { AgentPlan, Arrival, CloudPlan } from './cloud.ts';
export { deskOver, keeperOf } from './desks.ts';
export type { Desk } from './desks.ts';
