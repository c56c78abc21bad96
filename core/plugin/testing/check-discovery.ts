import { messageOf } from '../../errors.ts';
import type { Discovery, Resource } from '../contract.ts';
import { optionFindings } from './context.ts';
import type { PluginSetting } from './context.ts';
import { discoverPlugin } from './discover.ts';
import { describe, resourceFindings, shapeFindings, throwFindings, within } from './findings.ts';

export interface DiscoveryCheck extends PluginSetting {
  /** Options as a user writes them, under which the plugin works on this machine. */
  readonly options?: unknown;
  /** What stands behind `name://`. */
  readonly parameter?: string | null;
  /** Longest a discovery may take, and may go on after its signal aborted. Default 10 s and 1 s. */
  readonly timeoutMs?: number;
  readonly stopWithinMs?: number;
}

/**
 * Checks that a discovery obeys the contract: its members, its options, ids that are unique and the same when asked
 * again, and an end when its signal aborts. @throws AssertionError that lists every finding
 */
export async function checkDiscovery<Options, R extends Resource>(
  plugin: Discovery<Options, R>,
  check: DiscoveryCheck = {},
): Promise<void> {
  const findings = shapeFindings(plugin, 'discovery');
  if (findings.length === 0 && typeof plugin.discover !== 'function') findings.push('discover: must be a function');
  if (findings.length === 0) findings.push(...(await optionFindings(plugin, check.options)));
  if (findings.length === 0) findings.push(...(await runFindings(plugin, check)));
  throwFindings(`Discovery ${describe((plugin as { name?: unknown } | undefined)?.name)}`, findings);
}

async function runFindings<Options, R extends Resource>(
  plugin: Discovery<Options, R>,
  check: DiscoveryCheck,
): Promise<string[]> {
  const limit = check.timeoutMs ?? 10_000;
  const ask = (signal?: AbortSignal): Promise<readonly R[]> =>
    discoverPlugin(plugin, check.options ?? {}, check.parameter ?? null, {
      ...check,
      signal: signal ?? AbortSignal.timeout(limit),
    });
  try {
    const first = await within(limit, ask());
    if (first === 'late') return [`discover: did not end within ${limit} ms`];
    const findings = resourceFindings(first, 'discover');
    const again = await within(limit, ask());
    if (findings.length === 0 && again !== 'late' && ids(first) !== ids(again)) {
      findings.push(`discover: gave other ids when asked again (${ids(first)}, then ${ids(again)}); an id must last`);
    }
    const stopMs = check.stopWithinMs ?? 1000;
    const stopped = await within(
      stopMs,
      ask(AbortSignal.abort()).catch(() => undefined),
    );
    if (stopped === 'late')
      findings.push(`discover: goes on ${stopMs} ms after its signal aborted; pass the signal on`);
    await plugin.close?.();
    await plugin.close?.();
    return findings;
  } catch (cause) {
    return [`discover: threw ${messageOf(cause)}`];
  }
}

function ids(resources: readonly Resource[]): string {
  return resources
    .map(({ id }) => id)
    .sort()
    .join(', ');
}
