import { setImmediate as tick } from 'node:timers/promises';
import type { NewEntry } from '@nephometer/core';
import { test } from 'tap';
import { WriteRejected } from './client.ts';
import type { InfluxClient } from './client.ts';
import { EntryAppends } from './entry-appends.ts';
import { Spots } from './spots.ts';
import type { WriterSession } from './writer.ts';

const BAD = 'the server refuses this';

/** A server that has nothing, takes every line but a bad one, and counts the requests. */
function fakeServer() {
  const requests = { write: 0, query: 0 };
  const client: Partial<InfluxClient> = {
    async write(lines) {
      await tick();
      requests.write += 1;
      if (lines.some((line) => line.includes(BAD))) throw new WriteRejected(400, 'no');
    },
    async query(statements) {
      await tick();
      requests.query += 1;
      return statements.map(() => []);
    },
  };
  return { client: client as InfluxClient, requests };
}

/** One piece of writing after the other. */
function fakeWriter() {
  let queue: Promise<unknown> = Promise.resolve();
  let stamp = 0;
  const session: WriterSession = {
    writer: 'w',
    spots: new Spots(-Infinity),
    stamp: () => ++stamp,
    noteTime: () => stamp,
    assertFresh: () => undefined,
    confirm: async () => false,
  };
  return {
    exclusive<T>(work: (session: WriterSession) => Promise<T>): Promise<T> {
      const turn = queue.then(() => work(session));
      queue = turn.catch(() => undefined);
      return turn;
    },
  };
}

const entry = (n: number, text = ''): NewEntry => ({
  kind: 'quarantine',
  id: `id ${n}`,
  body: JSON.stringify([n, text]),
});

test('what waits is appended together, each with its own answer', async (t) => {
  const { client, requests } = fakeServer();
  const appends = new EntryAppends(client, fakeWriter());
  const done = await Promise.all(Array.from({ length: 300 }, (_, n) => appends.append(entry(n))));
  t.strictSame(
    done.map(({ id, recordedAt }) => [id, recordedAt]),
    done.map((_, n) => [`id ${n}`, n + 1]),
  );
  t.ok(requests.write + requests.query < 10, `${requests.write} writes, ${requests.query} queries`);
});

test('equal ones in one go are one entry', async (t) => {
  const appends = new EntryAppends(fakeServer().client, fakeWriter());
  const same = await Promise.all([appends.append(entry(1)), appends.append(entry(1)), appends.append(entry(1, 'x'))]);
  t.strictSame(
    same.map(({ recordedAt }) => recordedAt),
    [1, 1, 2],
  );
});

test('one that the server refuses keeps no other out', async (t) => {
  const appends = new EntryAppends(fakeServer().client, fakeWriter());
  const ends = await Promise.allSettled([1, 2, 3].map((n) => appends.append(entry(n, n === 2 ? BAD : ''))));
  t.strictSame(
    ends.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});

test('a writer without a server fails all that wait, and those that come later find it again', async (t) => {
  const { client } = fakeServer();
  const good = fakeWriter();
  let isAway = true;
  const appends = new EntryAppends(client, {
    exclusive: (work) => (isAway ? tick().then(() => Promise.reject(new Error('away'))) : good.exclusive(work)),
  });
  const ends = await Promise.allSettled([appends.append(entry(1)), appends.append(entry(2))]);
  t.ok(ends.every(({ status }) => status === 'rejected'));
  isAway = false;
  t.equal((await appends.append(entry(3))).recordedAt, 1);
});
