import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Things that do the same work in different ways. A time says something of the machine, a ratio of two times in one run
 * says something of the code, so ratios are what a bench is for. They are of processor time, of all threads of this process:
 * what else the machine has to do does not count. Where a disk is waited for, the ratio by the clock says so.
 */
export interface Bench {
  readonly name: string;
  readonly title: string;
  /** What is counted: `sample`, `reading`. */
  readonly unit: string;
  /** @param scale 1 is the usual size; a smoke test asks for far less */
  prepare(scale: number): Promise<Course>;
}

/** A bench with its data at hand. */
export interface Course {
  /** What each subject does in a round. */
  readonly units: number;
  /** The first is what the others are compared with. */
  readonly subjects: readonly Subject[];
  close(): Promise<void>;
}

export interface Subject {
  readonly name: string;
  /** Runs that are timed as one, for what is over too soon. Default 1. */
  readonly times?: number;
  /** Before and after each run, not timed. */
  readonly before?: () => Promise<void> | void;
  readonly after?: () => Promise<void> | void;
  /** Timed. @returns how many units it did; another number than the course's is an error */
  readonly run: () => Promise<number> | number;
}

/** Of the rounds: the middle one, and the outermost. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Result {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly units: number;
  readonly rounds: number;
  readonly subjects: readonly Measured[];
}

export interface Measured {
  readonly name: string;
  /** Of processor time. */
  readonly microsPerUnit: Spread;
  /** Its processor time by that of the first subject in the same round. */
  readonly ratio: Spread;
  /** The same by the clock. */
  readonly clockRatio: Spread;
}

/** Microseconds of one run. */
interface Timing {
  readonly cpu: number;
  readonly clock: number;
}

export interface Bounds {
  readonly scale: number;
  readonly rounds: number;
  /** No round begins later than this, once there are three. */
  readonly seconds: number;
}

const WARM_UP_ROUNDS = 2;
const FEWEST_ROUNDS = 3;

/** Runs the subjects of a bench by turns, round after round, each round beginning with another one. */
export async function measure(bench: Bench, bounds: Bounds): Promise<Result> {
  const course = await bench.prepare(bounds.scale);
  try {
    const { units, subjects } = course;
    const rounds: Timing[][] = [];
    const started = performance.now();
    const isLate = (): boolean => performance.now() - started > bounds.seconds * 1000;
    for (let round = -WARM_UP_ROUNDS; round < bounds.rounds; round++) {
      if (isLate() && rounds.length >= FEWEST_ROUNDS) break;
      const times = await runRound(course, Math.abs(round));
      if (round >= 0) rounds.push(times);
    }
    const { name, title, unit } = bench;
    return { name, title, unit, units, rounds: rounds.length, subjects: subjects.map(summary(rounds, units)) };
  } finally {
    await course.close();
  }
}

/** @returns by subject, in their own order */
async function runRound({ subjects, units }: Course, first: number): Promise<Timing[]> {
  const timings: Timing[] = [];
  for (let i = 0; i < subjects.length; i++) {
    const turn = (first + i) % subjects.length;
    const subject = subjects[turn];
    if (subject !== undefined) timings[turn] = await timed(subject, units);
  }
  return timings;
}

async function timed({ name, times = 1, before, run, after }: Subject, units: number): Promise<Timing> {
  await before?.();
  collectGarbage();
  const cpuStarted = process.cpuUsage();
  const started = performance.now();
  let done = 0;
  for (let i = 0; i < times; i++) done += await run();
  const clock = (performance.now() - started) * 1000;
  const { user, system } = process.cpuUsage(cpuStarted);
  await after?.();
  if (done !== units * times)
    throw new Error(`${name} did ${done / times} units of ${units}; it is not the same work.`);
  return { cpu: (user + system) / times, clock: clock / times };
}

/** What one subject leaves behind must not be cleared away in the time of the next. */
function collectGarbage(): void {
  garbageCollector ??= exposedCollector();
  garbageCollector();
}
let garbageCollector: (() => void) | undefined;

function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

function summary(rounds: readonly (readonly Timing[])[], units: number): (subject: Subject, at: number) => Measured {
  const ratio = (which: keyof Timing, at: number): Spread =>
    spreadOf(rounds.map((timings) => (timings[at]?.[which] ?? NaN) / (timings[0]?.[which] ?? NaN)));
  return ({ name }, at) => ({
    name,
    microsPerUnit: spreadOf(rounds.map((timings) => (timings[at]?.cpu ?? NaN) / units)),
    ratio: ratio('cpu', at),
    clockRatio: ratio('clock', at),
  });
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
  return { median, least: sorted[0] ?? NaN, most: sorted.at(-1) ?? NaN };
}
