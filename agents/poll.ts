import { messageOf } from '@nephometer/core';
import type {
  ActivePlugin,
  Clock,
  Counter,
  Micros,
  PollsterOutcome,
  Pollster,
  Reading,
  Resource,
} from '@nephometer/core';
import { callWithDeadline, DeadlineExceeded } from './deadline.ts';
import { checkResource, ReadingReader } from './reading.ts';
import type { ReadingMoment } from './reading.ts';

/** Longest text of an error in a cycle report. */
const LONGEST_REASON = 500;
/** Readings between two looks at the clock, for a pollster that never gives the event loop back. */
const READINGS_PER_TURN = 1000;

export interface PollRequest {
  readonly active: ActivePlugin<Pollster>;
  readonly resources: readonly Resource[];
  readonly clock: Clock;
  readonly moment: ReadingMoment;
  readonly timeout: Micros;
  readonly maxReadings: number;
  /** Which meters the source wants; others are read and left out. */
  readonly wants: (meter: string) => boolean;
  /** Called when the pollster has really returned, at the latest now or long after its timeout. */
  readonly settled?: () => void;
}

export interface PollResult {
  readonly counters: readonly Counter[];
  readonly outcome: PollsterOutcome;
}

/**
 * Runs a pollster once over all its resources. One failing resource leaves the others; when the run fails as a whole,
 * what it yielded before still counts. After the timeout its signal aborts and it is waited for no longer.
 */
export async function pollOnce(request: PollRequest): Promise<PollResult> {
  const run = new Run(request);
  const { clock, timeout, settled } = request;
  try {
    await callWithDeadline(clock, timeout, (signal) => run.read(signal), { settled: () => settled?.() });
  } catch (cause) {
    run.fail(cause instanceof DeadlineExceeded ? 'timeout' : `threw: ${messageOf(cause)}`);
  }
  return run.close();
}

/** The outcome of a run that did not take place. */
export function notRun(name: string, error: string, asked = 0): PollsterOutcome {
  return { name, asked, answered: 0, readings: 0, failed: [], error: cut(error) };
}

export function cut(text: string): string {
  return text.length <= LONGEST_REASON ? text : `${text.slice(0, LONGEST_REASON - 3)}...`;
}

class Run {
  readonly #request: PollRequest;
  readonly #reader: ReadingReader;
  readonly #counters: Counter[] = [];
  readonly #answered = new Set<string>();
  readonly #failed = new Map<string, string>();
  #readings = 0;
  #error: string | null = null;
  #over = false;

  constructor(request: PollRequest) {
    this.#request = request;
    this.#reader = new ReadingReader(request.active.plugin, request.moment);
  }

  async read(signal: AbortSignal): Promise<void> {
    const { active, resources } = this.#request;
    const report = (resource: Resource, cause: unknown): void => this.#report(resource?.id, messageOf(cause));
    const readings = active.plugin.poll(resources, { ...active.context, signal, report });
    for await (const reading of readings) {
      if (this.#over || this.#isFlood()) break;
      this.#take(reading);
      if (this.#readings % READINGS_PER_TURN === 0) await nextTurn();
    }
  }

  fail(error: string): void {
    if (!this.#over) this.#error ??= cut(error);
  }

  close(): PollResult {
    this.#over = true;
    const { active, resources } = this.#request;
    const answered = [...this.#answered].filter((id) => !this.#failed.has(id)).length;
    const failed = [...this.#failed].map(([resource_id, reason]) => ({ resource_id, reason: cut(reason) }));
    const outcome: PollsterOutcome = {
      name: active.plugin.name,
      asked: resources.length,
      answered,
      readings: this.#readings,
      failed,
      error: this.#error,
    };
    return { counters: [...this.#counters], outcome };
  }

  #isFlood(): boolean {
    if (this.#readings < this.#request.maxReadings) return false;
    this.#error = 'flood';
    return true;
  }

  #take(reading: Reading): void {
    this.#readings += 1;
    let resourceId: string | undefined;
    try {
      resourceId = checkResource((reading as Partial<Reading> | null)?.resource, this.#request.active.plugin.name).id;
      const counter = this.#reader.read(reading);
      this.#answered.add(resourceId);
      if (this.#request.wants(counter.meter)) this.#counters.push(counter);
    } catch (cause) {
      this.#report(resourceId, messageOf(cause));
    }
  }

  /** A failure of something that is no resource fails the run. */
  #report(resourceId: unknown, reason: string): void {
    if (this.#over) return;
    if (typeof resourceId !== 'string') return this.fail(reason);
    const known = this.#failed.get(resourceId);
    if (known === undefined) this.#failed.set(resourceId, reason);
    else if (!known.includes(reason) && known.length < LONGEST_REASON) {
      this.#failed.set(resourceId, `${known}; ${reason}`);
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
