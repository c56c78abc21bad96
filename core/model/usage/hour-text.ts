import type { Decimal } from '../../decimal.ts';
import { toText } from '../../decimal.ts';
import type { Claim, HourCell, HourFold, Step, UsageField } from './types.ts';

/** Version of the text; a store that finds another folds the hour anew. */
export const HOUR_FOLD_VERSION = 2;

const AMOUNTS = ['hours', 'integral', 'growth', 'area', 'hidden', 'volumes', 'filledArea', 'min', 'max'] as const;

/** A folded hour as JSON text, amounts as decimal text: equal folds give equal bytes. */
export function encodeHour({ series, view, hour, cells }: HourFold): string {
  const { source, meter, type, unit, resourceId } = series;
  const plain = {
    version: HOUR_FOLD_VERSION,
    series: { source, meter, type, unit, resourceId },
    view,
    hour,
    cells: cells.map((cell) => ({
      ...cell,
      ...Object.fromEntries(AMOUNTS.map((key) => [key, spell(cell[key])])),
      attributes: [...cell.attributes],
      claims: cell.claims.map(({ attributes, step, hidden, ...claim }) => ({
        ...claim,
        attributes: [...attributes],
        step: step === null ? null : { ...step, amount: spell(step.amount) },
        hidden: spell(hidden),
      })),
      bridges: cell.bridges.map((bridge) => ({ ...bridge, amount: spell(bridge.amount) })),
      last: cell.last === null ? null : { ...cell.last, volume: spell(cell.last.volume) },
    })),
  };
  return JSON.stringify(plain);
}

type PlainAttributes = readonly (readonly [UsageField, string | null])[];
type PlainClaim = Omit<Claim, 'attributes' | 'step' | 'hidden'> & {
  readonly attributes: PlainAttributes;
  readonly step: (Omit<Step, 'amount'> & { readonly amount: string }) | null;
  readonly hidden: string | null;
};
type Spelled = Exclude<(typeof AMOUNTS)[number], 'min' | 'max'>;
type PlainCell = Omit<HourCell, (typeof AMOUNTS)[number] | 'attributes' | 'claims' | 'bridges' | 'last'> & {
  readonly [K in Spelled]: string;
} & {
  readonly attributes: PlainAttributes;
  readonly claims: readonly PlainClaim[];
  readonly min: string | null;
  readonly max: string | null;
  readonly bridges: readonly { readonly from: number; readonly to: number; readonly amount: string }[];
  readonly last: { readonly at: number; readonly messageId: string; readonly volume: string } | null;
};

/**
 * What `encodeHour` wrote; only that is taken, it is not checked further.
 * @returns null for another version
 */
export function decodeHour(text: string): HourFold | null {
  const { version, cells, ...fold } = JSON.parse(text) as Omit<HourFold, 'cells'> & {
    readonly version: number;
    readonly cells: readonly PlainCell[];
  };
  if (version !== HOUR_FOLD_VERSION) return null;
  return { ...fold, cells: cells.map(readCell) };
}

function readCell(cell: PlainCell): HourCell {
  return {
    ...cell,
    attributes: new Map(cell.attributes),
    claims: cell.claims.map((claim) => ({
      ...claim,
      attributes: new Map(claim.attributes),
      step: claim.step === null ? null : { ...claim.step, amount: readAmount(claim.step.amount) },
      hidden: claim.hidden === null ? null : readAmount(claim.hidden),
    })),
    hours: readAmount(cell.hours),
    integral: readAmount(cell.integral),
    growth: readAmount(cell.growth),
    area: readAmount(cell.area),
    hidden: readAmount(cell.hidden),
    volumes: readAmount(cell.volumes),
    filledArea: readAmount(cell.filledArea),
    min: cell.min === null ? null : readAmount(cell.min),
    max: cell.max === null ? null : readAmount(cell.max),
    bridges: cell.bridges.map((bridge) => ({ ...bridge, amount: readAmount(bridge.amount) })),
    last: cell.last === null ? null : { ...cell.last, volume: readAmount(cell.last.volume) },
  };
}

function spell(amount: Decimal | null): string | null {
  return amount === null ? null : toText(amount);
}

export function spellAmount(amount: Decimal): string {
  return toText(amount);
}

/** Areas may have more digits than a sample's volume may, so `parseDecimal` is not for them. */
export function readAmount(text: string): Decimal {
  const [whole = '', fraction = ''] = text.split('.');
  return { coefficient: BigInt(whole + fraction), scale: fraction.length };
}
