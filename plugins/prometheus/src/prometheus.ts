import { definePollster, matchesPatterns } from '@nephometer/core/plugin';
import type { PollContext, Reading } from '@nephometer/core/plugin';
import { PrometheusConfig } from './config.ts';
import { parseExposition } from './exposition.ts';
import type { ExposedSample } from './exposition.ts';
import { readingOf, sampleType } from './readings.ts';
import type { TargetResource } from './readings.ts';
import { scrape } from './scrape.ts';

type Context = PollContext<PrometheusConfig>;

/** Scrapes exporters; counters become cumulative meters, gauges gauges. */
export default definePollster<PrometheusConfig, TargetResource>({
  name: 'prometheus',
  contract: 1,
  options: PrometheusConfig,
  meters: 'dynamic',
  enabled: ({ options }) =>
    options.targets.length > 0 || 'no targets are named; list them under plugins.prometheus.targets',
  discovery: ({ options }) =>
    options.targets.map((target) => ({
      id: target.name ?? new URL(target.url).host,
      target,
      metadata: { url: target.url },
    })),
  async *poll(resources, context) {
    for (let from = 0; from < resources.length; from += context.options.parallel) {
      const group = resources.slice(from, from + context.options.parallel);
      for (const readings of await Promise.all(group.map((resource) => readTarget(resource, context)))) yield* readings;
    }
  },
});

/** All readings of one target; none, and a report, when it cannot be read whole. */
async function readTarget(resource: TargetResource, context: Context): Promise<Reading<TargetResource>[]> {
  try {
    const text = await scrape(resource.target, context.options.max_size, context.signal);
    return [...readingsIn(text, resource, context.options)];
  } catch (cause) {
    context.report(resource, cause);
    return [];
  }
}

function* readingsIn(
  text: string,
  resource: TargetResource,
  options: PrometheusConfig,
): Generator<Reading<TargetResource>> {
  for (const sample of parseExposition(text)) {
    const type = matchesPatterns(options.metrics, sample.name) ? sampleType(sample) : null;
    if (type !== null && isFinite(sample)) yield readingOf(sample, type, resource, options);
  }
}

/** NaN and infinities are how exporters say that there is nothing to say, a quantile of nothing for example. */
function isFinite({ value }: ExposedSample): boolean {
  return value !== 'NaN' && !value.endsWith('Inf');
}
