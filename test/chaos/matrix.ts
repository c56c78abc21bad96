import type { ChaosCase } from './case.ts';
import { agentKilled, collectorKilled } from './cases/kills.ts';

/** Every fault that is asked for, by its number. */
export const CASES: readonly ChaosCase[] = [agentKilled, collectorKilled];

/** Numbers of FAULTS.md that are asked for and have no case; they are told, never left out. */
export const ALL_NUMBERS = [...Array.from({ length: 23 }, (_, index) => index + 1), 26, 31] as const;
