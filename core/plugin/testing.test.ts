import { setTimeout as sleep } from 'node:timers/promises';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { z } from 'zod';
import { defineDiscovery, defineListener, definePollster } from './contract.ts';
import type { Pollster, Reading, Resource } from './contract.ts';
import {
  checkDiscovery,
  checkListener,
  checkPollster,
  discoverPlugin,
  goldenCases,
  hearNotification,
  pollPlugin,
  recordLog,
} from './testing.ts';

const meters = {
  'car.distance': { unit: 'm', type: 'cumulative', description: 'Distance driven since it was built.' },
  'car.fuel': { unit: 'L', type: 'gauge', description: 'Fuel in the tank.' },
} as const;

const cars: readonly Resource[] = [{ id: 'car-1', projectId: 'family' }, { id: 'car-2' }];

/** A pollster that obeys, with parts replaced. */
function pollster(parts: Partial<Pollster> = {}): Pollster {
  return {
    ...definePollster<unknown>({
      name: 'cars',
      contract: 1,
      meters,
      discovery: () => cars,
      *poll(resources) {
        for (const resource of resources) yield { meter: 'car.distance', resource, volume: 2n ** 63n };
      },
    }),
    ...parts,
  };
}

function yielding(...readings: readonly unknown[]): Partial<Pollster> {
  return { poll: () => readings as readonly Reading[] };
}

t.test('a pollster that obeys the contract passes', async (t) => {
  await t.resolves(checkPollster(pollster()));
});

t.test('each breach of the contract is named', async (t) => {
  const [car] = cars;
  let kilometres = 10;
  const breaches: readonly [string, Partial<Pollster>, RegExp][] = [
    ['another contract', { contract: 7 }, /contract: is 7; 1 would be right/],
    [
      'a meter without unit',
      { meters: { 'car.fuel': { ...meters['car.fuel'], unit: '' } } },
      /car\.fuel: needs a unit/,
    ],
    ['no meter', { meters: {} }, /must describe at least one meter/],
    [
      'an undeclared meter',
      yielding({ meter: 'car.colour', resource: car, volume: 1 }),
      /"car\.colour": the meter is not declared/,
    ],
    [
      'a volume that is no number',
      yielding({ meter: 'car.fuel', resource: car, volume: Number.NaN }),
      /"car\.fuel": volume:/,
    ],
    ['39 digits', yielding({ meter: 'car.fuel', resource: car, volume: '1'.repeat(39) }), /38 digits/],
    [
      'an unknown resource',
      yielding({ meter: 'car.fuel', resource: { id: 'bus' }, volume: 1 }),
      /none of those that were asked about/,
    ],
    [
      'one series twice',
      yielding({ meter: 'car.fuel', resource: car, volume: 1 }, { meter: 'car.fuel', resource: car, volume: 2 }),
      /two readings of \["car\.fuel","car-1"\]/,
    ],
    [
      'metadata that is no JSON',
      yielding({ meter: 'car.fuel', resource: car, volume: 1, metadata: { f: () => 1 } }),
      /metadata/,
    ],
    ['nothing measured, nothing reported', yielding(), /gave no reading for 2 resources/],
    ['one id for two resources', { discovery: () => [{ id: 'a' }, { id: 'a' }] }, /the id "a" is there twice/],
    [
      'a cumulative meter that falls',
      { poll: () => [{ meter: 'car.distance', resource: car as Resource, volume: kilometres-- }] },
      /cumulative and fell from 10 to 9/,
    ],
    [
      'deaf to the signal',
      {
        async *poll(resources) {
          for (const resource of resources) yield { meter: 'car.fuel', resource, volume: 1 };
          await sleep(400);
        },
      },
      /goes on 100 ms after its signal aborted/,
    ],
    ['takes any option', { options: z.object({}) }, /takes the unknown key "no-such-option"/],
    ['close throws', { close: () => Promise.reject(new Error('shut')) }, /close: threw shut/],
  ];
  for (const [name, parts, finding] of breaches) {
    await t.rejects(checkPollster(pollster(parts), { stopWithinMs: 100 }), { message: finding }, name);
  }
});

t.test('one failing resource must be reported and leave the others', async (t) => {
  const careless = pollster({
    *poll(resources) {
      for (const resource of resources) {
        if (resource.id === 'wreck') throw new Error('no engine');
        yield { meter: 'car.fuel', resource, volume: 1 };
      }
    },
  });
  const failing = { id: 'wreck' };
  await t.rejects(checkPollster(careless, { failing }), { message: /is missing when another resource fails/ });
  const careful = pollster({
    *poll(resources, { report }) {
      for (const resource of resources) {
        if (resource.id === 'wreck') report(resource, new Error('no engine'));
        else yield { meter: 'car.fuel', resource, volume: 1 };
      }
    },
  });
  await t.resolves(checkPollster(careful, { failing }));
});

t.test('a poll comes out as plain objects, sorted, no digit lost', async (t) => {
  const { readings, failed } = await pollPlugin(pollster());
  t.same(failed, []);
  t.same(
    readings.map(({ resource_id, volume, project_id }) => [resource_id, volume, project_id]),
    [
      ['car-1', '9223372036854775808', 'family'],
      ['car-2', '9223372036854775808', null],
    ],
  );
  t.match(readings[0], { meter: 'car.distance', type: 'cumulative', unit: 'm', metadata: {} });
});

t.test('wrong options and a plugin of no use are errors with the reason', async (t) => {
  const options = z.strictObject({ colour: z.string() });
  await t.rejects(pollPlugin(pollster({ options }), { colour: 1 }), { message: /Options of cars: colour:/ });
  await t.rejects(pollPlugin(pollster({ enabled: () => 'no road here' })), { message: /of no use here: no road here/ });
});

t.test('discoveries: ids are unique and last', async (t) => {
  let count = 0;
  const discovery = defineDiscovery<unknown>({
    name: 'garage',
    contract: 1,
    discover: (parameter) => [{ id: `${parameter}-1` }],
  });
  await t.resolves(checkDiscovery(discovery, { parameter: 'red' }));
  t.same(await discoverPlugin(discovery, {}, 'red'), [{ id: 'red-1' }]);
  const fickle = { ...discovery, discover: () => [{ id: `car-${++count}` }] };
  await t.rejects(checkDiscovery(fickle), { message: /gave other ids when asked again/ });
  const hanging = { ...discovery, discover: () => new Promise<never>(() => undefined) };
  await t.rejects(checkDiscovery(hanging, { timeoutMs: 50 }), { message: /did not end within 50 ms/ });
});

const listener = defineListener<unknown>({
  name: 'garage',
  contract: 1,
  eventTypes: ['car.*.end'],
  onNotification: ({ payload, ctxt }) => [
    {
      meter: 'car.seats',
      type: 'gauge',
      unit: 'seat',
      volume: payload['seats'] as number,
      resourceId: payload['id'] as string,
      projectId: (ctxt['project_id'] as string | undefined) ?? null,
    },
  ],
});
const event = { event_type: 'car.paint.end', _context_project_id: 'family', payload: { id: 'car-1', seats: 5 } };

t.test('a listener hears a bare notification and one in the envelope alike', async (t) => {
  const wrapped = { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(event) };
  const expected = [
    {
      meter: 'car.seats',
      resource_id: 'car-1',
      type: 'gauge',
      unit: 'seat',
      volume: '5',
      project_id: 'family',
      user_id: null,
      metadata: {},
    },
  ];
  t.same(await hearNotification(listener, event), expected);
  t.same(await hearNotification(listener, JSON.stringify(wrapped)), expected);
  await t.resolves(checkListener(listener, { notifications: [event, wrapped] }));
});

t.test('breaches of a listener are named', async (t) => {
  const check = { notifications: [event] };
  let count = 0;
  const make = (...args: Parameters<typeof listener.onNotification>) => listener.onNotification(...args);
  const counting: typeof make = async (...args) => (await make(...args)).map((one) => ({ ...one, volume: ++count }));
  const painting: typeof make = (notification, context) => {
    (notification.payload as Record<string, unknown>)['colour'] = 'red';
    return make(notification, context);
  };
  await t.rejects(checkListener({ ...listener, onNotification: counting }, check), {
    message: /twice gave other samples/,
  });
  await t.rejects(checkListener({ ...listener, onNotification: painting }, check), {
    message: /changed the notification/,
  });
  await t.rejects(checkListener({ ...listener, eventTypes: ['bus.*'] }, check), {
    message: /none matches "car\.paint\.end"/,
  });
  await t.rejects(checkListener({ ...listener, eventTypes: [] }, check), { message: /at least one event type/ });
});

t.test('golden cases: compared, updated, several polls, errors', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'golden-'));
  t.teardown(() => rm(root, { recursive: true }));
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  };
  await write('two-polls/config.yaml', 'host: garage\nplugins:\n  cars:\n    file: ${input}/fuel\n');
  await write('two-polls/input/fuel', '40');
  await write('two-polls/input.2/fuel', '39.50');
  await write('missing/options.json', '{"file": "${input}/fuel"}');
  await write('missing/input/other', '');
  const reader = definePollster<{ file: string }>({
    name: 'cars',
    contract: 1,
    options: z.strictObject({ file: z.string() }),
    meters,
    discovery: 'local-node',
    async *poll([node], { options }) {
      yield { meter: 'car.fuel', resource: node as Resource, volume: await readFile(options.file, 'utf8') };
    },
  });
  const cases = await goldenCases(reader, root);
  t.same(
    cases.map(({ name }) => name),
    ['missing', 'two-polls'],
  );
  const [missing, twoPolls] = cases as [(typeof cases)[0], (typeof cases)[0]];
  await t.rejects(missing.check(), { message: /neither expected\.json nor expected\.error/ });
  process.env['NEPHOMETER_UPDATE_GOLDEN'] = '1';
  for (const { check } of cases) await check();
  delete process.env['NEPHOMETER_UPDATE_GOLDEN'];
  for (const { check } of cases) await t.resolves(check());
  t.match(await readFile(join(root, 'missing/expected.error'), 'utf8'), /ENOENT.*'\$\{input\}\/fuel'/);
  const expected = await readFile(join(root, 'two-polls/expected.json'), 'utf8');
  t.match(JSON.parse(expected), [
    { readings: [{ resource_id: 'garage', volume: '40' }] },
    { readings: [{ volume: '39.50' }] },
  ]);
  await write('two-polls/expected.json', expected.replace('39.50', '39.51'));
  await t.rejects(twoPolls.check(), { message: /differs from expected\.json, first in line/ });
  await write('two-polls/expected.error', 'no fuel');
  await rm(join(root, 'two-polls/expected.json'));
  await t.rejects(twoPolls.check(), { message: /expected\.error was expected/ });
  await rm(join(root, 'missing'), { recursive: true });
  await rm(join(root, 'two-polls'), { recursive: true });
  await t.rejects(goldenCases(reader, root), { message: /has no case/ });
});

t.test('a recorded log keeps its lines', async (t) => {
  const log = recordLog();
  log.warn({ car: 'car-1' }, 'Low fuel.');
  t.same(log.lines, [{ level: 'warn', fields: { car: 'car-1' }, sentence: 'Low fuel.' }]);
});
