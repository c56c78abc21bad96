import type { Micros } from '../../time.ts';
import { comparePlace } from '../order.ts';
import type { Piece, UsageSample } from './types.ts';
import type { TimelineQuery, Witness } from './timeline.ts';

/**
 * Several agents on one series: at each instant the first of them (lowest agent_id; senders without one last) that measured
 * it counts. Where none did, the one that heard of the resource last says whether it was there.
 */
export function mergeWitnesses(witnesses: readonly Witness[], query: TimelineQuery): Witness {
  const own = witnesses.map(({ pieces }) => clipped(pieces, query));
  const only = own[0];
  const first = witnesses[0];
  if (only === undefined || first === undefined) return { pieces: [], samples: [], unwatched: new Set() };
  if (own.length === 1) return { ...first, pieces: only, samples: within(first.samples, query) };
  const samples = witnesses.flatMap((witness, i) =>
    within(witness.samples, query).filter(unseenBy(witnesses.slice(0, i), query)),
  );
  samples.sort((a, b) => comparePlace(a, b, 'oldest'));
  const unwatched = new Set(witnesses.flatMap((witness) => [...witness.unwatched]));
  return { pieces: woven(own), samples, unwatched };
}

/** Pieces within the query; of the time that has not come yet nothing is known. */
function clipped(pieces: readonly Piece[], { from, to, asOf }: TimelineQuery): Piece[] {
  const now = asOf ?? Infinity;
  const kept: Piece[] = [];
  for (const piece of pieces) {
    if (piece.to <= from || piece.from >= to) continue;
    const part = cut(piece, Math.max(from, piece.from), Math.min(to, piece.to));
    if (part.to <= now || part.state === 'absent' || part.after !== null) kept.push(part);
    else {
      if (part.from < now) kept.push(cut(part, part.from, now));
      const start = Math.max(part.from, now);
      kept.push({ ...cut(part, start, part.to), state: 'gap', reason: 'not-yet-arrived', coveredTo: start });
    }
  }
  return kept;
}

function cut(piece: Piece, from: Micros, to: Micros): Piece {
  if (from === piece.from && to === piece.to) return piece;
  return { ...piece, from, to, coveredTo: Math.max(from, Math.min(to, piece.coveredTo)) };
}

function within(samples: readonly UsageSample[], { from, to }: TimelineQuery): UsageSample[] {
  return samples.filter(({ timestamp }) => timestamp >= from && timestamp < to);
}

/** A sample counts where no earlier witness measured: a level at its instant, growth just before it. */
function unseenBy(earlier: readonly Witness[], { view }: TimelineQuery): (sample: UsageSample) => boolean {
  return ({ timestamp }) => {
    const at = view === 'level' ? timestamp : timestamp - 1;
    return !earlier.some(({ pieces }) => pieceAt(pieces, at)?.state === 'measured');
  };
}

function pieceAt(pieces: readonly Piece[], at: Micros): Piece | null {
  let [low, high] = [0, pieces.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pieces[middle]?.to ?? Infinity) > at) high = middle;
    else low = middle + 1;
  }
  const piece = pieces[low];
  return piece !== undefined && piece.from <= at ? piece : null;
}

function woven(own: readonly (readonly Piece[])[]): Piece[] {
  const edges = [...new Set(own.flatMap((pieces) => pieces.flatMap(({ from, to }) => [from, to])))].sort(
    (a, b) => a - b,
  );
  const at = own.map(() => 0);
  const kept: Piece[] = [];
  let winner: Piece | null = null;
  for (let i = 0; i + 1 < edges.length; i++) {
    const [from, to] = [edges[i] ?? 0, edges[i + 1] ?? 0];
    let best: Piece | null = null;
    own.forEach((pieces, w) => {
      while ((pieces[at[w] ?? 0]?.to ?? Infinity) <= from) at[w] = (at[w] ?? 0) + 1;
      const piece = pieces[at[w] ?? 0];
      if (piece !== undefined && piece.from <= from && (best === null || isBetter(piece, best))) best = piece;
    });
    const last = kept.at(-1);
    if (best === null) continue;
    if (best === winner && last?.to === from) kept[kept.length - 1] = cut(best, last.from, to);
    else kept.push(cut(best, from, to));
    winner = best;
  }
  return kept;
}

/** Whether a later witness counts before an earlier one. */
function isBetter(later: Piece, earlier: Piece): boolean {
  if (earlier.state === 'measured' || later.state === 'measured') return earlier.state !== 'measured';
  return (later.before?.timestamp ?? -Infinity) > (earlier.before?.timestamp ?? -Infinity);
}
