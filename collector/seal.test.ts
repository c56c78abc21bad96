import { headerDigest, readMeteringEnvelope, uuidv4 } from '@nephometer/core';
import t from 'tap';
import { counter, surroundings } from './fixture.ts';
import { NotificationSealer } from './seal.ts';
import type { SealedBatch } from './seal.ts';
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

/** What goes to the bus, in order; `outcome` says what becomes of each. */
async function sent(sealer: NotificationSealer, counters: ReturnType<typeof notified>, outcome = [] as unknown[]) {
  const { batches, tooLarge } = sealer.sign(counters);
  const bodies: Uint8Array[] = [];
  const publish = ({ body }: SealedBatch): Promise<boolean> => {
    const next = outcome[bodies.push(body) - 1] ?? true;
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(Boolean(next));
  };
  const results = await Promise.allSettled(batches.map((batch) => sealer.inTurn(batch, publish)));
  return { bodies, tooLarge, results };
}

t.test('samples are sealed into chained batches that a collector accepts', async (t) => {
  const around = surroundings({ agent: { max_samples: 100, max_message: '32KiB' } });
  const sealer = new NotificationSealer(around);
  const { bodies, tooLarge } = await sent(sealer, notified(250));
  t.same(tooLarge, []);
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
  const sealer = new NotificationSealer(
    surroundings({ bus: { max_message: '16KiB' }, agent: { max_message: '8KiB' } }),
  );
  const all = [...notified(1), ...notified(1, 'x'.repeat(20_000)), ...notified(1)];
  const { bodies, tooLarge } = await sent(sealer, all);
  t.same(tooLarge, ['network']);
  t.same(
    bodies.map((body) => opened(body).header.seq),
    [1],
  );
  t.same(sealer.sign([]).batches, []);
});

t.test('a number is used up only when a queue holds the batch; after any doubt a new epoch begins', async (t) => {
  const sealer = new NotificationSealer(surroundings({ agent: { max_samples: 10 } }));
  const { bodies, results } = await sent(sealer, notified(60), [true, true, false, true, new Error('refused'), true]);
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
