import type { Decimal } from '../../decimal.ts';
import { sha256 } from '../identity.ts';
import type { Micros } from '../../time.ts';
import type { Series } from '../sample.ts';
import type { WitnessClosure } from './closure.ts';
import { readAmount, spellAmount } from './hour-text.ts';
import { NOTHING } from './pieces.ts';
import type { Claim, FoldView, HourCell, HourFold, Step, UsageField, UsageGap } from './types.ts';

/** Version of the text; what has another is folded anew. */
export const FOLD_LINE_VERSION = 3;

/** What one series had in one UTC day, hour by hour, folded with the default parameters. */
export interface FoldLine {
  readonly series: Series;
  /** What the cells are cut by. */
  readonly attributes: readonly UsageField[];
  readonly closures: readonly WitnessClosure[];
  /** Something further away than LOOKBACK and LOOKAHEAD counts, or may when it comes: only samples say what the day had. */
  readonly isSilent: boolean;
  readonly level: readonly HourFold[];
  /** Of gauges none. */
  readonly growth: readonly HourFold[];
}

/** What a fold line stands on. */
export type FoldLineHead = Pick<FoldLine, 'series' | 'attributes' | 'closures' | 'isSilent'>;

/**
 * As texts: `head` is its digest and JSON, which holds the digest of `body`, two lines of JSON: the hours by level, and by
 * growth.
 */
export function encodeFoldLine({ series, attributes, closures, isSilent, level, growth }: FoldLine): {
  readonly head: string;
  readonly body: string;
} {
  const { source, meter, type, unit, resourceId } = series;
  const body = [level, growth].map((hours) => JSON.stringify(hours.map(plainHour))).join('\n');
  const head: Head = [
    FOLD_LINE_VERSION,
    digestOf(body),
    [source, meter, type, unit, resourceId],
    attributes,
    closures.map(({ agentId, samples, watch }) => [agentId, samples, watch]),
    isSilent,
  ];
  return { head: sealed(JSON.stringify(head)), body };
}

type Head = readonly [
  version: number,
  body: string,
  series: readonly [string, string, Series['type'], string | null, string],
  attributes: readonly UsageField[],
  closures: readonly (readonly [string | null, Micros | null, Micros | null])[],
  isSilent: boolean,
];

function sealed(text: string): string {
  return `${digestOf(text)} ${text}`;
}

function headOf(text: string): Head | null {
  const json = text.slice(text.indexOf(' ') + 1);
  if (sealed(json) !== text) return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what encodeFoldLine wrote: the digest is right
  const head = JSON.parse(json) as Head;
  return head[0] === FOLD_LINE_VERSION ? head : null;
}

/** Null for a text that is damaged, or of another version. */
export function decodeFoldHead(text: string): FoldLineHead | null {
  const head = headOf(text);
  if (head === null) return null;
  const [, , [source, meter, type, unit, resourceId], attributes, closures, isSilent] = head;
  return {
    series: { source, meter, type, unit, resourceId },
    attributes,
    closures: closures.map(([agentId, samples, watch]) => ({ agentId, samples, watch })),
    isSilent,
  };
}

/** The hours of one view; null where one of the texts is damaged, or they do not belong together. */
export function decodeFoldHours(
  line: { readonly head: string; readonly body: string },
  view: FoldView,
): HourFold[] | null {
  const head = headOf(line.head);
  if (head === null || head[1] !== digestOf(line.body)) return null;
  const [, , [source, meter, type, unit, resourceId], attributes] = head;
  const end = line.body.indexOf('\n');
  const text = view === 'level' ? line.body.slice(0, end) : line.body.slice(end + 1);
  return readHours(text, { source, meter, type, unit, resourceId }, view, attributes);
}

function digestOf(text: string): string {
  return sha256(text).slice(0, 16);
}

type PlainHour = readonly [hour: Micros, cells: readonly PlainCell[]];
type PlainCell = readonly [
  from: Micros,
  to: Micros,
  attributes: readonly (string | null)[],
  amounts: readonly (string | 0 | null)[],
  counts: readonly number[],
  gaps: readonly (readonly [Micros, Micros, UsageGap['reason']])[],
  bridges: readonly (readonly [Micros, Micros, string])[],
  last: readonly [Micros, string, string] | null,
  revision: Micros | null,
  claims: readonly PlainClaim[],
];
type PlainClaim = readonly [
  from: Micros,
  to: Micros,
  attributes: readonly (string | null)[],
  step: readonly [from: Micros, to: Micros, amount: string, isReset: boolean, isBridge: boolean] | null,
  hidden: string | 0 | null,
  basis: Claim['basis'],
  revision: Micros,
];

const AMOUNTS = ['hours', 'integral', 'growth', 'area', 'hidden', 'volumes', 'filledArea'] as const;
const COUNTS = ['measured', 'covered', 'unbounded', 'resets', 'samples', 'filled'] as const;

function plainHour({ hour, cells }: HourFold): PlainHour {
  return [hour, cells.map(plainCell)];
}

function plainCell(cell: HourCell): PlainCell {
  const { from, to, attributes, min, max, byCycles, byCadence, byNothing, gaps, bridges, last, revision } = cell;
  const basis = Number(byCycles) + 2 * Number(byCadence) + 4 * Number(byNothing);
  return [
    from,
    to,
    [...attributes.values()],
    [...AMOUNTS.map((name) => spelled(cell[name])), min && spelled(min), max && spelled(max)],
    [...COUNTS.map((name) => cell[name]), basis],
    gaps.map((gap) => [gap.from, gap.to, gap.reason]),
    bridges.map((bridge) => [bridge.from, bridge.to, spellAmount(bridge.amount)]),
    last && [last.at, last.messageId, spellAmount(last.volume)],
    revision,
    cell.claims.map(plainClaim),
  ];
}

function plainClaim({ from, to, attributes, step, hidden, basis, revision }: Claim): PlainClaim {
  return [
    from,
    to,
    [...attributes.values()],
    step && [step.from, step.to, spellAmount(step.amount), step.isReset, step.isBridge],
    hidden && spelled(hidden),
    basis,
    revision,
  ];
}

/** Most amounts of a cell are nothing. */
function spelled(amount: Decimal): string | 0 {
  return amount.coefficient === 0n ? 0 : spellAmount(amount);
}

function readHours(text: string, series: Series, view: FoldView, attributes: readonly UsageField[]): HourFold[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  const hours = JSON.parse(text) as readonly PlainHour[];
  const known = new Map<string, ReadonlyMap<UsageField, string | null>>();
  const attributesOf = (values: readonly (string | null)[]): ReadonlyMap<UsageField, string | null> => {
    const key = JSON.stringify(values);
    const map = known.get(key) ?? new Map(attributes.map((field, i) => [field, values[i] ?? null]));
    known.set(key, map);
    return map;
  };
  return hours.map(([hour, cells]) => ({
    series,
    view,
    hour,
    cells: cells.map((cell) => readCell(cell, attributesOf)),
  }));
}

function readStep([from, to, amount, isReset, isBridge]: NonNullable<PlainClaim[3]>): Step {
  return { from, to, amount: readAmount(amount), isReset, isBridge };
}

type AttributesOf = (values: readonly (string | null)[]) => ReadonlyMap<UsageField, string | null>;

function readClaim([from, to, values, step, hidden, basis, revision]: PlainClaim, attributesOf: AttributesOf): Claim {
  return {
    from,
    to,
    attributes: attributesOf(values),
    step: step && readStep(step),
    hidden: readOr(hidden),
    basis,
    revision,
  };
}

function readCell(
  [from, to, values, amounts, counts, gaps, bridges, last, revision, claims]: PlainCell,
  attributesOf: AttributesOf,
): HourCell {
  const amount = (i: number): Decimal => readOr(amounts[i] ?? null) ?? NOTHING;
  const count = (i: number): number => counts[i] ?? 0;
  const basis = count(COUNTS.length);
  return {
    from,
    to,
    attributes: attributesOf(values),
    hours: amount(0),
    integral: amount(1),
    growth: amount(2),
    area: amount(3),
    hidden: amount(4),
    volumes: amount(5),
    filledArea: amount(6),
    min: readOr(amounts[7] ?? null),
    max: readOr(amounts[8] ?? null),
    measured: count(0),
    covered: count(1),
    unbounded: count(2),
    resets: count(3),
    samples: count(4),
    filled: count(5),
    byCycles: (basis & 1) > 0,
    byCadence: (basis & 2) > 0,
    byNothing: (basis & 4) > 0,
    gaps: gaps.map(([start, end, reason]) => ({ from: start, to: end, reason })),
    claims: claims.map((claim) => readClaim(claim, attributesOf)),
    bridges: bridges.map(([start, end, volume]) => ({ from: start, to: end, amount: readAmount(volume) })),
    last: last && { at: last[0], messageId: last[1], volume: readAmount(last[2]) },
    revision,
  };
}

function readOr(text: string | 0 | null): Decimal | null {
  if (text === null) return null;
  return text === 0 ? NOTHING : readAmount(text);
}
