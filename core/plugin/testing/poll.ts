import { messageOf, PluginError } from '../../errors.ts';
import { fromPlain, stringifyJson } from '../../json.ts';
import type { PluginContext, PollContext, Pollster, Reading, Resource } from '../contract.ts';
import { contextFor } from './context.ts';
import type { PluginSetting } from './context.ts';
import { volumeText } from './findings.ts';

export interface PollSetting<R extends Resource = Resource> extends PluginSetting {
  /** What is measured. Default: what the pollster's own discovery finds, or this node for `local-node`. */
  readonly resources?: readonly R[];
  /** Aborts the poll. Default: after 10 s. */
  readonly signal?: AbortSignal;
}

/** A reading as it would become a sample, under the names of the wire; plain JSON, for comparing and golden files. */
export interface PlainReading {
  readonly meter: string;
  readonly resource_id: string;
  readonly type: string | undefined;
  readonly unit: string | null;
  /** Decimal text, no digit lost. */
  readonly volume: string;
  readonly project_id: string | null;
  readonly user_id: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface PollResult {
  /** Sorted by meter, then resource. */
  readonly readings: readonly PlainReading[];
  /** What the pollster reported, sorted by resource. */
  readonly failed: readonly { readonly resource_id: string; readonly reason: string }[];
}

/** A pollster whose options are checked; polls as often as asked, keeping its state as it does in an agent. */
export interface OpenPollster<R extends Resource = Resource> {
  readonly context: PluginContext<unknown>;
  /** @throws what the discovery or the poll throws */
  poll(setting?: Pick<PollSetting<R>, 'resources' | 'signal'>): Promise<PollResult>;
  discover(): Promise<readonly R[]>;
  /** Readings as the pollster yields them, with the report function of the test. */
  readings(
    resources: readonly R[],
    signal: AbortSignal,
    report: PollContext<unknown>['report'],
  ): AsyncIterable<Reading<R>> | Iterable<Reading<R>>;
  close(): Promise<void>;
}

/** @throws PluginError when the options are refused or the plugin is of no use here */
export async function openPollster<Options, R extends Resource>(
  plugin: Pollster<Options, R>,
  options: unknown = {},
  setting: PollSetting<R> = {},
): Promise<OpenPollster<R>> {
  const context = await contextFor(plugin, options, setting);
  const discover = async (): Promise<readonly R[]> =>
    setting.resources ?? (await ownResources(plugin, context, setting.signal ?? AbortSignal.timeout(10_000)));
  const readings = (resources: readonly R[], signal: AbortSignal, report: PollContext<Options>['report']) =>
    plugin.poll(resources, { ...context, signal, report });
  return {
    context,
    discover,
    readings,
    poll: async (own = {}) => {
      const signal = own.signal ?? setting.signal ?? AbortSignal.timeout(10_000);
      const failed: { resource_id: string; reason: string }[] = [];
      const report = (resource: Resource, cause: unknown): void =>
        void failed.push({ resource_id: resource.id, reason: messageOf(cause) });
      const yielded: PlainReading[] = [];
      for await (const reading of readings(own.resources ?? (await discover()), signal, report)) {
        yielded.push(plainReading(plugin, reading));
      }
      return { readings: yielded.sort(byMeterAndResource), failed: failed.sort(byResource) };
    },
    close: async () => plugin.close?.(),
  };
}

/**
 * Polls once: options as a user writes them, the readings as plain objects.
 * @throws PluginError when the options are refused or the plugin is of no use here; else what the poll throws
 */
export async function pollPlugin<Options, R extends Resource>(
  plugin: Pollster<Options, R>,
  options: unknown = {},
  setting: PollSetting<R> = {},
): Promise<PollResult> {
  const open = await openPollster(plugin, options, setting);
  try {
    return await open.poll();
  } finally {
    await open.close();
  }
}

async function ownResources<Options, R extends Resource>(
  plugin: Pollster<Options, R>,
  context: PluginContext<Options>,
  signal: AbortSignal,
): Promise<readonly R[]> {
  if (typeof plugin.discovery === 'function') {
    return plugin.discovery({
      ...context,
      signal,
      report: (resource, cause) => {
        throw new PluginError(
          `discovery of ${plugin.name}: ${resource.id}: ${messageOf(cause)}; give all resources or throw`,
        );
      },
    });
  }
  if (plugin.discovery === 'local-node')
    return [{ id: context.host, metadata: { host: context.host } } as unknown as R];
  throw new PluginError(`${plugin.name} uses the discovery ${plugin.discovery}; give the test its resources.`);
}

function plainReading(plugin: Pick<Pollster, 'meters'>, reading: Reading): PlainReading {
  const { resource } = reading;
  const declared = plugin.meters === 'dynamic' ? reading : plugin.meters[reading.meter];
  return {
    meter: reading.meter,
    resource_id: reading.resourceId ?? resource.id,
    type: declared?.type,
    unit: declared?.unit ?? null,
    volume: volumeText(reading.volume),
    project_id: reading.projectId === undefined ? (resource.projectId ?? null) : reading.projectId,
    user_id: reading.userId === undefined ? (resource.userId ?? null) : reading.userId,
    metadata: { ...plainJson(resource.metadata), ...plainJson(reading.metadata) },
  };
}

/** Through JSON and back: what a reader of the message would see. */
export function plainJson(value: unknown): Record<string, unknown> {
  return value === undefined ? {} : (JSON.parse(stringifyJson(fromPlain(value))) as Record<string, unknown>);
}

function byMeterAndResource(a: PlainReading, b: PlainReading): number {
  return order(a.meter, b.meter) || order(a.resource_id, b.resource_id) || order(a.volume, b.volume);
}

function byResource(a: { resource_id: string; reason: string }, b: { resource_id: string; reason: string }): number {
  return order(a.resource_id, b.resource_id) || order(a.reason, b.reason);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
