export { BENCHES } from './benches.ts';
export { measure } from './measure.ts';
export type { Bench, Bounds, Course, Measured, Result, Spread, Subject } from './measure.ts';
