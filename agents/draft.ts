import { encodeBatch } from '@nephometer/core';
import type { BatchRun, CycleReport, Micros, SignedHeader } from '@nephometer/core';

export interface DraftLimits {
  /** Bytes of the encoded message. */
  readonly maxMessage: number;
  readonly maxSamples: number;
  readonly agentId: string;
  readonly source: string;
  readonly slot: Micros;
}

/** Room for what the header gets beyond its first measure: digests, the key id, numbers that grow by digits. */
const HEADER_SLACK = 768;

/** A batch that is being filled; measures what it will weigh. */
export class Draft {
  readonly texts: string[] = [];
  readonly reports: CycleReport[] = [];
  readonly #limits: DraftLimits;
  #bytes: number;

  constructor(limits: DraftLimits) {
    this.#limits = limits;
    this.#bytes = overheadOf(limits);
  }

  get isEmpty(): boolean {
    return this.texts.length === 0 && this.reports.length === 0;
  }

  get runs(): BatchRun[] {
    const { source, slot } = this.#limits;
    return this.texts.length === 0 ? [] : [{ source, slot, samples: this.texts.length }];
  }

  fits(text: string): boolean {
    const { maxSamples, maxMessage } = this.#limits;
    return this.texts.length < maxSamples && this.#bytes + embeddedBytes(text) <= maxMessage;
  }

  add(text: string): void {
    this.texts.push(text);
    this.#bytes += embeddedBytes(text);
  }

  /** A report always fits into an empty draft: it is cut to size before. */
  fitsReport(report: CycleReport): boolean {
    return this.isEmpty || this.#bytes + jsonBytes(report) + 1 <= this.#limits.maxMessage;
  }

  addReport(report: CycleReport): void {
    this.reports.push(report);
    this.#bytes += jsonBytes(report) + 1;
  }
}

/** Bytes of a text inside the envelope: it stands in a JSON string there, quotes and backslashes escaped once more. */
function embeddedBytes(text: string): number {
  return jsonBytes(text) - 2 + 1;
}

export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function overheadOf({ agentId, source, slot }: DraftLimits): number {
  const header: SignedHeader = {
    version: 1,
    agent_id: agentId,
    epoch: '0'.repeat(16),
    seq: 1,
    created: slot,
    samples: 0,
    merkle_root: '0'.repeat(64),
    previous: '0'.repeat(64),
    runs: [{ source, slot, samples: 0 }],
    cycles: [],
    key_id: agentId,
    hmac: '0'.repeat(64),
  };
  return Buffer.byteLength(encodeBatch(header, [])) + HEADER_SLACK;
}
