import { judgeBytes, judgeOnce, judgeOrigin } from './judge-content.ts';
import { judgeCounts } from './judge-counts.ts';
import { judgeSlots } from './judge-slots.ts';
import type { Evidence, Expectation, Finding, Letter } from './judge-types.ts';

export type { Evidence, Expectation, Finding, Letter } from './judge-types.ts';

/** What each letter claims; FAULTS.md's words. */
export const CLAIMS: Readonly<Record<Letter, string>> = {
  A: 'every spooled id is in the ledger exactly once',
  B: 'nothing is in the ledger that was not issued',
  C: 'bytes and values are equal',
  D: 'every scheduled slot has a sample or a gap record',
  E: 'a fresh sample flows within 10 s of the end of the fault',
  F: 'losses, duplicates and refusals are counted as the oracle counts them',
};

/** Judges what the store holds by what was issued and spooled. E is judged while the fault ends, not here. */
export function judge(evidence: Evidence, expected: Expectation): Finding[] {
  return [
    judgeOnce(evidence, expected),
    judgeOrigin(evidence),
    judgeBytes(evidence),
    judgeSlots(evidence, expected),
    judgeCounts(evidence, expected),
  ];
}
