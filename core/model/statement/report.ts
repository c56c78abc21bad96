import type { FrozenLine, Statement } from './statement.ts';

/** `true`: holds. `false`: does not. `null`: was not looked at, and `found` says why. */
export interface VerifyCheck {
  readonly check: (typeof VERIFY_CHECKS)[number];
  readonly ok: boolean | null;
  readonly found: string;
  /** What does not hold, thing by thing; the first of them. */
  readonly faults: readonly string[];
}

export interface VerifyLine {
  readonly definition: string;
  readonly frozen: FrozenLine | null;
  /** Made anew from the samples; null: there is none. */
  readonly recomputed: FrozenLine | null;
  readonly ok: boolean;
}

/** Volumes as texts. */
export interface VerifyResolution {
  readonly message_id: string;
  /** Digest of the batch whose version counts; null: none does. */
  readonly keep: string | null;
  readonly by: string;
  readonly why: string;
  readonly recorded_at: string;
  /** What the version that counts says; null where none does, or it is not the project's. */
  readonly counted: string | null;
  readonly set_aside: readonly { readonly batch: string; readonly volume: string }[];
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly statement: Statement | null;
  readonly checks: readonly VerifyCheck[];
  readonly lines: readonly VerifyLine[];
  readonly resolutions: readonly VerifyResolution[];
}

/** What is looked at, in order. */
export const VERIFY_CHECKS = [
  'file',
  'statement',
  'signature',
  'issuer',
  'evidence',
  'batches',
  'samples',
  'resolutions',
  'agents',
  'lines',
] as const;

const MOST_FAULTS = 20;

/** What was found not to hold. */
export class Tally {
  readonly faults: string[] = [];
  count = 0;
  fail(fault: string): void {
    this.count += 1;
    if (this.faults.length < MOST_FAULTS) this.faults.push(fault);
  }
}

export function verdict(check: VerifyCheck['check'], { count, faults }: Tally, found: string): VerifyCheck {
  const more = count > faults.length ? [`... and ${count - faults.length} more`] : [];
  return { check, ok: count === 0, found, faults: [...faults, ...more] };
}

export function skipped(check: VerifyCheck['check'], found: string): VerifyCheck {
  return { check, ok: null, found, faults: [] };
}
