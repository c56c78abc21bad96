/**
 * A part of a fleet: many agents in one process, polled at an interval. On SIGTERM they poll no more, wait until every
 * spool is empty, and end; what was issued and spooled stands in the oracle's file. Told to fill, they only spool.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fillSpool, startMember } from './member.ts';
import type { FleetSettings, OracleLine } from './settings.ts';

const LONGEST_DRAIN_MS = 60_000;

const settings = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as FleetSettings;
const tell = (line: OracleLine): void => appendFileSync(settings.oracle, `${JSON.stringify(line)}\n`);

if (settings.fill !== undefined) {
  for (const member of settings.members) await fillSpool(member, settings, tell);
  process.exit();
}

let stopping = false;
process.once('SIGTERM', () => (stopping = true));

const members = await Promise.all(settings.members.map((member) => startMember(member, settings, tell)));

/** Each on its own, spread over the interval. */
async function pollOn(index: number): Promise<void> {
  await sleep((settings.intervalMs * index) / members.length);
  while (!stopping) {
    const next = performance.now() + settings.intervalMs;
    await members[index]?.poll();
    await sleep(Math.max(0, next - performance.now()));
  }
}

await Promise.all(members.map((_member, index) => pollOn(index)));
const deadline = performance.now() + LONGEST_DRAIN_MS;
const isEmpty = (): boolean => members.every(({ spool }) => spool.stats().batches === 0);
while (!isEmpty() && performance.now() < deadline) await sleep(100);
const left = Object.fromEntries(
  settings.members.map(({ id }, index) => [id, members[index]?.spool.stats().batches ?? 0]),
);
await Promise.all(members.map((member) => member.stop()));
tell({ kind: 'ended', left });
