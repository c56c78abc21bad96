import t from 'tap';
import { parseVolume } from '../decimal.ts';
import { JsonNumber, parseJson } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { headerDigest, signHeader, verifyHeader } from '../signing/batch.ts';
import { canonicalText } from '../signing/canonical.ts';
import { merkleProof, merkleRoot, verifyMerkleProof } from '../signing/merkle.ts';
import type { BatchHeader } from './batch.ts';
import { encodeBatch, readMeteringEnvelope, readNotification } from './envelope.ts';
import { polledSampleId, sameContent } from './identity.ts';
import { readMessage, signSample } from './message.ts';
import { Refusal } from './refusal.ts';
import { signReceipt, verifyReceipt } from './receipt.ts';
import type { Counter } from './sample.ts';

const secret = Buffer.from('a secret of the test');

const counter: Counter = {
  meter: 'cpu',
  type: 'cumulative',
  unit: 'ns',
  volume: parseVolume('9223372036854775808'),
  resourceId: 'guest-1',
  projectId: 'p',
  userId: null,
  timestamp: 1_767_225_600_123_456,
  metadata: new Map([['flavor', new Map([['vcpus', new JsonNumber('2')]])]]),
  monotonicTime: 12.5,
};

function headerOver(texts: readonly string[]): BatchHeader {
  return {
    version: 1,
    agent_id: 'agent-1',
    epoch: '0123456789abcdef',
    seq: 1,
    created: 1_767_225_600_500_000,
    samples: texts.length,
    merkle_root: merkleRoot(texts),
    previous: null,
    runs: [{ source: 'default', slot: 1_767_225_600_000_000, samples: texts.length }],
    cycles: [],
    key_id: 'shared',
  };
}

function bodyOf(texts: readonly string[]): string {
  return encodeBatch(signHeader(headerOver(texts), secret), texts);
}

function refusalOf(read: () => unknown): string {
  try {
    read();
    return 'accepted';
  } catch (cause) {
    return cause instanceof Refusal ? cause.reason : `threw ${String(cause)}`;
  }
}

t.test('a counter becomes a metering message and is read back to the digit', (t) => {
  const { sample, text } = signSample(counter, { messageId: 'id-1', source: 'openstack' }, secret);
  const read = readMessage(text).sample;
  t.equal(read.volume.literal, '9223372036854775808');
  t.equal(read.timestamp, counter.timestamp);
  t.equal(read.signature, sample.signature);
  t.ok(sameContent(read, sample));
  t.end();
});

t.test(
  "what Ceilometer's signature cannot tell apart, the batch's does: no two samples, no two headers are the same bytes",
  (t) => {
    const identity = { messageId: 'id-1', source: 'openstack' };
    const spelled = (metadata: string) => parseJson(metadata) as JsonObject;
    for (const [one, other, what] of [
      ['{"flavor":"m1","name":"web"}', '{"flavor":"m1resource_metadata:nameweb"}', 'a name inside a value'],
      ['{"ab":"c"}', '{"a":"bc"}', 'a letter that changes sides'],
      ['{"m":{"k":"v"}}', '{"m:k":"v"}', 'nesting and a colon'],
      ['{"cores":1}', '{"cores":"1"}', 'a number and its text'],
    ] as const) {
      const [a, b] = [one, other].map((text) => signSample({ ...counter, metadata: spelled(text) }, identity, secret));
      if (a === undefined || b === undefined) throw new TypeError('nothing was signed');
      t.equal(a.sample.signature, b.sample.signature, what);
      t.notOk(sameContent(a.sample, b.sample), `${what}: other content, so a conflict`);
      const [left, right] = [a, b].map(({ text }) => signHeader(headerOver([text]), secret));
      t.not(left?.merkle_root, right?.merkle_root, what);
      t.not(left?.hmac, right?.hmac, what);
      t.ok(
        left !== undefined && right !== undefined && !verifyHeader({ ...left, merkle_root: right.merkle_root }, secret),
      );
    }
    t.end();
  },
);

t.test('copies of a sample say the same though time and number are spelled otherwise', (t) => {
  const { sample } = signSample(counter, { messageId: 'id-1', source: 'openstack' }, secret);
  t.ok(
    sameContent(sample, {
      ...sample,
      volume: parseVolume('9223372036854775808.0'),
      monotonicTime: null,
      signature: '',
    }),
  );
  t.notOk(sameContent(sample, { ...sample, volume: parseVolume('9223372036854775807') }));
  t.notOk(sameContent(sample, { ...sample, projectId: null }));
  t.notOk(sameContent(sample, { ...sample, metadata: new Map() }));
  t.end();
});

t.test('what is wrong with a metering message is named', (t) => {
  const good = JSON.parse(signSample(counter, { messageId: 'id-1', source: 's' }, secret).text) as Record<
    string,
    unknown
  >;
  const cases: [string, unknown, string][] = [
    ['counter_volume', null, 'volume'],
    ['counter_volume', true, 'volume'],
    ['counter_volume', 'twelve', 'volume'],
    ['counter_volume', '1'.repeat(39), 'volume'],
    ['counter_name', '', 'field'],
    ['counter_type', 'rate', 'field'],
    ['resource_id', 7, 'field'],
    ['resource_metadata', [], 'field'],
    ['timestamp', 'yesterday', 'timestamp'],
    ['timestamp', 17, 'timestamp'],
  ];
  for (const [field, value, reason] of cases) {
    const text = JSON.stringify({ ...good, [field]: value });
    t.equal(
      refusalOf(() => readMessage(text)),
      reason,
      `${field} = ${JSON.stringify(value)}`,
    );
  }
  t.equal(
    readMessage(JSON.stringify({ ...good, counter_volume: '1.50' })).sample.volume.literal,
    '1.50',
    'numeric strings count',
  );
  t.equal(
    refusalOf(() => readMessage('[1]')),
    'malformed',
  );
  t.equal(
    refusalOf(() => readMessage('{"a":')),
    'malformed',
  );
  t.end();
});

t.test('a batch is read back with the exact text of each sample', (t) => {
  const texts = ['1', '2.50', '-0'].map(
    (volume, index) =>
      signSample({ ...counter, volume: parseVolume(volume) }, { messageId: `id-${index}`, source: 's' }, secret).text,
  );
  const read = readMeteringEnvelope(Buffer.from(bodyOf(texts)));
  t.equal(read.kind, 'batch');
  if (read.kind !== 'batch') throw new TypeError('not a batch');
  t.same(read.texts, texts);
  t.equal(read.digest, headerDigest(headerOver(texts)));
  t.ok(verifyHeader(read.header, secret));
  t.notOk(verifyHeader(read.header, Buffer.from('another secret')));
  t.end();
});

t.test(
  'whoever reads Ceilometer reads our message: the envelope holds a notification with an array of samples',
  (t) => {
    const { text } = signSample(counter, { messageId: 'id-1', source: 's' }, secret);
    const outer = JSON.parse(bodyOf([text])) as Record<string, string>;
    const inner = JSON.parse(outer['oslo.message'] ?? '') as Record<string, unknown>;
    t.equal(outer['oslo.version'], '2.0');
    t.equal(inner['event_type'], 'metering');
    t.match(inner['payload'], [{ counter_name: 'cpu', message_id: 'id-1' }]);
    t.end();
  },
);

t.test('a batch changed in any one bit is not read as the batch that was signed', (t) => {
  const { text } = signSample(counter, { messageId: 'id-1', source: 's' }, secret);
  const body = Buffer.from(bodyOf([text]));
  let accepted = 0;
  for (let bit = 0; bit < body.length * 8; bit += 1) {
    const changed = Buffer.from(body);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    try {
      const read = readMeteringEnvelope(changed);
      const whole =
        read.kind === 'batch' &&
        verifyHeader(read.header, secret) &&
        merkleRoot(read.texts) === read.header.merkle_root;
      // Without its header it is another kind of message, which policy and signature judge.
      if (whole) accepted += 1;
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
    }
  }
  t.equal(accepted, 0);
  t.end();
});

t.test(
  'envelopes of others are read: 2.0, the bare form of 1, arrays, single objects, samples of polling agents',
  (t) => {
    const { text } = signSample(counter, { messageId: 'id-1', source: 's' }, secret);
    const inner = `{"publisher_id":"telemetry.publisher.h","event_type":"metering","payload":[${text}]}`;
    const polling = `{"event_type":"telemetry.polling","payload":{"samples":[${text},${text}]}}`;
    const cast = `{"method":"record_metering_data","args":{"data":${text}}}`;
    const count = (body: string): number => readMeteringEnvelope(Buffer.from(body)).texts.length;
    t.equal(count(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': inner })), 1);
    t.equal(count(inner), 1);
    t.equal(count(polling), 2);
    t.equal(count(cast), 1);
    t.equal(count(` [ ${text} , ${text} ] `), 2);
    t.equal(count(text), 1);
    for (const bad of [
      '',
      'null',
      '{}',
      '[1',
      '{"payload": 5}',
      '{"oslo.version":"3.0","oslo.message":"{}"}',
      '\u0000',
    ]) {
      t.equal(
        refusalOf(() => readMeteringEnvelope(Buffer.from(bad))),
        'malformed',
        JSON.stringify(bad),
      );
    }
    t.equal(
      refusalOf(() => readMeteringEnvelope(Buffer.from([0xff, 0xfe]))),
      'malformed',
      'not UTF-8',
    );
    t.end();
  },
);

t.test('a notification is read with its context, every number as it was spelled', (t) => {
  const inner =
    '{"message_id":"m","publisher_id":"compute.h","event_type":"compute.instance.create.end","priority":"info",' +
    '"timestamp":"2016-04-13 09:51:24","_context_project_id":"p","payload":{"memory_mb":512.0}}';
  const read = readNotification(Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': inner })));
  t.equal(read.priority, 'INFO');
  t.equal(read.ctxt.get('project_id'), 'p');
  t.same(read.payload.get('memory_mb'), new JsonNumber('512.0'));
  t.equal(
    refusalOf(() => readNotification(Buffer.from('{"payload":{}}'))),
    'field',
  );
  t.end();
});

t.test('no two different values have the same canonical bytes', (t) => {
  const values = [
    null,
    true,
    false,
    '',
    'n',
    new JsonNumber('1'),
    new JsonNumber('1.0'),
    '1',
    [],
    new Map(),
    [[]],
    [null],
    ['a', 'b'],
    ['ab'],
  ];
  const objects = [
    new Map([['a', 'bc']]),
    new Map([['ab', 'c']]),
    new Map([['a', new Map([['b', 'c']])]]),
    new Map([['a:b', 'c']]),
  ];
  const texts = [...values, ...objects].map((value) => canonicalText(value));
  t.equal(new Set(texts).size, texts.length);
  const swapped = new Map([
    ['b', '2'],
    ['a', '1'],
  ]);
  t.equal(
    canonicalText(swapped),
    canonicalText(
      new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    ),
    'order of members does not matter',
  );
  t.end();
});

t.test('a Merkle proof shows one sample and binds it to its place', (t) => {
  for (const count of [1, 2, 3, 5, 8, 13]) {
    const leaves = Array.from({ length: count }, (_, index) => `leaf ${index}`);
    const root = merkleRoot(leaves);
    leaves.forEach((leaf, index) => {
      const proof = merkleProof(leaves, index);
      t.ok(verifyMerkleProof(leaf, index, count, proof, root), `leaf ${index} of ${count}`);
      t.notOk(verifyMerkleProof(`${leaf}!`, index, count, proof, root));
      // The number of leaves is signed in the header; the place is what the proof has to bind.
      if (count > 1) t.notOk(verifyMerkleProof(leaf, (index + 1) % count, count, proof, root));
    });
  }
  t.equal(merkleRoot([]), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'SHA-256 of nothing');
  t.notSame(merkleRoot(['a', 'b']), merkleRoot(['b', 'a']));
  t.throws(() => merkleProof(['a'], 1), RangeError);
  t.end();
});

t.test('a polled sample has one id however often it is made, and another when any part differs', (t) => {
  const of = { agentId: 'a', epoch: 'e', source: 's', meter: 'm', resourceId: 'r', slot: 1 };
  t.equal(polledSampleId(of), polledSampleId({ ...of }));
  const others = [
    { agentId: 'ae', epoch: '' },
    { epoch: 'f' },
    { source: 't' },
    { meter: 'n' },
    { resourceId: 'q' },
    { slot: 2 },
  ];
  const ids = new Set([of, ...others.map((change) => ({ ...of, ...change }))].map(polledSampleId));
  t.equal(ids.size, others.length + 1);
  t.end();
});

t.test('a receipt is the word of whoever holds the key', (t) => {
  const unsigned = { version: 1 as const, agent_id: 'a', recorded: ['d'], refused: [], issued: 5, key_id: 'shared' };
  const receipt = signReceipt(unsigned, secret);
  t.ok(verifyReceipt(receipt, secret));
  t.notOk(verifyReceipt({ ...receipt, recorded: ['other'] }, secret));
  t.notOk(verifyReceipt({ ...receipt, hmac: 'zz' }, secret));
  t.notOk(verifyReceipt(receipt, Buffer.from('another')));
  t.end();
});

t.test('a header whose parts were put together in another order arrives as it was signed', (t) => {
  const outcome = { error: 'timeout', meters: ['cpu'], failed: [], readings: 0, answered: 0, asked: 1, name: 'slow' };
  const cycle = {
    pollsters: [outcome],
    dropped: [],
    source: 'default',
    interval: 60_000_000,
    scheduled: 1_767_225_600_000_000,
    started: 1_767_225_600_000_000,
    finished: 1_767_225_601_000_000,
    outcome: 'ran' as const,
    meters: ['cpu'],
    discovery_complete: true,
  };
  const header = signHeader({ ...headerOver([]), cycles: [cycle] }, secret);
  const envelope = readMeteringEnvelope(Buffer.from(encodeBatch(header, [])));
  t.equal(envelope.kind === 'batch' && verifyHeader(envelope.header, secret), true);
  t.end();
});
