import type { OptionsSchema, ValidationIssue, ValidationResult } from '@nephometer/core/plugin';
import type { MeterDefinition } from './definition.ts';
import { loadDefinitions, PACKAGED } from './load.ts';

/** Options as the plugin works with them: the definition files are read while the options are checked. */
export interface MetersOptions {
  readonly definitions: readonly MeterDefinition[];
  readonly reservedNamespaces: readonly string[];
  readonly reservedLength: number;
}

const KNOWN = ['definitions', 'packaged', 'reserved_metadata_namespace', 'reserved_metadata_length'];

/**
 *     definitions: [/etc/nephometer/meters.d]      files or folders, before the packaged ones; default none
 *     packaged: true                               whether the definitions that come with the plugin are used too
 *     reserved_metadata_namespace: ['metering.']   prefixes of user metadata that is kept
 *     reserved_metadata_length: 256                characters kept of each value
 */
export const metersOptions: OptionsSchema<MetersOptions> = {
  '~standard': { version: 1, vendor: 'nephometer', validate },
};

async function validate(value: unknown): Promise<ValidationResult<MetersOptions>> {
  if (typeof value !== 'object' || value === null) return { issues: [{ message: 'must be a map of options' }] };
  const given = new Map<string, unknown>(Object.entries(value));
  const issues: ValidationIssue[] = [...given.keys()]
    .filter((key) => !KNOWN.includes(key))
    .map((key) => ({ path: [key], message: `is not known; known are ${KNOWN.join(', ')}` }));
  const paths = texts(given, 'definitions', [], issues);
  const namespaces = texts(given, 'reserved_metadata_namespace', ['metering.'], issues);
  const packaged = given.get('packaged') ?? true;
  if (typeof packaged !== 'boolean') issues.push({ path: ['packaged'], message: 'must be true or false' });
  const length = given.get('reserved_metadata_length') ?? 256;
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 1) {
    issues.push({ path: ['reserved_metadata_length'], message: 'must be a whole number from 1 on' });
  }
  if (issues.length > 0) return { issues };
  try {
    const definitions = await loadDefinitions(packaged === true ? [...paths, PACKAGED] : paths);
    return { value: { definitions, reservedNamespaces: namespaces, reservedLength: Number(length) } };
  } catch (cause) {
    return { issues: [{ path: ['definitions'], message: cause instanceof Error ? cause.message : String(cause) }] };
  }
}

function texts(
  given: Map<string, unknown>,
  key: string,
  absent: readonly string[],
  issues: ValidationIssue[],
): string[] {
  const value = given.get(key) ?? absent;
  if (Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== '')) return value.map(String);
  issues.push({ path: [key], message: 'must be a list of texts' });
  return [];
}
