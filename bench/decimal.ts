import {
  add,
  decimal,
  divide,
  foldUsage,
  HOUR,
  MINUTE,
  multiply,
  parseTimestamp,
  toDouble,
  usageQuery,
} from '@nephometer/core';
import type { Decimal, Micros, UsageSample } from '@nephometer/core';
import { scaled } from './batches.ts';
import type { Bench } from './measure.ts';

const FROM: Micros = parseTimestamp('2026-03-01T00:00:00Z');
const FIGURE_DIGITS = 12;

/** What it costs that a figure is exact: a gauge integrated over time, minute by minute, a figure an hour. */
export const decimalBench: Bench = {
  name: 'decimal',
  title: 'integrate a gauge in exact decimals, beside plain doubles',
  unit: 'reading',
  async prepare(scale) {
    const samples = gauge(scaled(168, scale));
    const volumes = samples.map(({ volume }) => volume);
    const doubles = volumes.map(toDouble);
    const expected = sumOf(inDoubles(doubles));
    const same = (found: number): number => (Math.abs(found / expected - 1) < 1e-9 ? samples.length : 0);
    return {
      units: samples.length,
      subjects: [
        { name: 'doubles', times: 500, run: () => same(sumOf(inDoubles(doubles))) },
        { name: 'exact decimals', times: 10, run: () => same(toDouble(inDecimals(volumes).reduce(add, decimal(0)))) },
        { name: 'foldUsage: holds, gaps, attributes, bounds too', run: () => same(folded(samples)) },
      ],
      close: async () => undefined,
    };
  },
};

/** A level with two digits behind the point, that changes each minute for so many hours. */
function gauge(hours: number): UsageSample[] {
  return Array.from({ length: hours * 60 }, (_, i) => {
    const timestamp = FROM + i * MINUTE;
    return {
      messageId: `message-${i}`,
      source: 'openstack',
      meter: 'memory.usage',
      type: 'gauge',
      unit: 'MiB',
      volume: decimal(`${1000 + ((i * 7919) % 1000)}.${10 + (i % 90)}`),
      resourceId: 'instance-1',
      projectId: 'project-1',
      userId: null,
      timestamp,
      metadata: new Map(),
      slot: timestamp,
      agentId: 'agent-1',
      recordedAt: timestamp,
    };
  });
}

/** Value x hours of each hour. */
function inDoubles(volumes: readonly number[]): number[] {
  const figures: number[] = [];
  for (let start = 0; start < volumes.length; start += 60) {
    let area = 0;
    for (const volume of volumes.slice(start, start + 60)) area += volume * MINUTE;
    figures.push(area / HOUR);
  }
  return figures;
}

function inDecimals(volumes: readonly Decimal[]): Decimal[] {
  const figures: Decimal[] = [];
  const [minute, hour] = [decimal(MINUTE), decimal(HOUR)];
  for (let start = 0; start < volumes.length; start += 60) {
    let area = decimal(0);
    for (const volume of volumes.slice(start, start + 60)) area = add(area, multiply(volume, minute));
    figures.push(divide(area, hour, FIGURE_DIGITS));
  }
  return figures;
}

function sumOf(figures: readonly number[]): number {
  return figures.reduce((sum, figure) => sum + figure, 0);
}

function folded(samples: readonly UsageSample[]): number {
  const query = usageQuery({ kind: 'integral', from: FROM, to: FROM + samples.length * MINUTE });
  const [line] = foldUsage({ samples }, query).lines;
  return Number(line?.quantity ?? 0);
}
