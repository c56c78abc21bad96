import { randomInt } from 'node:crypto';
import { MINUTE, sha256, StoreUnavailable } from '@nephometer/core';
import type { Clock, Micros } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { readJson } from './key-index.ts';
import { lineOf, stringField } from './line.ts';
import { select, tagEquals } from './query.ts';

/** Tickets and beats stand in the year 2200, out of reach of retention policies. */
const BOARD: Micros = 7_258_118_400_000_000;
/** A process that gave no sign for so long is taken for dead. */
export const STALE: Micros = 5 * MINUTE;
const MOST_TRIES = 200;

/** The last sign of life under a name; overwritten by the next one. */
export type Beat = readonly [name: string, instance: string, count: number, at: Micros];
type Ticket = readonly [name: string, instance: string, at: Micros, isReleased: boolean];

export interface HeldName {
  readonly name: string;
  /** Lets another process take it at once. */
  release(): Promise<void>;
}

/**
 * Takes the first name of `base`, `base~2`, `base~3`, ... that no living process has. A process writes its ticket, a
 * point of its own, before it reads those of others, and gives up when it sees one: so of two at once never both hold
 * the name; both may give up, and try again after a moment of chance.
 */
export async function takeName(client: InfluxClient, base: string, instance: string, clock: Clock): Promise<HeldName> {
  const spot = BOARD + (Number.parseInt(sha256(instance).slice(0, 8), 16) || 1);
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const beats = await readBeats(client);
    const name = await firstFree(client, base, instance, beats, clock);
    const write = async (isReleased: boolean): Promise<void> => {
      const ticket: Ticket = [name, instance, clock.now(), isReleased];
      await client.write([rowLine('writer_ticket', name, JSON.stringify(ticket), spot)]);
    };
    await write(false);
    if (!(await isTaken(client, name, instance, beats, clock))) return { name, release: () => write(true) };
    await write(true);
    await new Promise((resolve) => setTimeout(resolve, randomInt(10, 100)));
  }
  throw new StoreUnavailable(
    `Found every name from "${base}" on taken by another process; a store.writer of its own for each would be right.`,
  );
}

async function firstFree(
  client: InfluxClient,
  base: string,
  instance: string,
  beats: ReadonlyMap<string, Beat>,
  clock: Clock,
): Promise<string> {
  for (let n = 1; ; n++) {
    const name = n === 1 ? base : `${base}~${n}`;
    if (!(await isTaken(client, name, instance, beats, clock))) return name;
  }
}

async function isTaken(
  client: InfluxClient,
  name: string,
  instance: string,
  beats: ReadonlyMap<string, Beat>,
  clock: Clock,
): Promise<boolean> {
  const where = [tagEquals('writer', name)];
  const rows = await select(client, { fields: 'row', measurement: 'writer_ticket', where });
  const oldest = clock.now() - STALE;
  return rows
    .map(({ values }) => readJson<Ticket>(values[0]))
    .some(([, holder, at, isReleased]) => {
      if (isReleased || holder === instance) return false;
      const beat = beats.get(name);
      return at > oldest || (beat !== undefined && beat[1] === holder && beat[3] > oldest);
    });
}

export async function readBeats(client: InfluxClient): Promise<Map<string, Beat>> {
  const span = { from: BOARD, to: BOARD };
  const rows = await select(client, { fields: 'row', measurement: 'writer', span });
  const beats = rows.map(({ values }) => readJson<Beat>(values[0]));
  return new Map(beats.map((beat) => [beat[0], beat]));
}

export async function writeBeat(client: InfluxClient, beat: Beat): Promise<void> {
  await client.write([rowLine('writer', beat[0], JSON.stringify(beat), BOARD)]);
}

function rowLine(measurement: string, writer: string, row: string, at: Micros): string {
  return lineOf({ measurement, tags: { writer }, fields: { row: stringField(row) }, at, place: 0 });
}
