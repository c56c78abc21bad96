import type { MetricRegistry } from './metrics.ts';

/** What one part says about itself. */
export interface Readiness {
  readonly ready: boolean;
  /** A sentence for the operator; null when there is nothing to say. */
  readonly detail: string | null;
}

/** The state of one process, answered on /healthz, /readyz, /metrics and /varz. */
export class ProcessStatus {
  readonly metrics: MetricRegistry;
  readonly #info: Readonly<Record<string, unknown>>;
  readonly #checks = new Map<string, () => Readiness | Promise<Readiness>>();

  /** `info`: version, roles, start time; shown in /varz. Never a secret. */
  constructor(metrics: MetricRegistry, info: Readonly<Record<string, unknown>>) {
    this.metrics = metrics;
    this.#info = info;
  }

  addCheck(name: string, check: () => Readiness | Promise<Readiness>): void {
    this.#checks.set(name, check);
  }

  async readiness(): Promise<{ ready: boolean; checks: Record<string, Readiness> }> {
    const entries = [...this.#checks].map(async ([name, check]) => [name, await settle(check)] as const);
    const checks = Object.fromEntries(await Promise.all(entries));
    return { ready: Object.values(checks).every(({ ready }) => ready), checks };
  }

  /**
   * Answers a status path; null for any other path. /metrics and /varz want authentication beyond loopback; /readyz says
   * there only whether, since the reasons name servers and queues: those are in /varz too.
   */
  async answer(path: string, asker: 'operator' | 'anyone' = 'operator'): Promise<StatusAnswer | null> {
    if (path === '/healthz') return json(200, { status: 'alive' });
    if (path === '/readyz') {
      const readiness = await this.readiness();
      return json(readiness.ready ? 200 : 503, asker === 'operator' ? readiness : { ready: readiness.ready });
    }
    if (path === '/metrics') return { status: 200, contentType: OPENMETRICS, body: this.metrics.expose() };
    if (path === '/varz') {
      return json(200, { ...this.#info, ...(await this.readiness()), metrics: this.metrics.toJSON() });
    }
    return null;
  }
}

export interface StatusAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

function json(status: number, body: unknown): StatusAnswer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(body, null, 2)}\n` };
}

async function settle(check: () => Readiness | Promise<Readiness>): Promise<Readiness> {
  try {
    return await check();
  } catch (cause) {
    return { ready: false, detail: cause instanceof Error ? cause.message : String(cause) };
  }
}
