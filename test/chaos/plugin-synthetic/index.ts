/**
 * Gives values that the judge can work out again, and writes down each reading before it gives it. What it does beside
 * that (nothing, sleep, ignore its abort) stands in a control file that is read before each poll.
 */
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { definePollster, z } from '@nephometer/core/plugin';
import type { Reading, Resource } from '@nephometer/core/plugin';
import { METERS, UNSTEADY, valueOf } from '../values.ts';
import type { Issued } from '../values.ts';

const Options = z.strictObject({
  oracle: z.string().meta({ description: 'File to which each reading is appended before it is given.' }),
  control: z.string().meta({ description: 'JSON file that says how to behave.' }),
  resources: z.int().positive().prefault(10).meta({ description: 'Number of resources.' }),
  prefix: z.string().prefault('vm').meta({ description: 'Beginning of the names of the resources.' }),
});

/** How to behave; see `Control` for what a judge may write. */
export interface Control {
  /** Nothing is there to be measured. */
  readonly hold?: boolean;
  /** Sleeps this long in the middle of a poll. */
  readonly sleepMs?: number;
  /** Sleeps on although its signal aborts. */
  readonly ignoreAbort?: boolean;
  /** Bytes of metadata a reading, to fill a spool. */
  readonly padding?: number;
  /** Resources whose reading fails. */
  readonly failing?: number;
}

const RUN = randomBytes(6).toString('hex');
let polls = 0;

function controlOf(file: string): Control {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Control;
  } catch {
    return {};
  }
}

export default definePollster({
  name: 'synthetic',
  contract: 1,
  options: Options,
  meters: Object.fromEntries(UNSTEADY.map((meter) => [meter, METERS[meter]])),
  discovery({ options }): Resource[] {
    if (controlOf(options.control).hold === true) return [];
    return Array.from({ length: options.resources }, (_, index) => ({
      id: `${options.prefix}-${index}`,
      projectId: `project-${index % 3}`,
    }));
  },
  async *poll(resources, { options, signal, report }) {
    const control = controlOf(options.control);
    const issue = `${RUN}.${(polls += 1)}`;
    const at = Date.now();
    const read = resources.slice(control.failing ?? 0);
    for (const resource of resources.slice(0, control.failing ?? 0)) report(resource, new Error('told to fail'));
    const readings = read.flatMap((resource) => readingsOf(resource, issue, at, control.padding ?? 0));
    if (control.sleepMs !== undefined) await sleep(control.sleepMs, control.ignoreAbort === true ? undefined : signal);
    if (signal.aborted && control.ignoreAbort !== true) return;
    const lines = readings.map(({ line }) => `${JSON.stringify(line)}\n`);
    // What is given after the abort must not be taken, so the oracle does not hear of it.
    if (!signal.aborted) appendFileSync(options.oracle, lines.join(''));
    for (const { reading } of readings) yield reading;
  },
});

function readingsOf(
  resource: Resource,
  issue: string,
  at: number,
  padding: number,
): { line: Issued; reading: Reading }[] {
  return UNSTEADY.map((meter) => {
    const value = valueOf(meter, resource.id, at);
    const metadata = { issue, issued_at: at, ...(padding > 0 ? { padding: 'x'.repeat(padding) } : {}) };
    return {
      line: { issue, resource: resource.id, meter, value, at },
      reading: { meter, resource, volume: value, metadata },
    };
  });
}

/** Ends early with the signal, where one is given. */
function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
