import { add, compare, decimal, multiply, subtract } from '../../decimal.ts';
import type { Decimal } from '../../decimal.ts';
import type { Micros } from '../../time.ts';
import { compareText } from '../order.ts';
import type { Series } from '../sample.ts';
import type { Running } from './integral.ts';
import { NOTHING } from './pieces.ts';
import type { Claim, EdgeRule, FoldView, HourCell, Piece, Step, UsageField, UsageGap, UsageSample } from './types.ts';

type Figures = Pick<HourCell, 'hours' | 'integral' | 'growth'>;
type Changing = { -readonly [K in keyof Omit<HourCell, 'gaps' | 'claims' | 'bridges'>]: HourCell[K] } & {
  gaps: UsageGap[];
  claims: Claim[];
  bridges: Pick<Step, 'from' | 'to' | 'amount'>[];
};

/** One cell while it is filled, in order of time. */
export class CellBuilder {
  readonly #cell: Changing;
  readonly #running: Running;
  readonly #start: Figures;
  readonly #isGauge: boolean;
  /** The piece whose hidden growth was added last: once a cell, however it is cut. */
  #hiding: Piece | null = null;

  constructor(from: Micros, attributes: ReadonlyMap<UsageField, string | null>, running: Running, series: Series) {
    this.#cell = emptyCell(from, attributes);
    this.#running = running;
    this.#start = figuresOf(running);
    this.#isGauge = series.type === 'gauge';
  }

  get attributes(): ReadonlyMap<UsageField, string | null> {
    return this.#cell.attributes;
  }

  /** A piece, or what a cut left of it. */
  addPiece(piece: Piece, from: Micros, to: Micros, edge: EdgeRule, view: FoldView): void {
    const cell = this.#cell;
    const micros = to - from;
    cell.to = to;
    this.#stands(piece.revision);
    if (piece.basis === 'cycles') cell.byCycles = true;
    else cell.byCadence = true;
    if (piece.state === 'measured') {
      cell.measured += micros;
      cell.covered += Math.max(0, Math.min(to, piece.coveredTo) - from);
      if (view === 'level') this.#hold(piece, micros);
    } else if (piece.reason !== null) {
      this.#gap(from, to, piece.reason);
      if (view === 'level' && piece.before !== null) this.#fill(piece.before, micros);
    }
    if (view === 'growth') this.#grow(piece, from, to, edge);
  }

  /** A gap that was added may be of these attributes as well, in all or in part. */
  addClaim(piece: Piece, from: Micros, to: Micros, attributes: Claim['attributes'], view: FoldView): void {
    const { step, basis, revision } = piece;
    const hidden = view === 'growth' ? piece.hidden : NOTHING;
    const { claims } = this.#cell;
    const last = claims.at(-1);
    const goesOn =
      last?.to === from &&
      last.attributes === attributes &&
      last.step === step &&
      last.hidden === hidden &&
      last.basis === basis;
    if (goesOn) claims[claims.length - 1] = { ...last, to, revision: Math.max(last.revision, revision) };
    else claims.push({ from, to, attributes, step, hidden, basis, revision });
  }

  addSample(sample: UsageSample, type: Series['type'], view: FoldView): void {
    const cell = this.#cell;
    cell.to = Math.max(cell.to, sample.timestamp);
    cell.samples += 1;
    cell.volumes = add(cell.volumes, sample.volume);
    this.#extremes(sample.volume);
    this.#lastly(sample);
    this.#stands(sample.recordedAt);
    if (view === 'growth' && type === 'delta') this.#running.add(sample.volume);
  }

  isUnwatched(): void {
    this.#cell.byNothing = true;
  }

  finish(): HourCell {
    const now = figuresOf(this.#running);
    return {
      ...this.#cell,
      hours: subtract(now.hours, this.#start.hours),
      integral: subtract(now.integral, this.#start.integral),
      growth: subtract(now.growth, this.#start.growth),
    };
  }

  #hold(piece: Piece, micros: Micros): void {
    this.#running.hold(micros);
    if (!this.#isGauge || piece.before === null) return;
    const { before } = piece;
    this.#cell.area = add(this.#cell.area, this.#running.level(before.volume, micros));
    this.#extremes(before.volume);
    this.#lastly(before);
  }

  #fill({ volume }: UsageSample, micros: Micros): void {
    const cell = this.#cell;
    cell.filled += micros;
    if (this.#isGauge) cell.filledArea = add(cell.filledArea, multiply(volume, decimal(micros)));
  }

  #grow(piece: Piece, from: Micros, to: Micros, edge: EdgeRule): void {
    const cell = this.#cell;
    const { step, hidden } = piece;
    if (hidden === null) cell.unbounded += to - from;
    else if (this.#hiding !== piece) cell.hidden = add(cell.hidden, hidden);
    this.#hiding = piece;
    if (step === null) return;
    this.#running.grow(step, from, to, edge);
    if (step.isReset && step.to === to) cell.resets += 1;
    if (step.isBridge && cell.bridges.at(-1)?.from !== step.from) {
      cell.bridges.push({ from: step.from, to: step.to, amount: step.amount });
    }
  }

  #gap(from: Micros, to: Micros, reason: UsageGap['reason']): void {
    const { gaps } = this.#cell;
    const last = gaps.at(-1);
    if (last?.to === from && last.reason === reason) gaps[gaps.length - 1] = { ...last, to };
    else gaps.push({ from, to, reason });
  }

  #extremes(volume: Decimal): void {
    const cell = this.#cell;
    if (cell.min === null || compare(volume, cell.min) < 0) cell.min = volume;
    if (cell.max === null || compare(volume, cell.max) > 0) cell.max = volume;
  }

  #lastly({ timestamp: at, messageId, volume }: UsageSample): void {
    this.#cell.last = later(this.#cell.last, { at, messageId, volume });
  }

  #stands(revision: Micros): void {
    this.#cell.revision = Math.max(this.#cell.revision ?? -Infinity, revision);
  }
}

export function later(a: HourCell['last'], b: HourCell['last']): HourCell['last'] {
  if (a === null || b === null) return a ?? b;
  return (b.at - a.at || compareText(b.messageId, a.messageId)) > 0 ? b : a;
}

function figuresOf(running: Running): Figures {
  return { hours: running.hours(), integral: running.integral(), growth: running.growth() };
}

function emptyCell(from: Micros, attributes: ReadonlyMap<UsageField, string | null>): Changing {
  return {
    from,
    to: from,
    attributes,
    hours: NOTHING,
    integral: NOTHING,
    growth: NOTHING,
    area: NOTHING,
    measured: 0,
    covered: 0,
    gaps: [],
    claims: [],
    unbounded: 0,
    hidden: NOTHING,
    bridges: [],
    resets: 0,
    samples: 0,
    volumes: NOTHING,
    min: null,
    max: null,
    last: null,
    filled: 0,
    filledArea: NOTHING,
    byCycles: false,
    byCadence: false,
    byNothing: false,
    revision: null,
  };
}
