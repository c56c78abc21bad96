import type { Micros } from '@nephometer/core';

export interface InfluxSeries {
  readonly tags: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}

/** What the store needs of an InfluxDB. Every verb throws StoreUnavailable when it cannot be reached or does not answer. */
export interface InfluxClient {
  /** Returns once all lines are written for good. @throws WriteRejected */
  write(lines: readonly string[], timeoutMs?: number): Promise<void>;
  /** InfluxQL; the series that each statement gives. */
  query(statements: readonly string[]): Promise<InfluxSeries[][]>;
  /** Removes points of a measurement with this tag before an instant. */
  removeBefore(measurement: string, tag: string, encoded: string, before: Micros): Promise<void>;
  /** Makes the database when it is missing (1.x). */
  prepare(): Promise<void>;
  ping(): Promise<void>;
  close(): void;
}

/** The server will not take these lines, or not all of them: 400, 413, 422. Some may be written. */
export class WriteRejected extends Error {
  override name = 'WriteRejected';
  readonly status: number;
  constructor(status: number, body: string) {
    super(`InfluxDB answered ${status}: ${body.trim().slice(0, 500)}`);
    this.status = status;
  }
}
