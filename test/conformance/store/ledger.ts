import type { Test } from 'tap';
import { ledgerOf, makeBatch, makeHeaderless } from '../fixtures.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

export function testLedger(t: Test, open: OpenStore): void {
  t.test('a row says what the batch was', async (t) => {
    const store = await openFor(t, open);
    const batch = makeBatch([{ id: 'a' }, { id: 'b' }], {
      agentId: 'agent ünder test',
      seq: 2 ** 40,
      transport: 'api',
    });
    const [outcome] = await store.record([batch]);
    t.strictSame(await ledgerOf(store), [
      {
        digest: batch.digest,
        recordedAt: outcome?.recordedAt,
        agentId: 'agent ünder test',
        epoch: batch.header?.epoch,
        seq: 2 ** 40,
        keyId: 'shared',
        transport: 'api',
        samples: 2,
        duplicates: 0,
        headerText: batch.headerText,
      },
    ]);
  });

  t.test('rows are found by digest, agent, epoch and time, in order of recording', async (t) => {
    const store = await openFor(t, open);
    const batches = [
      makeBatch([], { agentId: 'a', epoch: '0000000000000001' }),
      makeBatch([], { agentId: 'a', epoch: '0000000000000002' }),
      makeBatch([], { agentId: 'b', epoch: '0000000000000001' }),
      makeHeaderless({ id: 'x' }),
    ];
    const digests = batches.map(({ digest }) => digest);
    const times: number[] = [];
    for (const batch of batches) times.push((await store.record([batch]))[0]?.recordedAt ?? 0);
    const found = async (query: Parameters<typeof ledgerOf>[1]) =>
      (await ledgerOf(store, query)).map(({ digest }) => digests.indexOf(digest));
    t.strictSame(await found({}), [0, 1, 2, 3]);
    t.strictSame(await found({ digest: digests[2] as string }), [2]);
    t.strictSame(await found({ digest: 'f'.repeat(64) }), []);
    t.strictSame(await found({ agentId: 'a' }), [0, 1]);
    t.strictSame(await found({ agentId: 'a', epoch: '0000000000000002' }), [1]);
    t.strictSame(await found({ epoch: '0000000000000001' }), [0, 2]);
    t.strictSame(await found({ after: times[0] as number, upTo: times[2] as number }), [1, 2], '(after, upTo]');
    t.strictSame(await found({ limit: 2 }), [0, 1]);
    t.strictSame(await found({ limit: 0 }), []);
  });

  t.test('pages by recorded_at give every row once', async (t) => {
    const store = await openFor(t, open);
    const batches = Array.from({ length: 25 }, () => makeBatch([]));
    await store.record(batches.slice(0, 20));
    await store.record(batches.slice(20));
    const seen: string[] = [];
    for (let after = 0; ;) {
      const page = await ledgerOf(store, { after, limit: 4 });
      seen.push(...page.map(({ digest }) => digest));
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.recordedAt;
    }
    t.strictSame(
      seen,
      batches.map(({ digest }) => digest),
    );
  });
}
