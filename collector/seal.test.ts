import { setImmediate } from 'node:timers/promises';
import { headerDigest, readMeteringEnvelope, uuidv4 } from '@nephometer/core';
import type { ConfigInput } from '@nephometer/core';
import t from 'tap';
import { counter, surroundings } from './fixture.ts';
import { NotificationSealer } from './seal.ts';
import { verifyBatch } from './verify.ts';

function notified(count: number, host = 'node-1') {
  return Array.from({ length: count }, (_, i) => {
    const made = counter('network', 1, `network-${i}`);
    return { counter: { ...made, metadata: new Map([['host', host]]) }, messageId: uuidv4() };
  });
}

function opened(body: Uint8Array) {
  const envelope = readMeteringEnvelope(body);
  if (envelope.kind !== 'batch') throw new Error('not read as a batch');
  return envelope;
}

/** A sealer and what it gives to the bus, in order; `outcome` says what becomes of each. */
function rig(overrides: ConfigInput = {}, outcome: readonly unknown[] = []) {
  const around = surroundings(overrides);
  const bodies: Uint8Array[] = [];
  const sealer = new NotificationSealer(around, async ({ body }) => {
    const next = outcome[bodies.push(body) - 1] ?? true;
    await setImmediate();
    if (next instanceof Error) throw next;
    return Boolean(next);
  });
  const samplesIn = (): number[] => bodies.map((body) => opened(body).texts.length);
  return { around, sealer, bodies, samplesIn };
}

t.test('samples are sealed into chained batches that a collector accepts', async (t) => {
  const { around, sealer, bodies } = rig({ agent: { max_samples: 100, max_message: '32KiB' } });
  const { samples, tooLarge } = sealer.sign(notified(250));
  t.same(tooLarge, []);
  t.equal(await sealer.send(samples), true);
  const envelopes = bodies.map(opened);
  t.equal(
    envelopes.reduce((sum, { texts }) => sum + texts.length, 0),
    250,
  );
  t.ok(bodies.length > 1 && bodies.every((body) => body.length <= 32 * 1024), 'none is larger than max_message');
  t.same(
    envelopes.map(({ header }) => header.seq),
    envelopes.map((_, i) => i + 1),
  );
  t.same(
    envelopes.map(({ header }) => header.previous),
    [null, ...envelopes.slice(0, -1).map(({ header }) => headerDigest(header))],
  );
  const context = { ...around, signing: around.config.signing, now: around.clock.now(), transport: 'bus' as const };
  for (const envelope of envelopes) t.match(verifyBatch(envelope, context), { accepted: true });
  t.match(envelopes[0]?.header, {
    agent_id: /^collector\./,
    runs: [{ source: 'notifications', slot: null }],
    cycles: [],
  });
});

t.test('a sample that no message can carry is named, and leaves no hole in the sequence', async (t) => {
  const { sealer, bodies } = rig({ bus: { max_message: '16KiB' }, agent: { max_message: '8KiB' } });
  const all = [...notified(1), ...notified(1, 'x'.repeat(20_000)), ...notified(1)];
  const { samples, tooLarge } = sealer.sign(all);
  t.same(tooLarge, ['network']);
  t.equal(await sealer.send(samples), true);
  t.same(
    bodies.map((body) => opened(body).header.seq),
    [1],
  );
  t.equal(await sealer.send(sealer.sign([]).samples), true);
  t.equal(bodies.length, 1, 'of no samples there is no batch');
});

t.test('what waits for a confirm goes out together, in order, as far as a batch has room', async (t) => {
  const { sealer, bodies, samplesIn } = rig({ agent: { max_samples: 10 } });
  const sizes = [1, 3, 4, 5, 22, 1];
  const notifications = sizes.map((size) => sealer.sign(notified(size)).samples);
  const results = await Promise.all(notifications.map((samples) => sealer.send(samples)));
  t.same(results, [true, true, true, true, true, true]);
  t.same(samplesIn(), [1, 10, 10, 10, 5]);
  t.same(
    bodies.flatMap((body) => [...opened(body).texts]),
    notifications.flat().map(({ text }) => text),
  );
});

t.test('of a notification in several batches all must be confirmed; others are told of their own', async (t) => {
  const { sealer, samplesIn } = rig({ agent: { max_samples: 10 } }, [true, true, new Error('refused'), true]);
  const send = (size: number): Promise<boolean> => sealer.send(sealer.sign(notified(size)).samples);
  const results = await Promise.allSettled([send(1), send(4), send(12), send(9), send(5)]);
  t.same(samplesIn(), [1, 10, 10, 10], 'the second holds a part of the third notification');
  t.same(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'rejected', 'fulfilled'],
  );
  t.equal(await send(1), true, 'and it goes on');
});

t.test('a number is used up only when a queue holds the batch; after any doubt a new epoch begins', async (t) => {
  const outcome = [true, true, false, true, new Error('refused'), true];
  const { sealer, bodies } = rig({ agent: { max_samples: 10 } }, outcome);
  const notifications = outcome.map(() => sealer.sign(notified(10)).samples);
  const results = await Promise.allSettled(notifications.map((samples) => sealer.send(samples)));
  const headers = bodies.map((body) => opened(body).header);
  t.same(
    results.map((one) => (one.status === 'fulfilled' ? one.value : one.status)),
    [true, true, false, true, 'rejected', true],
  );
  t.same(
    headers.map(({ seq }) => seq),
    [1, 2, 3, 1, 2, 1],
  );
  const epochs = headers.map(({ epoch }) => epoch);
  t.same(
    epochs.map((epoch) => epochs.indexOf(epoch)),
    [0, 0, 0, 3, 3, 5],
  );
  const [, second, third, fourth] = headers;
  t.equal(third?.previous, second && headerDigest(second));
  t.equal(fourth?.previous, null);
});
