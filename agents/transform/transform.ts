import { z } from 'zod';
import { fromPlain } from '@nephometer/core';
import type { Counter, JsonValue, Transformer } from '@nephometer/core';
import { Conversion, ConversionParameters } from './conversion.ts';
import { RateOfChange } from './rate.ts';
import { regExp, replacement } from './substitution.ts';

/** One step of a sink. Sees one sample at a time; may keep state. */
export interface Transform {
  /** The name that a meter has behind this step. */
  name(name: string): string;
  /** The sample behind this step; null drops it. `origin` tells apart what must not be mixed (the polling source). */
  apply(counter: Counter, origin: string): Counter | null;
}

const RenameParameters = z.strictObject({
  from: z.string().min(1).meta({ description: 'Regular expression on the meter name.' }),
  to: z.string().min(1).meta({ description: 'Replacement; `\\1` is the first group.' }),
});

const MetadataParameters = z.strictObject({
  add: z.record(z.string(), z.unknown()).prefault({}).meta({ description: 'Members to set.' }),
  remove: z.array(z.string()).prefault([]).meta({ description: 'Members to take away, before `add`.' }),
});

/** What is wrong with the parameters of a transformer; `path` is below `parameters`. */
export class TransformerProblem extends Error {
  readonly path: readonly PropertyKey[];
  constructor(path: readonly PropertyKey[], message: string) {
    super(message);
    this.path = path;
  }
}

/** @throws TransformerProblem */
export function createTransform({ name, parameters }: Transformer): Transform {
  switch (name) {
    case 'unit_conversion':
      return build(['target', 'scale'], () => unitConversion(read(ConversionParameters, parameters)));
    case 'rate_of_change':
      return build(['target', 'scale'], () => new RateOfChange(read(ConversionParameters, parameters)));
    case 'rename':
      return build(['from'], () => rename(read(RenameParameters, parameters)));
    case 'metadata':
      return build(['add'], () => changeMetadata(read(MetadataParameters, parameters)));
  }
}

function read<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new TransformerProblem(issue?.path ?? [], issue?.message ?? 'is not right');
}

function build<T>(path: readonly PropertyKey[], make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof TransformerProblem) throw cause;
    throw new TransformerProblem(path, cause instanceof Error ? cause.message : String(cause));
  }
}

function unitConversion(parameters: ConversionParameters): Transform {
  const conversion = new Conversion(parameters);
  return {
    name: (name) => conversion.name(name),
    apply: (counter) =>
      conversion.applies(counter) ? conversion.result(counter, conversion.scaled(counter)) : counter,
  };
}

function rename({ from, to }: z.output<typeof RenameParameters>): Transform {
  const [pattern, by] = [regExp(from), replacement(to)];
  const name = (meter: string): string => meter.replace(pattern, by);
  return { name, apply: (counter) => ({ ...counter, meter: name(counter.meter) }) };
}

function changeMetadata({ add, remove }: z.output<typeof MetadataParameters>): Transform {
  const added = fromPlain(add) as Map<string, JsonValue>;
  return {
    name: (name) => name,
    apply(counter) {
      const metadata = new Map(counter.metadata);
      for (const key of remove) metadata.delete(key);
      for (const [key, value] of added) metadata.set(key, value);
      return { ...counter, metadata };
    },
  };
}
