import type { SampleType } from '@nephometer/core/plugin';
import type { Expression } from './jsonpath.ts';

/** A text of a definition: what it says as an expression, and as it stands there. */
export interface Field {
  readonly expression: Expression | null;
  readonly literal: string;
}

/** A part of the metadata: one object as it is, or named values of which empty ones are left out. */
export type MetadataPart =
  | { readonly kind: 'object'; readonly expression: Expression }
  | { readonly kind: 'named'; readonly fields: ReadonlyMap<string, Expression> };

/** One entry of `metric` in a meters.yaml file. */
export interface MeterDefinition {
  /** File and line, for messages. */
  readonly place: string;
  readonly name: Field;
  readonly eventTypes: readonly RegExp[];
  readonly type: Field;
  readonly unit: Field;
  readonly volume: VolumeSource;
  readonly resourceId: Expression;
  /** Undefined: from the request's context. Null: nobody, said explicitly. */
  readonly userId: Expression | null | undefined;
  readonly projectId: Expression | null | undefined;
  readonly timestamp: Expression | null;
  readonly metadata: readonly MetadataPart[];
  readonly userMetadata: Expression | null;
  readonly lookup: ReadonlySet<LookupField>;
}

/** `timedelta`: the seconds between the two instants that the expression finds. */
export interface VolumeSource {
  readonly expression: Expression;
  readonly plugin: 'timedelta' | null;
}

export const LOOKUP_FIELDS = [
  'name',
  'type',
  'unit',
  'volume',
  'resource_id',
  'user_id',
  'project_id',
  'timestamp',
  'metadata',
] as const;
export type LookupField = (typeof LOOKUP_FIELDS)[number];

export const TYPES: readonly SampleType[] = ['gauge', 'delta', 'cumulative'];

/** A definition file is wrong; says where and what would be right. */
export class DefinitionError extends Error {
  override name = 'DefinitionError';
}
