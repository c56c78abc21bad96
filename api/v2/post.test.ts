import { busNames, isUuid, parseJson, readMeteringEnvelope, verifyHeader, verifyMessage } from '@nephometer/core';
import type { JsonObject } from '@nephometer/core';
import { createMemoryBus } from '@nephometer/bus-memory';
import t from 'tap';
import { faultOf, SECRET, startApi } from '../kit.test.fixture.ts';

const sample = {
  counter_name: 'cpu',
  counter_type: 'gauge',
  counter_unit: 'ns',
  counter_volume: 1,
  resource_id: 'r1',
  project_id: 'p1',
};

async function storedText(get: (path: string) => Promise<{ json: unknown }>, id: string): Promise<string> {
  const { json } = await get(`/v1/samples/${id}`);
  return (json as { text: string }).text;
}

t.test('a direct post is signed, recorded and answered with its message_id', async (t) => {
  const { get, send } = await startApi(t);
  const body = `[{"counter_name": "cpu", "counter_type": "gauge", "counter_unit": "ns", "counter_volume": 1.10, "resource_id": "r1",
    "project_id": "p1", "user_id": "u1", "timestamp": "2026-03-01T11:00:00+01:00",
    "resource_metadata": {"name": "x", "flavor.id": "7", "n": 1.0}}]`;
  const { status, text, json } = await send('POST', '/v2/meters/cpu?direct=True', body);
  t.equal(status, 201);
  const [answer] = json as Record<string, string>[];
  const id = answer?.['message_id'] ?? '';
  t.ok(isUuid(id));
  t.match(text, '"counter_volume":1.1,');
  t.match(answer, {
    source: 'p1:openstack',
    counter_name: 'cpu',
    user_id: 'u1',
    project_id: 'p1',
    timestamp: '2026-03-01T10:00:00',
    resource_metadata: { name: 'x', 'flavor.id': '7' },
  });
  const stored = await storedText(get, id);
  t.match(stored, '"counter_volume":1.10,', 'the literal is kept');
  t.match(stored, '"resource_metadata":{"name":"x","n":1.0,"flavor":{"id":"7"}}', 'dotted keys are nested');
  t.equal(verifyMessage(parseJson(stored) as JsonObject, SECRET), 'py3-8.0');
  t.match((await get(`/v2/samples/${id}`)).json, { metadata: { 'flavor.id': '7', n: '1.0' } });
  t.match((await get(`/v1/samples/${id}`)).json, {
    key_id: 'shared',
    slot: null,
    batch: { header: null, proof: null },
  });
});

t.test('what a sample does not say comes from headers, token and clock', async (t) => {
  const { send } = await startApi(t);
  const { project_id: _project, ...bare } = sample;
  const headers = { 'X-User-Id': 'hu', 'X-Project-Id': 'hp' };
  const post = async (body: unknown, who: 'admin' | 'writer' | 'bound', more = {}) =>
    (await send('POST', '/v2/meters/cpu?direct=1', [body], who, more)).json;
  const timestamp = '2026-03-01T12:00:00';
  t.match(await post(bare, 'writer', headers), [
    { user_id: 'hu', project_id: 'hp', source: 'hp:openstack', timestamp },
  ]);
  t.match(await post({ ...bare, source: 'mine' }, 'bound'), [
    { user_id: 'poster', project_id: 'p1', source: 'p1:mine' },
  ]);
  t.match(await post(bare, 'admin'), [{ user_id: null, project_id: null, source: 'None:openstack' }]);
});

/** Body (changes to a good sample, or a whole body), how the fault begins. */
const REFUSED: readonly [body: unknown, text: string][] = [
  [{ counter_name: 'mem' }, "Invalid input for field/attribute counter_name. Value: 'mem'. should be cpu"],
  [
    { message_id: 'mine' },
    "Invalid input for field/attribute message_id. Value: 'mine'. The message_id must not be set",
  ],
  [
    { counter_type: 'level' },
    "Invalid input for field/attribute counter_type. Value: 'level'. The counter type must be: gauge, delta, cumulative",
  ],
  [
    { counter_unit: undefined },
    "Invalid input for field/attribute counter_unit. Value: 'None'. Mandatory field missing.",
  ],
  [{ resource_id: '' }, "Invalid input for field/attribute resource_id. Value: ''. "],
  [{ resource_id: 5 }, "Invalid input for field/attribute resource_id. Value: '5'. Wrong type."],
  [{ counter_volume: null }, "Invalid input for field/attribute counter_volume. Value: 'None'. "],
  [{ counter_volume: true }, "Invalid input for field/attribute counter_volume. Value: 'True'. "],
  [{ counter_volume: '1e99' }, "Invalid input for field/attribute counter_volume. Value: '1e99'. "],
  [{ timestamp: 'now' }, "Invalid input for field/attribute timestamp. Value: 'now'. invalid timestamp format"],
  [{ timestamp: '2026-03-01T12:10:01' }, "Invalid input for field/attribute timestamp. Value: '2026-03-01T12:10:01'. "],
  [{ resource_metadata: 'x' }, "Invalid input for field/attribute resource_metadata. Value: 'x'. Wrong type."],
  [{ colour: 'blue' }, 'Unknown attribute: colour'],
  [[], 'Samples should be included in request body'],
  [sample, 'The request body must be a list of samples.'],
  [[5], 'A sample is an object; found the value 5.'],
  ['[{"counter_name": }]', 'JSON: found "}]" at offset 18; a value would be right there.'],
];

t.test('a post that is wrong in one sample records none', async (t) => {
  const { send, get } = await startApi(t);
  for (const [body, text] of REFUSED) {
    const isWhole = Array.isArray(body) || typeof body === 'string' || body === sample;
    const answer = await send(
      'POST',
      '/v2/meters/cpu?direct=true',
      isWhole ? body : [sample, { ...sample, ...(body as object) }],
    );
    t.equal(answer.status, 400, text);
    t.ok(faultOf(answer).startsWith(text), `${faultOf(answer)} begins with ${text}`);
  }
  t.strictSame((await get('/v2/samples')).json, []);
  const foreign = await send('POST', '/v2/meters/cpu?direct=true', [{ ...sample, project_id: 'p2' }], 'bound');
  t.equal(foreign.status, 400);
  t.equal(
    faultOf(foreign),
    "Invalid input for field/attribute project_id. Value: 'p2'. can not post samples to other projects",
  );
  t.equal(faultOf(await send('POST', '/v2/meters/cpu?later=1', [sample])), 'Unknown argument: "later"');
});

t.test('numeric strings and integers of any size are volumes', async (t) => {
  const { send, get } = await startApi(t);
  const body = `[${['"12.50"', '18446744073709551616'].map((v) => JSON.stringify(sample).replace(':1,', `:${v},`)).join(',')}]`;
  const { status, text, json } = await send('POST', '/v2/meters/cpu?direct=true', body);
  t.equal(status, 201);
  t.match(text, '"counter_volume":12.5,');
  t.match(text, '"counter_volume":1.8446744073709552e+19,');
  const ids = (json as { message_id: string }[]).map(({ message_id: id }) => id);
  const volumes = await Promise.all(
    ids.map(async (id) => /"counter_volume":[^,]*/.exec(await storedText(get, id))?.[0]),
  );
  t.strictSame(volumes, ['"counter_volume":12.50', '"counter_volume":18446744073709551616']);
});

t.test('without direct the samples go on the bus in one envelope, and are not stored here', async (t) => {
  const bus = createMemoryBus();
  t.teardown(() => bus.close());
  const { send, get } = await startApi(t, { bus });
  const { status, json } = await send('POST', '/v2/meters/cpu', [sample, { ...sample, resource_id: 'r2' }]);
  t.equal(status, 201);
  t.strictSame((await get('/v2/samples')).json, []);
  const body = await new Promise<Uint8Array>((resolve, reject) => {
    const take = (delivery: { body: Uint8Array; ack(): void }): void => {
      delivery.ack();
      resolve(delivery.body);
    };
    bus.consume(busNames('nephometer').samples, { prefetch: 1 }, take).catch(reject);
  });
  const envelope = readMeteringEnvelope(body);
  t.match(envelope, { kind: 'batch', header: { agent_id: /^collector\.api\./, seq: 1, samples: 2 } });
  if (envelope.kind === 'batch') t.ok(verifyHeader(envelope.header, SECRET), 'signed as a batch of this server');
  const sent = envelope.texts.map((text) => parseJson(text) as JsonObject);
  t.strictSame(
    sent.map((fields) => fields.get('message_id')),
    (json as { message_id: string }[]).map(({ message_id: id }) => id),
  );
  for (const fields of sent) t.equal(verifyMessage(fields, SECRET), 'py3-8.0');
});
