import { compare, decimal } from '../../decimal.ts';
import { messageOf } from '../../errors.ts';
import type { MeterDescription, Pollster, Reading, Resource } from '../contract.ts';
import { optionFindings } from './context.ts';
import type { PluginSetting } from './context.ts';
import {
  describe,
  idFindings,
  metadataFindings,
  ownerFindings,
  resourceFindings,
  shapeFindings,
  throwFindings,
  typeFindings,
  volumeFindings,
  volumeText,
  within,
} from './findings.ts';
import { openPollster } from './poll.ts';
import type { OpenPollster } from './poll.ts';

export interface PollsterCheck<R extends Resource = Resource> extends PluginSetting {
  /** Options as a user writes them, under which the plugin works on this machine. */
  readonly options?: unknown;
  /** What is measured. Default: what its own discovery finds, or this node for `local-node`. */
  readonly resources?: readonly R[];
  /** A resource that cannot be read: it must be reported, and the others must answer as without it. */
  readonly failing?: R;
  /** Longest a poll may take, and may go on after its signal aborted. Default 10 s and 1 s. */
  readonly timeoutMs?: number;
  readonly stopWithinMs?: number;
  /** True when it may be right to measure nothing at all. */
  readonly mayBeEmpty?: boolean;
}

/**
 * Checks that a pollster obeys the contract: its members, its options, two polls, a poll that is aborted, and one with a
 * failing resource. @throws AssertionError that lists every finding
 */
export async function checkPollster<Options, R extends Resource>(
  plugin: Pollster<Options, R>,
  check: PollsterCheck<R> = {},
): Promise<void> {
  const findings = [...shapeFindings(plugin, 'pollster'), ...memberFindings(plugin)];
  if (findings.length === 0) findings.push(...(await optionFindings(plugin, check.options)));
  if (findings.length === 0) findings.push(...(await runFindings(plugin, check)));
  throwFindings(`Pollster ${describe((plugin as { name?: unknown } | undefined)?.name)}`, findings);
}

function memberFindings(plugin: { poll?: unknown; discovery?: unknown; meters?: unknown }): string[] {
  const findings: string[] = [];
  if (typeof plugin.poll !== 'function') findings.push('poll: must be a function');
  if (typeof plugin.discovery !== 'function' && (typeof plugin.discovery !== 'string' || plugin.discovery === '')) {
    findings.push('discovery: must be the name of a discovery (local-node for this node) or a function');
  }
  if (plugin.meters !== 'dynamic') findings.push(...meterFindings(plugin.meters));
  return findings;
}

function meterFindings(meters: unknown): string[] {
  if (typeof meters !== 'object' || meters === null || Object.keys(meters).length === 0) {
    return ["meters: must describe at least one meter, or be 'dynamic'"];
  }
  return Object.entries(meters as Record<string, Partial<MeterDescription>>).flatMap(([name, meter]) => [
    ...typeFindings(meter.type, `meters.${name}`),
    ...(typeof meter.unit === 'string' && meter.unit !== ''
      ? []
      : [`meters.${name}: needs a unit (ns, B, %, instance ...)`]),
    ...(typeof meter.description === 'string' && meter.description.trim() !== ''
      ? []
      : [`meters.${name}: needs a description of one sentence: what it counts, since when`]),
  ]);
}

/** The part of a pollster that says what its readings are. */
type Metered = Pick<Pollster, 'meters'>;

interface Run<R extends Resource> {
  readonly readings: readonly Reading<R>[];
  readonly reported: ReadonlySet<string>;
  readonly findings: readonly string[];
}

async function runFindings<Options, R extends Resource>(
  plugin: Pollster<Options, R>,
  check: PollsterCheck<R>,
): Promise<string[]> {
  let open: OpenPollster<R>;
  let resources: readonly R[];
  try {
    open = await openPollster(plugin, check.options ?? {}, check);
    resources = await open.discover();
  } catch (cause) {
    return [`does not start: ${messageOf(cause)}`];
  }
  const findings = resourceFindings(resources, 'resources');
  if (findings.length > 0) return findings;
  const first = await runOnce(plugin, open, resources, check);
  const second = await runOnce(plugin, open, resources, check);
  findings.push(...first.findings, ...second.findings, ...growthFindings(plugin, first, second));
  if (first.readings.length === 0 && first.reported.size === 0 && check.mayBeEmpty !== true) {
    findings.push(`poll: gave no reading for ${resources.length} resources and reported none of them as failed`);
  }
  findings.push(...(await abortFindings(open, resources, check)));
  if (check.failing !== undefined) findings.push(...(await failingFindings(plugin, open, resources, check, second)));
  findings.push(...(await closeFindings(open)));
  return findings;
}

async function runOnce<Options, R extends Resource>(
  plugin: Pollster<Options, R>,
  open: OpenPollster<R>,
  resources: readonly R[],
  check: PollsterCheck<R>,
): Promise<Run<R>> {
  const readings: Reading<R>[] = [];
  const reported = new Set<string>();
  const findings: string[] = [];
  const limit = check.timeoutMs ?? 10_000;
  const report = (resource: Resource, cause: unknown): void => {
    findings.push(...idFindings((resource as Partial<Resource> | undefined)?.id, 'report: id of the resource'));
    if (cause === undefined) findings.push('report: tells no cause');
    reported.add(resource.id);
  };
  const collect = async (): Promise<void> => {
    for await (const reading of open.readings(resources, AbortSignal.timeout(limit), report)) readings.push(reading);
  };
  try {
    if ((await within(limit, collect())) === 'late') findings.push(`poll: did not end within ${limit} ms`);
  } catch (cause) {
    findings.push(`poll: threw ${messageOf(cause)}; report a resource that fails, throw only when nothing can be read`);
  }
  const known = new Set(resources.map(({ id }) => id));
  findings.push(...readings.flatMap((reading) => readingFindings(plugin, reading, known)));
  return { readings, reported, findings: [...findings, ...duplicateFindings(plugin, readings)] };
}

function readingFindings(plugin: Metered, reading: Reading, known: ReadonlySet<string>): string[] {
  if (typeof reading !== 'object' || reading === null) return [`poll: yielded ${describe(reading)}`];
  const where = `reading of ${describe(reading.meter)}`;
  const resource = reading.resource as Resource | undefined;
  return [
    ...(resource !== undefined && known.has(resource.id)
      ? []
      : [`${where}: its resource is none of those that were asked about`]),
    ...(reading.resourceId === undefined ? [] : idFindings(reading.resourceId, `${where}: resourceId`)),
    ...volumeFindings(reading.volume, where),
    ...metadataFindings(reading.metadata, where),
    ...ownerFindings(reading.projectId, `${where}: projectId`),
    ...ownerFindings(reading.userId, `${where}: userId`),
    ...kindFindings(plugin, reading, where),
  ];
}

function kindFindings(plugin: Metered, reading: Reading, where: string): string[] {
  if (plugin.meters === 'dynamic') {
    return [...idFindings(reading.meter, 'reading: meter'), ...typeFindings(reading.type, where)];
  }
  if (!Object.hasOwn(plugin.meters, reading.meter)) return [`${where}: the meter is not declared in meters`];
  return reading.type === undefined && reading.unit === undefined
    ? []
    : [`${where}: type and unit are those of meters; leave them out of the reading`];
}

function seriesOf(plugin: Metered, { meter, resource, resourceId, type, unit }: Reading): string {
  const kind = plugin.meters === 'dynamic' ? [type, unit ?? null] : [];
  return JSON.stringify([meter, resourceId ?? (resource as Resource | undefined)?.id, ...kind]);
}

function duplicateFindings(plugin: Metered, readings: readonly Reading[]): string[] {
  const seen = new Set<string>();
  return readings.flatMap((reading) => {
    const series = seriesOf(plugin, reading);
    if (seen.has(series))
      return [`two readings of ${series} in one poll; what tells them apart belongs into resourceId`];
    seen.add(series);
    return [];
  });
}

/** A cumulative meter only grows between two polls of one run. */
function growthFindings<R extends Resource>(plugin: Metered, first: Run<R>, second: Run<R>): string[] {
  const typeOf = (reading: Reading): unknown =>
    plugin.meters === 'dynamic' ? reading.type : plugin.meters[reading.meter]?.type;
  const before = new Map(first.readings.map((reading) => [seriesOf(plugin, reading), reading.volume]));
  return second.readings.flatMap((reading) => {
    const earlier = before.get(seriesOf(plugin, reading));
    if (typeOf(reading) !== 'cumulative' || earlier === undefined) return [];
    if (volumeFindings(earlier, '').length > 0 || volumeFindings(reading.volume, '').length > 0) return [];
    return compare(decimal(volumeText(reading.volume)), decimal(volumeText(earlier))) < 0
      ? [`${reading.meter}: is cumulative and fell from ${earlier} to ${reading.volume} between two polls`]
      : [];
  });
}

/** Aborted before it starts, and aborted after its first reading: it must end soon, by returning or by throwing. */
async function abortFindings<R extends Resource>(
  open: OpenPollster<R>,
  resources: readonly R[],
  check: PollsterCheck<R>,
): Promise<string[]> {
  const limit = check.stopWithinMs ?? 1000;
  const findings: string[] = [];
  for (const [when, readingsBefore] of [
    ['before the poll', 0],
    ['after the first reading', 1],
  ] as const) {
    const controller = new AbortController();
    if (readingsBefore === 0) controller.abort();
    let count = 0;
    const collect = async (): Promise<void> => {
      for await (const _ of open.readings(resources, controller.signal, () => undefined)) {
        if (++count >= readingsBefore) controller.abort();
      }
    };
    const ended = await within(
      limit,
      collect().catch(() => undefined),
    );
    if (ended === 'late')
      findings.push(`poll: goes on ${limit} ms after its signal aborted (${when}); pass the signal on`);
  }
  return findings;
}

async function failingFindings<Options, R extends Resource>(
  plugin: Pollster<Options, R>,
  open: OpenPollster<R>,
  resources: readonly R[],
  check: PollsterCheck<R>,
  without: Run<R>,
): Promise<string[]> {
  const failing = check.failing as R;
  const run = await runOnce(plugin, open, [failing, ...resources], check);
  const findings = [...run.findings];
  if (!run.reported.has(failing.id)) findings.push(`poll: did not report the failing resource ${describe(failing.id)}`);
  const seen = new Set(run.readings.map((reading) => seriesOf(plugin, reading)));
  for (const reading of without.readings) {
    const series = seriesOf(plugin, reading);
    if (!seen.has(series))
      findings.push(`poll: ${series} is missing when another resource fails; keep the other resources`);
  }
  return findings;
}

async function closeFindings(open: { close(): Promise<void> }): Promise<string[]> {
  try {
    await open.close();
    await open.close();
    return [];
  } catch (cause) {
    return [`close: threw ${messageOf(cause)}; closing twice must be safe`];
  }
}
