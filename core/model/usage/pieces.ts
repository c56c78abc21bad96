import { decimal } from '../../decimal.ts';
import type { Decimal } from '../../decimal.ts';
import type { Micros } from '../../time.ts';
import { explainGap } from './gaps.ts';
import type { Reading } from './hold.ts';
import type { GapReason, Piece, Step, UsageSample } from './types.ts';
import type { Watch } from './watch.ts';

export const NOTHING = decimal(0);

/** What pieces around a reading have in common. */
export type PieceBase = Omit<Piece, 'from' | 'to' | 'state' | 'reason' | 'coveredTo'>;

export function pieceBase(
  near: Reading,
  before: UsageSample | null,
  after: UsageSample | null,
  revision: Micros,
  step: Step | null = null,
  hidden: Decimal | null = null,
): PieceBase {
  const basis = near.tick === null ? 'cadence' : 'cycles';
  return { before, after, step, hidden, basis, revision };
}

export function pushMeasured(from: Micros, to: Micros, base: PieceBase, pieces: Piece[], coveredTo = to): void {
  if (to > from) pieces.push(piece(from, to, 'measured', null, base, coveredTo));
}

export function pushAbsent(from: Micros, to: Micros, base: PieceBase, pieces: Piece[]): void {
  if (to > from) pieces.push(piece(from, to, 'absent', null, base, to));
}

export function pushGap(from: Micros, to: Micros, reason: GapReason, base: PieceBase, pieces: Piece[]): void {
  if (to > from) pieces.push(piece(from, to, 'gap', reason, base, from));
}

/** Spelled out, not spread: a month has fifty thousand of them. */
function piece(
  from: Micros,
  to: Micros,
  state: Piece['state'],
  reason: GapReason | null,
  { before, after, step, hidden, basis, revision }: PieceBase,
  coveredTo: Micros,
): Piece {
  return { from, to, state, reason, before, after, step, hidden, coveredTo, basis, revision };
}

/** Gaps with their reasons, as the ticks and losses of the agent have it. */
export function pushExplained(
  from: Micros,
  to: Micros,
  near: Reading,
  watch: Watch,
  base: PieceBase,
  pieces: Piece[],
): void {
  for (const gap of explainGap(from, to, near, watch)) {
    const revision = Math.max(base.revision, gap.revision);
    pushGap(gap.from, gap.to, gap.reason, { ...base, revision }, pieces);
  }
}
