import { readFileSync } from 'node:fs';
import { createMemoryBus } from '@nephometer/bus-memory';
import { readMessage, readMeteringEnvelope, SharedSecretKeyring, systemClock } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import t from 'tap';
import { collect, surroundings, until } from './fixture.ts';
import { createCollector } from './index.ts';

interface Vector {
  readonly id: string;
  readonly kind: 'sample' | 'event' | 'raw' | 'literal' | 'tampered';
  readonly secret: string;
  readonly message_json: string;
  readonly verifies: boolean;
}
interface Capture {
  readonly exchange: string;
  readonly routing_key: string;
  readonly body: string;
}

const fixtures = new URL('../../test/fixtures/ceilometer/', import.meta.url);
const read = (file: string) => JSON.parse(readFileSync(new URL(file, fixtures), 'utf8'));
const vectors: Vector[] = read('signature-vectors.json');
const captures: Capture[] = read('wire-captures.json');

t.test("what Ceilometer's own code signed is stored as it was sent; what it does not verify is refused", async (t) => {
  const accepted: string[] = [];
  for (const { id, kind, secret, message_json: text, verifies } of vectors) {
    const store = createMemoryStore();
    const keyring = new SharedSecretKeyring(Buffer.from(secret));
    const collector = createCollector({ ...surroundings({}, keyring), clock: systemClock, bus: null, store });
    const [result] = await collector.ingest(Buffer.from(`[${text}]`), 'me');
    if (result?.outcome === 'accepted') {
      t.ok(verifies && secret !== '', `${id} is accepted`);
      t.same(
        (await collect(store.samples({}))).map((sample) => sample.text),
        [text],
        `${id} is stored as it was sent`,
      );
      accepted.push(id);
    } else if (kind === 'tampered' && !verifies) {
      t.equal(result?.reason, 'signature', `${id} is refused`);
    } else if (kind === 'sample') {
      t.ok(secret === '' || isNoSample(text), `${id} is refused: ${result?.detail ?? ''}`);
    }
  }
  t.ok(accepted.length > 70, `${accepted.length} vectors are accepted`);
});

t.test('messages captured from a RabbitMQ that a Ceilometer published to are stored once each', async (t) => {
  const store = createMemoryStore();
  const bus = createMemoryBus();
  const keyring = new SharedSecretKeyring(Buffer.from('change this for valid signing'));
  const around = surroundings({ ceilometer: { enabled: true } }, keyring);
  const collector = createCollector({ ...around, clock: systemClock, bus, store });
  await collector.start();
  const wanted = captures.filter((one) => ['metering.sample', 'notifications.sample'].includes(one.routing_key));
  const ids = new Set(wanted.flatMap(({ body }) => readMeteringEnvelope(Buffer.from(body)).texts).map(idOf));
  t.ok(wanted.length > ids.size && ids.size >= 2, 'some samples come in several messages');
  for (const [index, { exchange, routing_key: routingKey, body }] of wanted.entries()) {
    await bus.publish({ exchange, routingKey, body: Buffer.from(body), messageId: String(index) });
  }
  const stored = async () => (await collect(store.samples({}))).map(({ messageId }) => messageId);
  await until('all are stored', async () => (await stored()).length >= ids.size);
  t.same(new Set(await stored()), ids);
  t.equal((await stored()).length, ids.size);
  t.same(await store.entries({ kind: 'quarantine' }), []);
  await collector.stop();
  await bus.close();
});

function idOf(text: string): string {
  return readMessage(text).sample.messageId;
}

/** Signed, but with a volume or a field that no meter can have. */
function isNoSample(text: string): boolean {
  try {
    readMessage(text);
    return false;
  } catch {
    return true;
  }
}
