import { systemClock } from '@nephometer/core';
import type { Clock, CounterMetric, DroppedSamples, HistogramMetric, MetricRegistry, Spool } from '@nephometer/core';

/** What an agent counts of itself. */
export interface AgentMetrics {
  readonly samples: CounterMetric;
  readonly batches: CounterMetric;
  readonly published: CounterMetric;
  readonly receipts: CounterMetric;
  readonly refused: CounterMetric;
  readonly dropped: CounterMetric;
  readonly overruns: CounterMetric;
  readonly pollErrors: CounterMetric;
  readonly failedResources: CounterMetric;
  readonly pollSeconds: HistogramMetric;
  readonly clockJumps: CounterMetric;
}

const POLL_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];

export function agentMetrics(
  metrics: MetricRegistry,
  spool: Spool,
  maxBytes: number,
  clock: Clock = systemClock,
): AgentMetrics {
  spoolGauges(metrics, spool, maxBytes, clock);
  return {
    samples: metrics.counter('nephometer_agent_samples_total', 'Samples signed and spooled.'),
    batches: metrics.counter('nephometer_agent_batches_total', 'Batches sealed and spooled.'),
    published: metrics.counter(
      'nephometer_agent_published_total',
      'Attempts to publish a batch, by result: confirmed, refused, unavailable.',
    ),
    receipts: metrics.counter('nephometer_agent_receipts_total', 'Batches that a receipt says are in the ledger.'),
    refused: metrics.counter(
      'nephometer_agent_refused_batches_total',
      'Batches that the collector refused, by reason.',
    ),
    dropped: metrics.counter('nephometer_agent_dropped_samples_total', 'Samples lost before delivery, by reason.'),
    overruns: metrics.counter('nephometer_agent_overruns_total', 'Slots that passed without a poll, by source.'),
    pollErrors: metrics.counter('nephometer_agent_poll_errors_total', 'Pollster runs that failed as a whole.'),
    failedResources: metrics.counter('nephometer_agent_failed_resources_total', 'Resources that could not be read.'),
    pollSeconds: metrics.histogram(
      'nephometer_agent_poll_seconds',
      'Time of a pollster run, discovery included.',
      POLL_BUCKETS,
    ),
    clockJumps: metrics.counter('nephometer_agent_clock_set_back_total', 'Times that the wall clock was set back.'),
  };
}

function spoolGauges(metrics: MetricRegistry, spool: Spool, maxBytes: number, clock: Clock): void {
  const bytes = metrics.gauge('nephometer_agent_spool_bytes', 'Bytes of the batches that wait for their receipt.');
  const limit = metrics.gauge('nephometer_agent_spool_limit_bytes', 'Bytes that the spool may hold.');
  const batches = metrics.gauge('nephometer_agent_spool_batches', 'Batches that wait for their receipt.');
  const samples = metrics.gauge('nephometer_agent_spool_samples', 'Samples that wait for their receipt.');
  const oldest = metrics.gauge('nephometer_agent_spool_oldest_seconds', 'Age of the oldest batch in the spool.');
  limit.set(maxBytes);
  metrics.onCollect(() => {
    const stats = spool.stats();
    bytes.set(stats.bytes);
    batches.set(stats.batches);
    samples.set(stats.samples);
    oldest.set(stats.oldest === null ? 0 : Math.max(0, (clock.now() - stats.oldest) / 1e6));
  });
}

export function countDropped(metrics: AgentMetrics, { reason, samples }: DroppedSamples): void {
  metrics.dropped.add(samples, { reason });
}
