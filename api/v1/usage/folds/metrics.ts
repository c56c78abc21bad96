import { SECOND } from '@nephometer/core';
import type { MetricRegistry, Micros } from '@nephometer/core';

/** Where an answer came from. */
export type AnswerSource = 'folds' | 'both' | 'samples';

export interface FoldMetrics {
  answered(source: AnswerSource): void;
  damaged(lines: number): void;
  wrote(what: 'folded' | 'refolded', lines: number): void;
  /** @param behind between the newest mark and now @param days settled and not folded yet */
  ran(outcome: 'done' | 'failed', behind: Micros | null, days: number): void;
}

export function foldMetrics(metrics: MetricRegistry): FoldMetrics {
  const answers = metrics.counter(
    'nephometer_fold_answers_total',
    'Questions about usage, by what they were answered from: folds, samples, or both.',
  );
  const damaged = metrics.counter(
    'nephometer_fold_damaged_total',
    'Fold lines found damaged; samples were read instead.',
  );
  const written = metrics.counter('nephometer_fold_lines_total', 'Fold lines written, by cause: folded, refolded.');
  const runs = metrics.counter('nephometer_fold_runs_total', 'Runs of the keeper of fold lines, by outcome.');
  const lag = metrics.gauge(
    'nephometer_fold_lag_seconds',
    'Since the newest moment up to which late data were looked for.',
  );
  const waiting = metrics.gauge('nephometer_fold_waiting_days', 'Days of meters that are settled and not folded yet.');
  return {
    answered: (source) => answers.add(1, { source }),
    damaged: (lines) => damaged.add(lines),
    wrote: (cause, lines) => written.add(lines, { cause }),
    ran(outcome, behind, days) {
      runs.add(1, { outcome });
      if (behind !== null) lag.set(behind / SECOND);
      waiting.set(days);
    },
  };
}
