import { readdirSync, readFileSync } from 'node:fs';
import { isJsonObject, parseJson, toPlain } from '@nephometer/core/plugin';
import type { JsonObject, JsonValue, Notification, NotificationSample, PluginContext } from '@nephometer/core/plugin';
import { checkListener } from '@nephometer/core/plugin/testing';
import t from 'tap';
import plugin from './index.ts';
import { instantOf } from './instants.ts';
import { metersOptions } from './options.ts';
import type { MetersOptions } from './options.ts';

const CASES = new URL('../cases/', import.meta.url);
const warnings: unknown[] = [];
const log = { debug: () => {}, info: () => {}, warn: (fields: unknown) => warnings.push(fields), error: () => {} };

async function contextOf(options: unknown = {}): Promise<PluginContext<MetersOptions>> {
  const result = await metersOptions['~standard'].validate(options);
  if (result.issues !== undefined) throw new Error(JSON.stringify(result.issues));
  return { options: result.value, host: 'here', config: {}, log };
}

/** What a listener is handed of the message in a case file. */
function notificationOf(message: JsonObject): Notification {
  const text = (name: string): string => String(toPlain(message.get(name) ?? null));
  const context = [...message].filter(([name]) => name.startsWith('_context_'));
  const ctxt = new Map(context.map(([name, value]) => [name.slice('_context_'.length), value]));
  const metadata = { message_id: text('message_id'), timestamp: text('timestamp') };
  const payload = message.get('payload') ?? null;
  const exact = new Map<string, JsonValue>([
    ['ctxt', ctxt],
    ['publisher_id', text('publisher_id')],
    ['event_type', text('event_type')],
    ['payload', payload],
    ['metadata', new Map(Object.entries(metadata))],
  ]);
  return {
    eventType: text('event_type'),
    publisherId: text('publisher_id'),
    priority: text('priority'),
    metadata,
    payload: Object(toPlain(payload)),
    ctxt: Object(toPlain(ctxt)),
    exact,
  };
}

function hear(message: JsonObject, context: PluginContext<MetersOptions>) {
  const notification = notificationOf(message);
  const samples = plugin.onNotification(notification, context);
  if (!Array.isArray(samples)) throw new TypeError('expected an array');
  return { notification, samples };
}

/** As the expected files say it; the time as an instant, since they spell the zone. */
function asExpected(sample: NotificationSample, { metadata }: Notification) {
  return {
    source: 'openstack',
    counter_name: sample.meter,
    counter_type: sample.type,
    counter_unit: sample.unit,
    counter_volume: Number(sample.volume),
    user_id: sample.userId,
    project_id: sample.projectId,
    resource_id: sample.resourceId,
    timestamp: instantOf(sample.timestamp ?? metadata.timestamp),
    resource_metadata: sample.metadata instanceof Map ? toPlain(sample.metadata) : sample.metadata,
  };
}

function read(file: string): JsonObject {
  const value = parseJson(readFileSync(new URL(file, CASES), 'utf8'));
  if (!isJsonObject(value)) throw new TypeError(`${file} holds no object`);
  return value;
}

const byMeterAndResource = (a: { counter_name: string; resource_id: string }, b: typeof a): number =>
  `${a.counter_name} ${a.resource_id}` < `${b.counter_name} ${b.resource_id}` ? -1 : 1;

const pairs = readdirSync(CASES).filter((name) => !name.includes('.expected.'));
t.ok(pairs.length >= 19, 'there are cases of all four services');
for (const pair of pairs) {
  t.test(pair.replace('.json', ''), async (t) => {
    const expected = read(pair.replace('.json', '.expected.json'));
    const key = pair.startsWith('neutron-') ? 'samples_newton' : 'samples_2026';
    const wanted: Record<string, string>[] = Object(toPlain(expected.get(key) ?? expected.get('samples') ?? null));
    const message = read(pair).get('message');
    if (!isJsonObject(message)) throw new TypeError('no message');
    const { samples, notification } = hear(message, await contextOf());
    const got = samples.map((sample) => asExpected(sample, notification)).sort(byMeterAndResource);
    t.strictSame(
      got,
      wanted.map((sample) => ({ ...sample, timestamp: instantOf(sample['timestamp'] ?? '') })),
    );
  });
}
t.test('no case made a warning', (t) => {
  t.same(warnings, []);
  t.end();
});

t.test('a volume keeps the literal that the service sent', async (t) => {
  const message = messageOf('cinder-volume.create.end.json', '"size": 1,', '"size": 12345678901234567890.10,');
  const { samples } = hear(message, await contextOf());
  t.equal(samples[0]?.volume, '12345678901234567890.10');
});

t.test('owners fall back to the request, unless the definition says nobody', async (t) => {
  const context = await contextOf({ packaged: false, definitions: [fileOf(t, OWNERLESS)] });
  const { samples } = hear(messageOf('nova-compute.instance.create.end.json'), context);
  t.match(samples, [{ userId: '1e3ce043029547f1a61c1996d1a531a2', projectId: null }]);
});

t.test('a definition file of the user comes before the packaged one of the same name', async (t) => {
  const context = await contextOf({ definitions: [fileOf(t, OWN_IMAGE_SIZE)] });
  const { samples } = hear(messageOf('glance-image.upload.json'), context);
  t.match(samples, [{ meter: 'image.size', unit: 'KB' }]);
});

t.test('lookups that do not pair drop the notification with a warning', async (t) => {
  const context = await contextOf();
  warnings.length = 0;
  const file = 'neutron-network.create.end-bulk.json';
  const { samples } = hear(messageOf(file, '"id": "5a7cb86f', '"no_id": "5a7cb86f'), context);
  t.same(samples, []);
  t.match(warnings, [{ detail: 'metadata is found 2 times, the meter 1 times' }, {}]);
});

const OWNERLESS = `
metric:
  - name: instance
    event_type: compute.instance
    type: gauge
    unit: instance
    volume: 1
    resource_id: $.payload.instance_id
    project_id: null
`;

const OWN_IMAGE_SIZE = `
metric:
  - name: image.size
    event_type: image.upload
    type: gauge
    unit: KB
    volume: $.payload.size / 1000
    resource_id: $.payload.id
`;

function messageOf(file: string, from = '', to = ''): JsonObject {
  const text = readFileSync(new URL(file, CASES), 'utf8');
  if (!text.includes(from)) throw new RangeError(`${file} does not hold ${from}`);
  const value = parseJson(text.replace(from, to));
  const message = isJsonObject(value) ? value.get('message') : null;
  if (!isJsonObject(message)) throw new TypeError(`${file} holds no message`);
  return message;
}

function fileOf(t: { testdir(content: Record<string, string>): string }, text: string): string {
  return `${t.testdir({ 'meters.yaml': text })}/meters.yaml`;
}

t.test('it obeys the contract', async () => {
  const notifications = pairs.map((pair) => read(pair).get('message'));
  await checkListener(plugin, { notifications });
});
