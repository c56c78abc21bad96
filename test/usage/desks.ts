import { UsageDesk, usageSchemas } from '@nephometer/api';
import {
  AgentBook,
  DAY,
  defaultConfig,
  KeyBook,
  MetricRegistry,
  ProcessStatus,
  SECOND,
  SharedSecretKeyring,
  silentLogger,
  TokenBook,
} from '@nephometer/core';
import type { Clock, ConfigInput, Micros, Store, UsageAnswer } from '@nephometer/core';

export const ADMIN = { name: 'admin', role: 'admin', projects: null, userId: null } as const;

/** What answers questions about usage in an API server, without the server. */
export interface Desk {
  readonly desk: UsageDesk;
  readonly metrics: MetricRegistry;
  /** @param asked fields as they stand in the URL */
  readonly ask: (asked: Record<string, unknown>, asOf: Micros) => Promise<UsageAnswer>;
}

export function deskOver(store: Store, clock: Clock, config: ConfigInput): Desk {
  const metrics = new MetricRegistry();
  const desk = new UsageDesk({
    config: defaultConfig({ store: { url: 'memory:' }, ...config }),
    store,
    tokens: new TokenBook([], store),
    status: new ProcessStatus(metrics, { version: 'test' }),
    keyring: new KeyBook(new SharedSecretKeyring(Buffer.from('not-a-secret-at-all')), store),
    agents: new AgentBook({ store, clock, expected: [], margin: 15 * SECOND, lookback: 7 * DAY }),
    clock,
    log: silentLogger,
    metrics,
    bus: null,
    ingest: null,
  });
  return {
    desk,
    metrics,
    async ask(asked, asOf) {
      const question = await desk.question(usageSchemas.UsageFields.parse(asked), ADMIN, asOf);
      return desk.answer(question, { asOf, settled: false });
    },
  };
}

export function keeperOf({ desk }: Pick<Desk, 'desk'>): NonNullable<UsageDesk['folds']>['keeper'] {
  if (desk.folds === null) throw new TypeError('Fold lines are switched off.');
  return desk.folds.keeper;
}
