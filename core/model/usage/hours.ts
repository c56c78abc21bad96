import { HOUR } from '../../time.ts';
import type { Micros } from '../../time.ts';
import type { Series } from '../sample.ts';
import type { AttributeReader } from './attributes.ts';
import { CellBuilder } from './cell.ts';
import { Running } from './integral.ts';
import type { Timeline } from './timeline.ts';
import type { Claim, EdgeRule, FoldView, HourCell, HourFold, Piece, UsageSample } from './types.ts';

export interface CellParameters {
  readonly view: FoldView;
  readonly edge: EdgeRule;
  /** Instants beside the full UTC hours at which cells are cut. Ascending. */
  readonly cuts: readonly Micros[];
}

export function hourOf(at: Micros): Micros {
  return Math.floor(at / HOUR) * HOUR;
}

/** The hours of a timeline in which there is anything, ascending. */
export function hoursOf(timeline: Timeline, attributes: AttributeReader, parameters: CellParameters): HourFold[] {
  const { series, pieces, samples, unwatched } = timeline;
  const folds: HourFold[] = [];
  let [p, s, c] = [0, 0, 0];
  for (;;) {
    while ((pieces[p]?.to ?? Infinity) <= (folds.at(-1)?.hour ?? -Infinity) + HOUR) p++;
    const hour = hourOf(
      Math.min(Math.max(pieces[p]?.from ?? Infinity, nextHour(folds)), samples[s]?.timestamp ?? Infinity),
    );
    if (hour === Infinity) return folds;
    while ((parameters.cuts[c] ?? Infinity) <= hour) c++;
    const builder = new HourBuilder(series, attributes, parameters, c);
    for (let i = p; i < pieces.length; i++) {
      const piece = pieces[i];
      if (piece === undefined || piece.from >= hour + HOUR) break;
      let from = Math.max(piece.from, hour);
      const to = Math.min(piece.to, hour + HOUR);
      for (let sample = samples[s]; sample !== undefined && sample.timestamp < to; sample = samples[++s]) {
        if (sample.timestamp > from) builder.piece(piece, from, sample.timestamp);
        from = Math.max(from, sample.timestamp);
        builder.sample(sample, unwatched.has(sample));
      }
      builder.piece(piece, from, to);
    }
    for (let sample = samples[s]; sample !== undefined && sample.timestamp < hour + HOUR; sample = samples[++s]) {
      builder.sample(sample, unwatched.has(sample));
    }
    folds.push({ series, view: parameters.view, hour, cells: builder.finish() });
  }
}

function nextHour(folds: readonly HourFold[]): Micros {
  const last = folds.at(-1);
  return last === undefined ? -Infinity : last.hour + HOUR;
}

/** Fills the cells of one hour, in order of time; a sample at the start of a piece comes before it. */
class HourBuilder {
  readonly #series: Series;
  readonly #attributes: AttributeReader;
  readonly #parameters: CellParameters;
  readonly #running = new Running();
  readonly #cells: HourCell[] = [];
  #open: CellBuilder | null = null;
  #cut: number;

  constructor(series: Series, attributes: AttributeReader, parameters: CellParameters, cut: number) {
    this.#series = series;
    this.#attributes = attributes;
    this.#parameters = parameters;
    this.#cut = cut;
  }

  piece(piece: Piece, start: Micros, end: Micros): void {
    let from = start;
    if (piece.state === 'absent') return this.#close();
    const owner = piece.before ?? piece.after;
    if (owner === null) return;
    while (from < end) {
      this.#passCuts(from);
      const to = Math.min(end, this.#parameters.cuts[this.#cut] ?? Infinity);
      const cell = this.#at(from, owner);
      cell.addPiece(piece, from, to, this.#parameters.edge, this.#parameters.view);
      const heir = this.#heirOf(piece);
      if (heir !== null && heir !== cell.attributes) cell.addClaim(piece, from, to, heir, this.#parameters.view);
      from = to;
    }
  }

  /** Whose a gap may be beside its owner. The wait for a reading that never came, since the resource went, is its owner's. */
  #heirOf({ state, reason, before, after, step }: Piece): Claim['attributes'] | null {
    if (state !== 'gap' || before === null || after === null) return null;
    return reason === 'unread' && step === null ? null : this.#attributes.read(after);
  }

  sample(sample: UsageSample, isUnwatched: boolean): void {
    this.#passCuts(sample.timestamp);
    const cell = this.#at(sample.timestamp, sample);
    cell.addSample(sample, this.#series.type, this.#parameters.view);
    if (isUnwatched) cell.isUnwatched();
  }

  finish(): HourCell[] {
    this.#close();
    return this.#cells;
  }

  #at(from: Micros, owner: UsageSample): CellBuilder {
    const attributes = this.#attributes.read(owner);
    if (this.#open !== null && this.#open.attributes === attributes) return this.#open;
    this.#close();
    this.#open = new CellBuilder(from, attributes, this.#running, this.#series);
    return this.#open;
  }

  #passCuts(at: Micros): void {
    while ((this.#parameters.cuts[this.#cut] ?? Infinity) <= at) {
      this.#close();
      this.#cut += 1;
    }
  }

  #close(): void {
    if (this.#open !== null) this.#cells.push(this.#open.finish());
    this.#open = null;
  }
}
