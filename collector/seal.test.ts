import { headerDigest, readMeteringEnvelope, uuidv4 } from '@nephometer/core';
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

t.test('samples are sealed into chained batches that a collector accepts', (t) => {
  const around = surroundings({ agent: { max_samples: 100, max_message: '32KiB' } });
  const sealer = new NotificationSealer(around);
  const { batches, tooLarge } = sealer.seal(notified(250));
  t.same(tooLarge, []);
  const envelopes = batches.map(({ body }) => opened(body));
  t.equal(
    envelopes.reduce((sum, { texts }) => sum + texts.length, 0),
    250,
  );
  t.ok(
    batches.every(({ body }) => body.length <= 32 * 1024),
    'none is larger than max_message',
  );
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
  t.end();
});

t.test('a sample that no message can carry is named, and leaves no hole in the sequence', (t) => {
  const sealer = new NotificationSealer(
    surroundings({ bus: { max_message: '16KiB' }, agent: { max_message: '8KiB' } }),
  );
  const { batches, tooLarge } = sealer.seal([...notified(1), ...notified(1, 'x'.repeat(20_000)), ...notified(1)]);
  t.same(tooLarge, ['network']);
  t.same(
    batches.map(({ body }) => opened(body).header.seq),
    [1],
  );
  t.same(sealer.seal([]).batches, []);
  t.end();
});
