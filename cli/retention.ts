import cron from 'node-cron';
import type { ScheduledTask } from 'node-cron';
import { ConfigError, messageOf } from '@nephometer/core';
import type { Clock, Config, LoadedConfig, Logger, Service, Store } from '@nephometer/core';

export interface RetentionOptions {
  readonly config: Config;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

/** @throws ConfigError if `store.retention_schedule` is not a cron expression */
export function checkRetention({ config, problemAt }: Pick<LoadedConfig, 'config' | 'problemAt'>): void {
  const checked = cron.validateDetailed(config.store.retention_schedule);
  if (checked.valid) return;
  const why = checked.errors.map(({ message }) => message).join('; ');
  const message = `is not a cron expression: ${why}. Write for example "17 3 * * *".`;
  throw new ConfigError([problemAt(['store', 'retention_schedule'], message)]);
}

/**
 * Removes what the retention rules let go, and the bytes of old messages in quarantine, on their schedule (cron, UTC). Without
 * rules no sample is ever removed.
 */
export function createRetention(options: RetentionOptions): Service & { runNow(): Promise<void> } {
  const { retention_schedule: schedule } = options.config.store;
  let task: ScheduledTask | null = null;
  return {
    name: 'retention',
    runNow: () => retain(options),
    start() {
      task = cron.schedule(schedule, () => retain(options), { timezone: 'Etc/UTC', noOverlap: true });
      return Promise.resolve();
    },
    async stop() {
      await task?.destroy();
      task = null;
    },
  };
}

async function retain({ config, store, clock, log }: RetentionOptions): Promise<void> {
  const now = clock.now();
  const rules = config.store.retention.map(({ meters, keep }) => ({ meters, keepFrom: now - keep }));
  try {
    if (rules.length > 0) {
      const { horizons } = await store.retain(rules);
      log.info({ meters: horizons.size }, 'Retention has run.');
    }
    const messages = await store.shedQuarantine(now - config.quarantine.keep);
    if (messages > 0)
      log.info({ messages }, 'Old messages in quarantine were let go but for what was refused and why.');
  } catch (cause) {
    log.error({ cause: messageOf(cause) }, 'Retention failed; it is tried again at its next time.');
  }
}
