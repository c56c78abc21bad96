import type { ChaosCase } from './case.ts';
import { brokerRestart, brokerWiped, halfOpen, unroutable } from './cases/broker.ts';
import { forgeries, replayed } from './cases/forgeries.ts';
import { agentKilled, collectorKilled } from './cases/kills.ts';
import { delivered3Times, reordered } from './cases/messages.ts';

/** Every fault that is asked for, by its number. */
export const CASES: readonly ChaosCase[] = [
  agentKilled,
  collectorKilled,
  brokerRestart,
  halfOpen,
  brokerWiped,
  unroutable,
  delivered3Times,
  reordered,
  forgeries,
  replayed,
];

/** Numbers of FAULTS.md that are asked for and have no case; they are told, never left out. */
export const ALL_NUMBERS = [...Array.from({ length: 23 }, (_, index) => index + 1), 26, 31] as const;
