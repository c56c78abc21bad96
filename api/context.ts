import type {
  Bus,
  Clock,
  Config,
  AgentBook,
  Identity,
  KeyBook,
  Logger,
  MessageIngest,
  MetricRegistry,
  Micros,
  ProcessStatus,
  StatementKey,
  Store,
  TokenBook,
} from '@nephometer/core';
import type { Router, RouterContext } from '@koa/router';

export interface ApiOptions {
  readonly config: Config;
  readonly store: Store;
  readonly tokens: TokenBook;
  readonly status: ProcessStatus;
  readonly keyring: KeyBook;
  readonly agents: AgentBook;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricRegistry;
  /** For samples that are posted without `direct`, and to replay quarantined messages; null: the store takes samples itself. */
  readonly bus: Bus | null;
  /** Served at POST /v1/messages; null where no collector runs in this process. */
  readonly ingest: MessageIngest | null;
  /** What statements are signed with. Absent: a key that lasts as long as this API. */
  readonly statementKey?: StatementKey;
  /** When a schedule closes a period of a project; null or absent: none does. */
  readonly expectedClose?: (projectId: string, from: Micros, to: Micros) => Micros | null;
}

/** What the middlewares leave for the handlers. */
export interface ApiState {
  /** Who asks; null on the few paths that are open. */
  identity: Identity | null;
}

export type ApiRouter = Router<ApiState>;
export type ApiContext = RouterContext<ApiState>;
export type Handler = (ctx: ApiContext) => Promise<void>;
