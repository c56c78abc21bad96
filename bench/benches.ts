import { decimalBench } from './decimal.ts';
import type { Bench } from './measure.ts';
import { recordBench } from './record.ts';
import { sealBench } from './seal.ts';
import { usageBench } from './usage.ts';
import { usageFoldsBench } from './usage-folds.ts';
import { verifyBench } from './verify.ts';

/** In the order in which they run. */
export const BENCHES: readonly Bench[] = [
  verifyBench,
  recordBench,
  sealBench,
  decimalBench,
  usageBench,
  usageFoldsBench,
];
