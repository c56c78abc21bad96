import { ask } from '../acceptance/nephometer.ts';
import type { SampleAnswer as Shape } from './store-shapes.ts';
import type { LedgerBatch, QuarantineItem } from './store-shapes.ts';

export type { LedgerBatch, QuarantineItem } from './store-shapes.ts';
export type SampleAnswer = Shape;

/** The store as the API shows it. */
export class StoreView {
  readonly #url: () => string;
  readonly #token: string;

  constructor(url: () => string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  samples(conditions = ''): Promise<SampleAnswer[]> {
    return this.#all<SampleAnswer>(`/v1/samples?order=oldest&limit=20000${conditions}`, 'samples', 'cursor');
  }

  ledger(): Promise<LedgerBatch[]> {
    return this.#all<LedgerBatch>('/v1/ledger?headers=true&limit=2000', 'batches', 'after');
  }

  quarantine(): Promise<QuarantineItem[]> {
    return this.#all<QuarantineItem>('/v1/quarantine?limit=200', 'quarantine', 'before');
  }

  async conflicts(): Promise<{ message_id: string; versions: SampleAnswer[] }[]> {
    return this.#all('/v1/conflicts?limit=1000', 'conflicts', 'cursor');
  }

  async evidence(messageId: string): Promise<Record<string, unknown>> {
    return (await this.get(`/v1/samples/${messageId}`)) as Record<string, unknown>;
  }

  /** Resources of which a sample is there that was issued after a moment (milliseconds). */
  async freshAfter(moment: number): Promise<readonly string[]> {
    const from = new Date(moment - 1000).toISOString();
    const body = await this.get(`/v1/samples?order=newest&limit=400&meter=chaos.requests&from=${from}`);
    const { samples } = body as { samples: SampleAnswer[] };
    return samples.filter((sample) => issuedAt(sample) > moment).map(({ resource_id }) => resource_id);
  }

  async #all<T>(path: string, key: string, cursor: string): Promise<T[]> {
    const rows: T[] = [];
    let next: string | null = null;
    do {
      const page: string = next === null ? '' : `&${cursor}=${encodeURIComponent(next)}`;
      const body = (await this.get(path + page)) as { next: string | null } & Record<string, T[]>;
      rows.push(...(body[key] ?? []));
      next = body.next;
    } while (next !== null);
    return rows;
  }

  /** The body of any other answer. @throws Error where it is not 200 */
  async get(path: string): Promise<unknown> {
    const { status, body } = await ask(this.#url(), this.#token, path);
    if (status !== 200) throw new Error(`GET ${path} answers ${status}: ${JSON.stringify(body).slice(0, 300)}`);
    return body;
  }
}

/** When the synthetic pollster issued it, milliseconds; 0 when it did not. */
export function issuedAt(sample: SampleAnswer): number {
  const at = sample.resource_metadata['issued_at'];
  return typeof at === 'number' ? at : 0;
}
