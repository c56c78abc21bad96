import { polledSampleId } from '@nephometer/core';
import type { BatchRecord, Store } from '@nephometer/core';
import type { Test } from 'tap';
import { collect, literals, makeBatch, makeHeaderless, NOON, samplesOf } from '../fixtures.ts';
import type { Reading } from '../fixtures.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

const EPOCH = '00000000000000aa';

/** A reading whose message_id follows from its agent, epoch and tick, as an agent gives it. */
export function polled(reading: Reading, agentId = 'agent-1', slot = NOON, epoch = EPOCH): Reading {
  const { meter = 'cpu', resource = 'instance-1' } = reading;
  return { ...reading, slot, id: polledSampleId({ agentId, epoch, source: 'all', meter, resourceId: resource, slot }) };
}

const outcomesOf = async (store: Store, ...batches: BatchRecord[]) =>
  (await store.record(batches)).map(({ duplicates, conflicts }) => [duplicates.length, conflicts.length]);

/** Ids that follow from their batch's tick are known not to be elsewhere without a look; whoever copies one is found all the same. */
export function testOrigins(t: Test, open: OpenStore): void {
  const honest = polled({ volume: '1', resource: 'r1' });
  const forged = { ...honest, volume: '2' };

  t.test('a polled id in the batch of another agent is a conflict, whoever comes first', async (t) => {
    for (const isHonestFirst of [true, false]) {
      const store = await openFor(t, open);
      const two = [makeBatch([honest]), makeBatch([forged], { agentId: 'mallory' })];
      const [first, second] = isHonestFirst ? two : two.toReversed();
      if (first === undefined || second === undefined) throw new TypeError('two batches');
      t.strictSame(await outcomesOf(store, first), [[0, 0]]);
      t.strictSame(await outcomesOf(store, second), [[0, 1]]);
      t.strictSame(await samplesOf(store), []);
      t.equal((await collect(store.conflicts({}))).length, 2);
    }
  });

  t.test('a copy without a batch header is a duplicate, or a conflict, whoever comes first', async (t) => {
    const store = await openFor(t, open);
    const other = polled({ volume: '5', resource: 'r2' });
    t.strictSame(await outcomesOf(store, makeHeaderless(honest), makeHeaderless({ ...other, volume: '6' })), [
      [0, 0],
      [0, 0],
    ]);
    t.strictSame(await outcomesOf(store, makeBatch([honest, other])), [[1, 1]]);
    t.strictSame(await outcomesOf(store, makeHeaderless({ ...honest, monotonic: 7 })), [[1, 0]]);
    t.strictSame(literals(await samplesOf(store)), ['1']);
  });

  t.test('the same tick in another batch of its agent is looked at', async (t) => {
    const store = await openFor(t, open);
    const rest = polled({ volume: '3', resource: 'r2' });
    t.strictSame(await outcomesOf(store, makeBatch([honest])), [[0, 0]]);
    t.strictSame(await outcomesOf(store, makeBatch([rest])), [[0, 0]], 'the rest of a tick');
    t.strictSame(await outcomesOf(store, makeBatch([honest, rest])), [[2, 0]], 'all of it again');
    t.strictSame(await outcomesOf(store, makeBatch([forged])), [[0, 1]], 'with another value');
    t.strictSame(literals(await samplesOf(store)), ['3']);
  });

  t.test('two values under one polled id in one batch are in conflict', async (t) => {
    const store = await openFor(t, open);
    t.strictSame(await outcomesOf(store, makeBatch([honest, forged, honest])), [[1, 1]]);
    t.equal((await collect(store.conflicts({}))).length, 2);
  });

  t.test('ticks of several agents, epochs and slots at one instant of one resource overwrite nothing', async (t) => {
    const store = await openFor(t, open);
    const ticks = [
      ['agent-1', NOON, EPOCH], ['agent-2', NOON, EPOCH], ['agent-1', NOON, '00000000000000bb'], ['agent-1', NOON + 1, EPOCH],
    ] as const; // prettier-ignore
    const batches = ticks.map(([agentId, slot, epoch], i) =>
      makeBatch([polled({ volume: String(i + 1) }, agentId, slot, epoch)], { agentId, slot, epoch }),
    );
    const [a, b, c, d] = batches;
    if (a === undefined || b === undefined || c === undefined || d === undefined) throw new TypeError('four');
    t.strictSame(await outcomesOf(store, a, b), [
      [0, 0],
      [0, 0],
    ]);
    await store.record([c]);
    await store.record([d]);
    t.strictSame(literals(await samplesOf(store)).sort(), ['1', '2', '3', '4']);
    for (const batch of batches)
      t.equal((await samplesOf(store, { messageId: idOf(batch) })).length, 1, 'found by its id');
  });

  t.test('one polled id among thousands that others made is found', async (t) => {
    const store = await openFor(t, open);
    const readings = Array.from({ length: 3000 }, (_, i) =>
      polled({ resource: `r${i}`, volume: String(i), at: NOON + i }),
    );
    await store.record([
      makeBatch(readings.map((one) => ({ ...one, volume: '-1' })).slice(2400, 2401), { agentId: 'm' }),
    ]);
    await store.record([makeBatch(readings.map((one) => ({ ...one, resource: 'x', id: one.id?.replace(/^./, '0') ?? '' })).slice(0, 2400), { agentId: 'm' })]); // prettier-ignore
    const expected = readings.slice(0, 2400).filter(({ id }) => id?.startsWith('0') === true).length + 1;
    t.strictSame(await outcomesOf(store, makeBatch(readings)), [[0, expected]]);
  });
}

function idOf(batch: BatchRecord): string {
  return batch.samples[0]?.messageId ?? '';
}
