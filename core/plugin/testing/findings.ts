import { AssertionError } from 'node:assert';
import { parseDecimal } from '../../decimal.ts';
import { messageOf } from '../../errors.ts';
import { fromPlain, isJsonObject } from '../../json.ts';
import { SAMPLE_TYPES } from '../../model/sample.ts';
import { CONTRACT_VERSION } from '../contract.ts';

/** Throws one AssertionError that lists all findings; none, none thrown. */
export function throwFindings(subject: string, findings: readonly string[]): void {
  const different = [...new Set(findings)];
  if (different.length === 0) return;
  const shown = different.slice(0, 20).map((finding) => `  - ${finding}`);
  if (different.length > shown.length) shown.push(`  ... and ${different.length - shown.length} more`);
  throw new AssertionError({
    message: `${subject} breaks the contract:\n${shown.join('\n')}`,
    actual: different,
    expected: [],
    operator: 'contract',
  });
}

/** What every kind of plugin must have. */
export function shapeFindings(plugin: unknown, kind: 'pollster' | 'discovery' | 'listener'): string[] {
  if (typeof plugin !== 'object' || plugin === null)
    return [`is ${String(plugin)}; export default define${capital(kind)}({...})`];
  const parts = plugin as Record<string, unknown>;
  const findings: string[] = [];
  if (parts['kind'] !== kind)
    findings.push(`kind: is ${String(parts['kind'])}; ${kind} would be right (define${capital(kind)} adds it)`);
  if (parts['contract'] !== CONTRACT_VERSION)
    findings.push(`contract: is ${String(parts['contract'])}; ${CONTRACT_VERSION} would be right`);
  if (typeof parts['name'] !== 'string' || !/^[\w.-]+$/.test(parts['name'])) {
    findings.push('name: must be letters, digits, dots, dashes and underscores');
  }
  for (const optional of ['enabled', 'close']) {
    if (parts[optional] !== undefined && typeof parts[optional] !== 'function')
      findings.push(`${optional}: must be a function`);
  }
  return findings;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** The digits of a volume, or what is wrong with it. @throws RangeError, TypeError */
export function volumeText(volume: unknown): string {
  if (typeof volume === 'string') {
    parseDecimal(volume.trim());
    return volume.trim();
  }
  if (typeof volume !== 'number' && typeof volume !== 'bigint') {
    throw new TypeError(`Found ${describe(volume)}; a number, a bigint or decimal text would be right.`);
  }
  const text = typeof volume === 'bigint' ? String(volume) : String(volume === 0 ? 0 : volume);
  parseDecimal(text);
  return text;
}

export function volumeFindings(volume: unknown, where: string): string[] {
  try {
    volumeText(volume);
    return [];
  } catch (cause) {
    return [`${where}: volume: ${messageOf(cause)}`];
  }
}

export function typeFindings(type: unknown, where: string): string[] {
  return SAMPLE_TYPES.some((known) => known === type)
    ? []
    : [`${where}: type is ${describe(type)}; one of ${SAMPLE_TYPES.join(', ')} would be right`];
}

export function metadataFindings(metadata: unknown, where: string): string[] {
  if (metadata === undefined) return [];
  try {
    return isJsonObject(fromPlain(metadata)) ? [] : [`${where}: metadata must be an object`];
  } catch (cause) {
    return [`${where}: metadata: ${messageOf(cause)}`];
  }
}

export function idFindings(id: unknown, where: string): string[] {
  return typeof id === 'string' && id !== '' && !/\p{Surrogate}/u.test(id)
    ? []
    : [`${where} must be a non-empty string; found ${describe(id)}`];
}

/** project_id, user_id: text, null or left out. */
export function ownerFindings(owner: unknown, where: string): string[] {
  return owner === undefined || owner === null || typeof owner === 'string'
    ? []
    : [`${where} must be a string or null; found ${describe(owner)}`];
}

export function resourceFindings(resources: unknown, where: string): string[] {
  if (!Array.isArray(resources)) return [`${where}: must give an array of resources; found ${describe(resources)}`];
  const findings: string[] = [];
  const seen = new Set<unknown>();
  for (const [index, resource] of (resources as unknown[]).entries()) {
    const at = `${where}[${index}]`;
    if (typeof resource !== 'object' || resource === null) {
      findings.push(`${at}: must be an object with an id; found ${describe(resource)}`);
      continue;
    }
    const { id, projectId, userId, metadata } = resource as Record<string, unknown>;
    findings.push(...idFindings(id, `${at}: id`), ...metadataFindings(metadata, at));
    findings.push(...ownerFindings(projectId, `${at}: projectId`), ...ownerFindings(userId, `${at}: userId`));
    if (seen.has(id)) findings.push(`${at}: the id ${describe(id)} is there twice; an id names one resource`);
    seen.add(id);
  }
  return findings;
}

export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'symbol' || typeof value === 'function' ? `a ${typeof value}` : `${value as number}`;
}

/** Waits for something, at most so long. @returns `late` when it did not end in time */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
