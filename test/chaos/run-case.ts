import { setTimeout as sleep } from 'node:timers/promises';
import { startRabbit } from '../servers/index.ts';
import type { Bench, CaseResult, ChaosCase, Claim } from './case.ts';
import { figuresOf } from './figures.ts';
import type { Figures } from './figures.ts';
import { judge } from './judge.ts';
import type { Finding } from './judge-types.ts';
import { Lab } from './lab.ts';
import type { StoreKind } from './side.ts';

/** How a case ended. */
export interface Outcome {
  readonly number: number;
  readonly title: string;
  readonly store: StoreKind;
  readonly state: 'passed' | 'failed' | 'not injected';
  readonly seconds: number;
  readonly findings: readonly Finding[];
  readonly also: readonly Claim[];
  /** Null when the case did not come to its end. */
  readonly figures: Figures | null;
  /** Why it was not injected, or what broke off the case. */
  readonly reason: string | null;
}

export interface Surroundings {
  readonly store: StoreKind;
  readonly long: boolean;
  readonly quick: boolean;
  /** `amqp://...` and `http://...` that cases share. */
  readonly broker: string;
  readonly influx: string;
  readonly say: (line: string) => void;
}

/** Runs one case and judges it. Never throws: what breaks off a case fails it. */
export async function runCase(one: ChaosCase, around: Surroundings): Promise<Outcome> {
  const { number, title } = one;
  const began = Date.now();
  const base = { number, title, store: around.store, findings: [], also: [], figures: null };
  const seconds = (): number => Math.round((Date.now() - began) / 100) / 10;
  const reason = (await one.cannot?.(around.store)) ?? null;
  if (reason !== null) return { ...base, state: 'not injected', seconds: 0, reason };
  const ends: (() => unknown)[] = [];
  try {
    const result = await within(one.seconds * (around.long ? 20 : 1), one.run(benchOf(around, ends)));
    const { findings, figures } = await judged(result);
    const also = result.also ?? [];
    const bad = findings.some(({ problems }) => problems.length > 0) || also.some(({ holds }) => !holds);
    return { ...base, state: bad ? 'failed' : 'passed', seconds: seconds(), findings, also, figures, reason: null };
  } catch (cause) {
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    return { ...base, state: 'failed', seconds: seconds(), reason: text };
  } finally {
    for (const end of ends.toReversed())
      await Promise.resolve(end()).catch((cause: unknown) => around.say(String(cause)));
  }
}

async function judged({ lab, fresh, expected = {} }: CaseResult): Promise<{ findings: Finding[]; figures: Figures }> {
  const evidence = await lab.settle();
  const findings = [...judge(evidence, expected), fresh].toSorted((a, b) => (a.letter < b.letter ? -1 : 1));
  return { findings, figures: figuresOf(evidence, expected) };
}

async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  const late = sleep(seconds * 1000, undefined, { ref: false }).then(() => {
    throw new Error(`The case took longer than ${seconds} s.`);
  });
  return Promise.race([work, late]);
}

function benchOf(around: Surroundings, ends: (() => unknown)[]): Bench {
  const { store, long, quick, broker, influx, say } = around;
  const onEnd = (act: () => unknown): void => void ends.push(act);
  return {
    store,
    long,
    quick,
    broker,
    influx,
    say,
    onEnd,
    async lab(settings = {}) {
      const lab = new Lab({ store, broker, influx, say, ...settings });
      onEnd(() => lab.close());
      return lab;
    },
    async rabbit() {
      const rabbit = await startRabbit();
      onEnd(() => rabbit.stop());
      return rabbit;
    },
  };
}
