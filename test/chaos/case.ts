import type { Expectation, Finding } from './judge-types.ts';
import type { Lab, LabSettings } from './lab.ts';
import type { RabbitServer } from '../servers/index.ts';
import type { StoreKind } from './side.ts';

/** What a case is given. */
export interface Bench {
  readonly store: StoreKind;
  /** As FAULTS.md has it, not the shorter form of the matrix. */
  readonly long: boolean;
  /** As short as it can be: a case inside `npm test`. */
  readonly quick: boolean;
  readonly say: (line: string) => void;
  /** A lab on the broker that cases share, or on one of its own. */
  lab(this: void, settings?: Partial<LabSettings>): Promise<Lab>;
  /** `amqp://...` of the broker that cases share. */
  readonly broker: string;
  /** `http://...` of the InfluxDB that cases share. */
  readonly influx: string;
  /** A broker of the case's own. */
  rabbit(this: void): Promise<RabbitServer>;
  /** Done at the end of the case, the last first. */
  onEnd(this: void, act: () => unknown): void;
}

/** What a case found beside A to F, and what the judge must know of the fault. */
export interface CaseResult {
  readonly lab: Lab;
  /** E, as `lab.healed()` judged it. */
  readonly fresh: Finding;
  readonly expected?: Expectation;
  /** What the fault's own column of FAULTS.md asks for. */
  readonly also?: readonly Claim[];
}

export interface Claim {
  readonly claim: string;
  readonly holds: boolean;
  readonly seen: string;
}

/** One fault. */
export interface ChaosCase {
  readonly number: number;
  readonly title: string;
  /** Longest that it may take in the matrix, seconds. */
  readonly seconds: number;
  /** Belongs to `npm test` in its short form. */
  readonly quick?: boolean;
  /** Why it cannot be injected here; null when it can. */
  cannot?(store: StoreKind): string | null | Promise<string | null>;
  run(bench: Bench): Promise<CaseResult>;
}

export function claim(claim: string, holds: boolean, seen: string | number): Claim {
  return { claim, holds, seen: String(seen) };
}
