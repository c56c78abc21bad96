import { ManualClock, parseDecimal, sum, toText } from '@nephometer/core';
import type { Store } from '@nephometer/core';
import type { Test } from 'tap';
import { startApi } from './api.ts';
import type { Asking } from './api.ts';
import { recordArrivals } from './cloud.ts';
import type { Arrival } from './cloud.ts';
import { at } from './month.ts';
import type { Data } from './stores.ts';

export interface Line {
  readonly quantity: string | null;
  readonly lower: string | null;
  readonly upper: string | null;
  readonly group: Record<string, string | null>;
  readonly coverage: string | null;
  readonly resets: number;
  readonly gaps?: readonly { from: string; to: string; reason: string; resource_id?: string }[];
  readonly evidence?: string;
}

export interface Usage {
  readonly lines: readonly Line[];
  readonly next: string | null;
  readonly as_of: string;
  readonly settled: boolean;
}

/** @throws Error when the answer is not 200 */
export async function usage(api: Asking, query: string): Promise<Usage> {
  const answer = await api.get(`/v1/usage?${query}`);
  if (answer.status !== 200) throw new Error(`${query}: ${answer.status} ${answer.text}`);
  return answer.json as Usage;
}

export interface Cloud {
  readonly api: Asking;
  readonly clock: ManualClock;
  readonly store: Store;
  /** A new store over the same data, and a new API. */
  readonly restart: () => Promise<Cloud>;
}

/** The synthetic cloud in a store, with an API over it. */
export async function startCloud(
  t: Test,
  data: Data,
  arrivals: readonly Arrival[],
  clock = new ManualClock(at('2026-02-27')),
): Promise<Cloud> {
  const store = await data.open(clock);
  await recordArrivals(store, clock, arrivals);
  const api = await startApi(store, clock, { expected_agents: ['node-1', 'node-9'] });
  let isOpen = true;
  const stop = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await api.stop();
    if (data.persists) await store.close();
  };
  t.teardown(stop);
  const restart = async (): Promise<Cloud> => {
    await stop();
    return startCloud(t, data, [], clock);
  };
  return { api, clock, store, restart };
}

/** Of the quantities of lines. */
export function total(lines: readonly Line[], of: (line: Line) => string | null = ({ quantity }) => quantity): string {
  return toText(sum(lines.map((line) => parseDecimal(of(line) ?? '0'))));
}

const bytes = new Map<string, string>();

/** What the first store of a test answered to a question the others must answer, to the byte. */
export function sameBytes(t: Test, question: string, text: string): void {
  const known = bytes.get(question);
  if (known === undefined) bytes.set(question, text);
  else t.equal(text, known, `the same bytes: ${question}`);
}
