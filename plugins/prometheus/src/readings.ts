import type { Reading, Resource, SampleType } from '@nephometer/core/plugin';
import type { PrometheusConfig } from './config.ts';
import type { ExposedSample } from './exposition.ts';

/** One target as a resource. */
export interface TargetResource extends Resource {
  readonly target: PrometheusConfig['targets'][number];
}

/** Metric units by the suffix that the naming rules ask for. */
const UNITS: Readonly<Record<string, string>> = {
  seconds: 's',
  bytes: 'B',
  celsius: 'Cel',
  meters: 'm',
  volts: 'V',
  amperes: 'A',
  joules: 'J',
  grams: 'g',
  ratio: '1',
  percent: '%',
  hertz: 'Hz',
};

/** The type of meter that a sample is; null for what says nothing that could be metered. */
export function sampleType(sample: ExposedSample): SampleType | null {
  const { name, type } = sample;
  if (name.endsWith('_created') && type !== 'gauge' && type !== 'unknown') return null;
  switch (type) {
    case 'counter':
      return 'cumulative';
    case 'histogram':
      return 'cumulative';
    case 'summary':
      return sample.labels.has('quantile') ? 'gauge' : 'cumulative';
    case 'info':
      return null;
    case 'unknown':
      // Without a TYPE line the naming rule for counters is all there is to go by.
      return name.endsWith('_total') ? 'cumulative' : 'gauge';
    case 'gauge':
    case 'gaugehistogram':
    case 'stateset':
      return 'gauge';
  }
}

/** The unit of a sample: from its UNIT line, else from the suffix of its name; empty where neither says. */
export function unitOf(sample: ExposedSample): string {
  if (/_(bucket|count|gcount)$/.test(sample.name) && /histogram|summary/.test(sample.type)) return '';
  const base = sample.name.replace(/_(total|sum|gsum)$/, '');
  const suffix = sample.unit ?? base.slice(base.lastIndexOf('_') + 1);
  return UNITS[suffix] ?? sample.unit ?? '';
}

/** A sample as a reading; labels that make series become part of the resource id. */
export function readingOf(
  sample: ExposedSample,
  type: SampleType,
  resource: TargetResource,
  config: PrometheusConfig,
): Reading<TargetResource> {
  // Project and user stay in the id: two tenants with one set of other labels are two series.
  const own = new Set([config.resource_label, ...config.metadata_labels]);
  const series = [...sample.labels].filter(([label]) => !own.has(label)).sort(byName);
  const base = labelValue(sample, config.resource_label) ?? resource.id;
  return {
    meter: config.prefix + sample.name,
    resource,
    type,
    unit: unitOf(sample),
    volume: sample.value,
    resourceId: series.length === 0 ? base : `${base}{${series.map(labelText).join(',')}}`,
    projectId: labelValue(sample, config.project_label) ?? resource.target.project_id ?? null,
    userId: labelValue(sample, config.user_label) ?? resource.target.user_id ?? null,
    metadata: Object.fromEntries(sample.labels),
  };
}

function labelValue(sample: ExposedSample, label: string | undefined): string | null {
  const value = label === undefined ? undefined : sample.labels.get(label);
  return value === undefined || value === '' ? null : value;
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** As an exposition spells it, so that no two sets of labels give one resource id. */
function labelText([label, value]: readonly [string, string]): string {
  return `${label}="${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;
}
