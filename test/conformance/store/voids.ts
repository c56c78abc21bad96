import { MINUTE } from '@nephometer/core';
import type { Micros, Store, VoidSelector } from '@nephometer/core';
import type { Test } from 'tap';
import { collect, ledgerOf, literals, makeBatch, NOON, samplesOf } from '../fixtures.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

async function append(store: Store, selector: VoidSelector, at = 1): Promise<Micros> {
  const body = JSON.stringify({ selector, who: 'operator', by: 'admin', why: 'a faulty clock', at });
  return (await store.appendEntry({ kind: 'void', id: `void-${at}`, body })).recordedAt;
}

async function readingsOf(store: Store, more: { asOf?: Micros; resourceIds?: string[] } = {}): Promise<string[]> {
  const period = { meter: 'cpu', from: NOON, to: NOON + 10 * MINUTE, before: MINUTE, after: MINUTE };
  const pages = await collect(store.readings({ ...period, ...more }));
  return pages
    .flat()
    .map(({ resourceId, timestamp, agentId }) => `${agentId} ${resourceId} ${(timestamp - NOON) / MINUTE}`)
    .sort();
}

export function testVoids(t: Test, open: OpenStore): void {
  const fill = async (store: Store): Promise<void> => {
    const reading = (resource: string, minute: number) => ({
      resource,
      project: `project of ${resource}`,
      volume: `${minute}`,
      at: NOON + minute * MINUTE,
    });
    await store.record([
      makeBatch([reading('r1', 1), reading('r1', 2), reading('r2', 3)], { agentId: 'a' }),
      makeBatch([reading('r2', 4), { ...reading('r1', 5), meter: 'memory' }], { agentId: 'b' }),
    ]);
  };

  t.test('what is voided is not shown from then on, and was there before', async (t) => {
    const store = await openFor(t, open);
    await fill(store);
    const at = await append(store, { meter: 'cpu', resource_id: 'r1', from: NOON + 2 * MINUTE, to: NOON + 9 * MINUTE });
    t.strictSame(literals(await samplesOf(store)).sort(), ['1', '3', '4', '5']);
    t.strictSame(literals(await samplesOf(store, { asOf: at })).sort(), ['1', '3', '4', '5']);
    t.equal((await samplesOf(store, { asOf: at - 1 })).length, 5);
    t.match(await store.statistics({ meter: 'cpu', period: null, groupBy: [] }), [{ count: 3 }]);
    t.equal((await ledgerOf(store)).length, 2, 'the ledger keeps what was recorded');
    await store.record([makeBatch([{ resource: 'r1', volume: '2.5', at: NOON + 2 * MINUTE, id: 'correction' }])]);
    t.ok(literals(await samplesOf(store)).includes('2.5'), 'a correction that is recorded later counts');
  });

  for (const [what, selector, left] of [
    ['a message', { message_id: 'none' }, ['1', '2', '3', '4', '5']],
    ['an agent', { agent_id: 'a' }, ['4', '5']],
    ['a project', { project_id: 'project of r1' }, ['3', '4']],
    ['a meter', { meter: 'memory' }, ['1', '2', '3', '4']],
    ['a source', { source: 'openstack' }, []],
    ['a resource, within a time', { resource_id: 'r2', to: NOON + 4 * MINUTE }, ['1', '2', '4', '5']],
  ] as const) {
    t.test(`a void may name ${what}`, async (t) => {
      const store = await openFor(t, open);
      await fill(store);
      await append(store, selector);
      t.strictSame(literals(await samplesOf(store)).sort(), left);
    });
  }

  t.test('a resource of which all is voided is in no list any more', async (t) => {
    const store = await openFor(t, open);
    await fill(store);
    const at = await append(store, { resource_id: 'r1' });
    t.strictSame(
      (await store.meters({})).map(({ resourceId }) => resourceId),
      ['r2'],
    );
    t.strictSame(
      (await store.resources({})).map(({ resourceId }) => resourceId),
      ['r2'],
    );
    t.equal((await store.resources({ asOf: at - 1 })).length, 2);
  });

  t.test('voids hold after a restart', async (t) => {
    const { store, reopen } = await open();
    await fill(store);
    await append(store, { agent_id: 'b' });
    const again = await reopen();
    t.teardown(() => again.close());
    t.strictSame(literals(await samplesOf(again)).sort(), ['1', '2', '3']);
  });

  t.test('readings are those of a meter around a period, voided ones too', async (t) => {
    const store = await openFor(t, open);
    await fill(store);
    await append(store, { agent_id: 'a' });
    t.strictSame(await readingsOf(store), ['a r1 1', 'a r1 2', 'a r2 3', 'b r2 4']);
    t.strictSame(await readingsOf(store, { resourceIds: ['r1'] }), ['a r1 1', 'a r1 2']);
    t.strictSame(await readingsOf(store, { resourceIds: [] }), []);
    t.strictSame(await readingsOf(store, { asOf: 0 }), []);
    const period = { meter: 'cpu', from: NOON + 3 * MINUTE, to: NOON + 4 * MINUTE };
    const [first = []] = await collect(store.readings({ ...period, before: 0, after: 0 }));
    t.match(first, [
      { volume: { coefficient: 3n, scale: 0 }, projectId: 'project of r2', type: 'cumulative', slot: null },
    ]);
    t.equal((await collect(store.readings({ ...period, before: MINUTE, after: 1 }))).flat().length, 3);
  });

  t.test('readings leave out conflicts, and keep metadata exact', async (t) => {
    const store = await openFor(t, open);
    const metadata = { flavor: { name: 'm1.small', ratio: 1.5 }, 'a.b': null };
    await store.record([
      makeBatch([
        { id: 'one', metadata },
        { id: 'two', volume: '5', at: NOON },
      ]),
    ]);
    await store.record([makeBatch([{ id: 'two', volume: '6', at: NOON }])]);
    const pages = await collect(store.readings({ meter: 'cpu', from: NOON, to: NOON + 1, before: 0, after: 0 }));
    const [reading, ...more] = pages.flat();
    t.equal(more.length, 0);
    const [sample] = await samplesOf(store, { messageId: 'one' });
    t.strictSame(reading?.metadata, sample?.metadata);
    t.strictSame([reading?.recordedAt, reading?.messageId], [sample?.recordedAt, 'one']);
  });

  t.test('readings behind retention are refused by the start of the period, not by what lies before it', async (t) => {
    const store = await openFor(t, open);
    const day = 24 * 60 * MINUTE;
    await store.record([makeBatch([{ at: NOON - day }, { at: NOON }])]);
    await store.retain([{ meters: ['cpu'], keepFrom: NOON }]);
    const asked = { meter: 'cpu', to: NOON + 1, before: 2 * day, after: 0 };
    t.equal((await collect(store.readings({ ...asked, from: NOON }))).flat().length, 1);
    await t.rejects(collect(store.readings({ ...asked, from: NOON - day })), { code: 'MTR_BEHIND_RETENTION' });
  });
}
