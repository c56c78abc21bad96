import type { ChaosCase } from './case.ts';
import { pollHangs, twoWitnesses } from './cases/agents.ts';
import { memoryAlarm, topologyError } from './cases/alarms.ts';
import { malformed, oversized, poison } from './cases/bad-messages.ts';
import { brokerRestart, brokerWiped, halfOpen, unroutable } from './cases/broker.ts';
import { clockJumps } from './cases/clock.ts';
import { leaderKilled, partition } from './cases/cluster.ts';
import { forgeries, replayed } from './cases/forgeries.ts';
import { agentKilled, collectorKilled } from './cases/kills.ts';
import { delivered3Times, reordered } from './cases/messages.ts';
import { diskFull, spoolCorrupt } from './cases/spool.ts';
import { storeDown, storeRejects, storeSlow } from './cases/store.ts';

/** Every fault that is asked for, by its number. */
export const CASES: readonly ChaosCase[] = [
  agentKilled,
  collectorKilled,
  brokerRestart,
  leaderKilled,
  partition,
  halfOpen,
  memoryAlarm,
  topologyError,
  brokerWiped,
  unroutable,
  diskFull,
  spoolCorrupt,
  storeDown,
  storeSlow,
  storeRejects,
  clockJumps,
  delivered3Times,
  reordered,
  poison,
  malformed,
  oversized,
  forgeries,
  replayed,
  pollHangs,
  twoWitnesses,
];

/** Numbers of FAULTS.md that are asked for and have no case; they are told, never left out. */
export const ALL_NUMBERS = [...Array.from({ length: 23 }, (_, index) => index + 1), 26, 31] as const;
