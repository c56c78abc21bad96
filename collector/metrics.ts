import type { CounterMetric, HistogramMetric, MetricRegistry } from '@nephometer/core';

/** Self-metrics of the collector. Every message that is not recorded is counted with its reason. */
export interface CollectorMetrics {
  readonly messages: CounterMetric;
  readonly batches: CounterMetric;
  readonly samples: CounterMetric;
  readonly quarantined: CounterMetric;
  /** Of these, those that are counted in an entry for many. */
  readonly unkept: CounterMetric;
  readonly receipts: CounterMetric;
  readonly storeAway: CounterMetric;
  readonly recordSeconds: HistogramMetric;
}

const RECORD_BUCKETS = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

export function collectorMetrics(metrics: MetricRegistry): CollectorMetrics {
  return {
    messages: metrics.counter('nephometer_collector_messages_total', 'Messages and posted bodies taken, by transport.'),
    batches: metrics.counter(
      'nephometer_collector_batches_total',
      'Batches with a header, by outcome: recorded, duplicate, refused.',
    ),
    samples: metrics.counter(
      'nephometer_collector_samples_total',
      'Metering messages, by outcome: recorded, duplicate, conflict, refused.',
    ),
    quarantined: metrics.counter(
      'nephometer_collector_quarantined_total',
      'Messages put into quarantine, by reason and by the agent they name.',
    ),
    unkept: metrics.counter(
      'nephometer_collector_quarantine_unkept_total',
      'Refused messages whose sender had too much refused that day: counted in one entry, their bytes gone.',
    ),
    receipts: metrics.counter(
      'nephometer_collector_receipts_total',
      'Receipts to agents, by outcome: sent, failed, skipped.',
    ),
    storeAway: metrics.counter(
      'nephometer_collector_store_away_total',
      'Times that consumption was paused because the store did not take what was read.',
    ),
    recordSeconds: metrics.histogram(
      'nephometer_collector_record_seconds',
      'Time to record one group of batches.',
      RECORD_BUCKETS,
    ),
  };
}
