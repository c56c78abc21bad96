import { z } from 'zod';
import {
  metadataText,
  minimum,
  multiply,
  parseDecimal,
  parseVolume,
  round,
  SAMPLE_TYPES,
  toText,
} from '@nephometer/core';
import type { Counter, Decimal, SampleType, Volume } from '@nephometer/core';
import { parseExpression } from './expression.ts';
import type { Expression, Value } from './expression.ts';
import { regExp, replacement } from './substitution.ts';

/** Digits behind the point of a converted volume. */
const VOLUME_DIGITS = 18;
const MOST_DIGITS = 38;

const Mapping = z.strictObject({ name: z.string().optional(), unit: z.string().optional() });
const Amount = z.union([z.number(), z.string().min(1)]);

/** `source` and `target` of unit_conversion and rate_of_change. */
export const ConversionParameters = z.strictObject({
  source: z.strictObject({ unit: z.string().optional(), map_from: Mapping.optional() }).prefault({}),
  target: z
    .strictObject({
      name: z.string().min(1).optional(),
      unit: z.string().optional(),
      type: z.enum(SAMPLE_TYPES as [SampleType, ...SampleType[]]).optional(),
      scale: Amount.optional(),
      max: Amount.optional(),
      map_to: Mapping.optional(),
    })
    .prefault({}),
});
export type ConversionParameters = z.output<typeof ConversionParameters>;

/** What both conversions share: new name, unit and type, scale and cap. */
export class Conversion {
  readonly #parameters: ConversionParameters;
  readonly #name: (text: string) => string;
  readonly #unit: (text: string) => string;
  readonly #factor: Decimal | null;
  readonly #expression: Expression | null;
  readonly #max: Decimal | null;

  /** @throws SyntaxError or RangeError */
  constructor(parameters: ConversionParameters) {
    this.#parameters = parameters;
    const { source, target } = parameters;
    this.#name = mapped(source.map_from?.name, target.map_to?.name);
    this.#unit = mapped(source.map_from?.unit, target.map_to?.unit);
    const { scale } = target;
    const literal = typeof scale === 'number' ? String(scale) : scale?.trim();
    this.#factor = literal !== undefined && isDecimal(literal) ? parseDecimal(literal) : null;
    this.#expression = literal !== undefined && this.#factor === null ? parseExpression(literal) : null;
    this.#max = target.max === undefined ? null : parseDecimal(String(target.max).trim());
  }

  name(name: string): string {
    return this.#parameters.target.name ?? this.#name(name);
  }

  /** Samples of another unit than the source's pass unchanged. */
  applies(counter: Counter): boolean {
    const { unit } = this.#parameters.source;
    return unit === undefined || counter.unit === unit;
  }

  /** The volume times the scale, or what the expression gives. */
  scaled(counter: Counter): Decimal {
    if (this.#expression !== null) return this.#expression(fieldsOf(counter));
    return this.#factor === null ? counter.volume : multiply(counter.volume, this.#factor);
  }

  /** For rates: the scale alone, or what the expression gives. */
  factor(counter: Counter): Decimal {
    if (this.#expression !== null) return this.#expression(fieldsOf(counter));
    return this.#factor ?? ONE;
  }

  result(counter: Counter, value: Decimal): Counter {
    const { target } = this.#parameters;
    return {
      ...counter,
      meter: this.name(counter.meter),
      unit: target.unit ?? (counter.unit === null ? null : this.#unit(counter.unit)),
      type: target.type ?? counter.type,
      volume: volumeOf(this.#max === null ? value : minimum(value, this.#max)),
    };
  }
}

const ONE: Decimal = { coefficient: 1n, scale: 0 };

function isDecimal(text: string): boolean {
  return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text);
}

function mapped(from: string | undefined, to: string | undefined): (text: string) => string {
  if (from === undefined || to === undefined) return (text) => text;
  const [pattern, by] = [regExp(from), replacement(to)];
  return (text) => text.replace(pattern, by);
}

/** A result as a volume: at most 38 digits, 18 of them behind the point. */
export function volumeOf(value: Decimal): Volume {
  let digits = VOLUME_DIGITS;
  let rounded = round(value, digits);
  while (rounded.coefficient.toString().length > MOST_DIGITS && digits > 0) rounded = round(value, (digits -= 1));
  return parseVolume(toText(rounded));
}

const TEXT_FIELDS: Readonly<Record<string, (counter: Counter) => string | null>> = {
  name: ({ meter }) => meter,
  counter_name: ({ meter }) => meter,
  unit: ({ unit }) => unit,
  type: ({ type }) => type,
  resource_id: ({ resourceId }) => resourceId,
  project_id: ({ projectId }) => projectId,
  user_id: ({ userId }) => userId,
};

function fieldsOf(counter: Counter): (path: string) => Value {
  return (path) => {
    if (path === 'volume' || path === 'counter_volume') return counter.volume;
    if (path.startsWith('resource_metadata.')) {
      return metadataText(counter.metadata, path.slice('resource_metadata.'.length));
    }
    return (Object.hasOwn(TEXT_FIELDS, path) ? TEXT_FIELDS[path]?.(counter) : null) ?? null;
  };
}
