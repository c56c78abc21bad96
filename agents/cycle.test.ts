import t from 'tap';
import { ManualClock, SECOND, toText } from '@nephometer/core';
import type { ConfigInput, Discovery, Pollster, PollsterOutcome } from '@nephometer/core';
import { CycleRunner } from './cycle.ts';
import type { CycleResult, Tick } from './cycle.ts';
import { Discoverer } from './discover.ts';
import { Pipeline } from './pipeline.ts';
import { discovery, plugins, pollster, recordingLogger, testConfig } from './test-kit.ts';

interface Rig {
  readonly clock: ManualClock;
  readonly run: (fields?: Partial<Tick>) => Promise<CycleResult>;
  readonly runner: CycleRunner;
}

function rig(pollsters: readonly Pollster[], discoveries: readonly Discovery[] = [], overrides: ConfigInput = {}): Rig {
  const config = testConfig(overrides);
  const { log } = recordingLogger();
  const clock = new ManualClock();
  const loaded = plugins(config, log, pollsters, discoveries);
  const cache = config.agent.discovery_cache;
  const runner = new CycleRunner({
    pollsters: loaded.pollsters,
    discoverer: new Discoverer({ discoveries: loaded.discoveries, host: 'node-1', clock, log, cache }),
    pipeline: new Pipeline(config.pipeline),
    clock,
    log,
    maxReadings: config.agent.max_readings,
    onPolled: () => undefined,
    onRejected: () => undefined,
  });
  let slot = 0;
  const run = async (fields: Partial<Tick> = {}): Promise<CycleResult> => {
    slot += 10 * SECOND;
    const source = { name: 'default', meters: ['*'] };
    return runner.run({ source, interval: 10 * SECOND, slot, timeout: 8 * SECOND, ...fields });
  };
  return { clock, run, runner };
}

const outcomeOf = ({ report }: CycleResult, index = 0): PollsterOutcome => {
  const outcome = report.pollsters[index];
  if (outcome === undefined) throw new Error('There is no such outcome.');
  return outcome;
};

const never = (): Promise<never> => new Promise(() => undefined);
const resources = (...ids: string[]): { id: string }[] => ids.map((id) => ({ id }));

t.test(
  'readings become counters: type and unit as declared, owner and metadata merged, one moment for all',
  async (t) => {
    const { run, clock } = rig([
      pollster({
        discovery: () => [{ id: 'r1', projectId: 'p1', userId: 'u1', metadata: { a: 1, b: 'x' } }],
        async *poll([resource]) {
          if (resource === undefined) return;
          yield { meter: 'level', resource, volume: 0.1 };
          await clock.advance(SECOND);
          yield {
            meter: 'level',
            resource,
            resourceId: 'r1-sda',
            volume: '18446744073709551616',
            projectId: null,
            metadata: { b: 'y', c: true },
          };
          yield { meter: 'level', resource, resourceId: 'r1-sdb', volume: 9_007_199_254_740_993n };
        },
      }),
    ]);
    const began = clock.now();
    const { counters } = await run();
    t.match(counters, [
      { type: 'gauge', unit: 'B', resourceId: 'r1', projectId: 'p1', userId: 'u1' },
      { resourceId: 'r1-sda', projectId: null, userId: 'u1' },
      { resourceId: 'r1-sdb' },
    ]);
    t.same(
      counters.map(({ volume }) => volume.literal),
      ['0.1', '18446744073709551616', '9007199254740993'],
    );
    t.ok(counters.every(({ timestamp, monotonicTime }) => timestamp === began && monotonicTime === 0));
    t.same([...(counters[1]?.metadata.keys() ?? [])], ['a', 'b', 'c']);
  },
);

t.test('what a discovery of the pollster itself has read is not older than its samples say', async (t) => {
  const readBy = { plugin: 0, discovery: 0 };
  const source = { name: 'default', meters: ['*'] };
  const own = rig([
    pollster({
      discovery: async () => {
        readBy.plugin = own.clock.now();
        await own.clock.advance(SECOND);
        return resources('r1');
      },
    }),
  ]);
  const { counters } = await own.run({ source });
  t.same(
    counters.map(({ timestamp, monotonicTime }) => [timestamp, monotonicTime]),
    [[readBy.plugin, 0]],
  );
  const shared = rig(
    [pollster({})],
    [
      discovery({
        name: 'slow',
        discover: async () => {
          await shared.clock.advance(SECOND);
          readBy.discovery = shared.clock.now();
          return resources('r1');
        },
      }),
    ],
  );
  const later = await shared.run({ source: { ...source, discovery: ['slow'] } });
  t.same(
    later.counters.map(({ timestamp, monotonicTime }) => [timestamp, monotonicTime]),
    [[readBy.discovery, 1]],
    'a discovery for many reads nothing',
  );
});

t.test('one failing resource leaves the others, and is named with its reason', async (t) => {
  const { run } = rig([
    pollster({
      discovery: () => resources('good', 'thrown', 'nan', 'undeclared', 'silent'),
      *poll(all, { report }) {
        for (const resource of all) {
          if (resource.id === 'thrown') report(resource, new Error('no such domain'));
          else if (resource.id === 'nan') yield { meter: 'level', resource, volume: Number.NaN };
          else if (resource.id === 'undeclared') yield { meter: 'other', resource, volume: 1 };
          else if (resource.id === 'good') yield { meter: 'level', resource, volume: 1 };
        }
      },
    }),
  ]);
  const result = await run();
  t.same(
    result.counters.map(({ resourceId }) => resourceId),
    ['good'],
  );
  t.match(outcomeOf(result), { asked: 5, answered: 1, readings: 3, error: null });
  const reasons = Object.fromEntries(outcomeOf(result).failed.map(({ resource_id, reason }) => [resource_id, reason]));
  t.same(Object.keys(reasons), ['thrown', 'nan', 'undeclared']);
  t.equal(reasons['thrown'], 'no such domain');
  t.match(reasons['nan'], /^test: volume of level: Found the number "NaN"/);
  t.match(reasons['undeclared'], /^test: meter "other" is not among those that the plugin declares: level$/);
});

t.test('what a pollster yielded before it threw still counts', async (t) => {
  const { run } = rig([
    pollster({
      *poll([resource]) {
        if (resource !== undefined) yield { meter: 'level', resource, volume: 1 };
        throw new Error(`out of luck ${'x'.repeat(1000)}`);
      },
    }),
  ]);
  const result = await run();
  t.equal(result.counters.length, 1);
  t.match(outcomeOf(result).error, /^threw: out of luck/);
  t.equal(outcomeOf(result).error?.length, 500);
});

t.test('a pollster that ignores its abort is left alone, busy until it returns, and never run twice', async (t) => {
  let running = 0;
  let most = 0;
  let finish: () => void = () => undefined;
  const { run, clock } = rig([
    pollster({
      async *poll([resource]) {
        most = Math.max(most, (running += 1));
        if (resource !== undefined) yield { meter: 'level', resource, volume: 1 };
        await new Promise<void>((resolve) => (finish = resolve));
        running -= 1;
      },
    }),
    pollster({
      name: 'other',
      meters: { fine: { unit: 'B', type: 'gauge', description: 'Fine.' } },
      poll: (all) => all.map((resource) => ({ meter: 'fine', resource, volume: 2 })),
    }),
  ]);
  const first = run();
  await clock.advance(8 * SECOND);
  t.match(outcomeOf(await first), { error: 'timeout', readings: 1 });
  t.equal((await first).counters.length, 2, 'the other is on time, and what came before the timeout counts');
  const second = await run();
  t.equal(outcomeOf(second).error, 'busy');
  t.match(outcomeOf(second, 1), { error: null, answered: 1 });
  finish();
  await clock.advance(0);
  const third = run();
  await clock.advance(8 * SECOND);
  t.equal(outcomeOf(await third).error, 'timeout');
  t.equal(most, 1);
});

t.test('a pollster that floods is cut', async (t) => {
  const { run } = rig(
    [
      pollster({
        *poll([resource]) {
          for (let n = 0; resource !== undefined; n += 1) {
            yield { meter: 'level', resource, resourceId: `r${n}`, volume: n };
          }
        },
      }),
    ],
    [],
    { agent: { max_readings: 2500 } },
  );
  const result = await run();
  t.equal(result.counters.length, 2500);
  t.match(outcomeOf(result), { error: 'flood', readings: 2500 });
});

t.test('a discovery is asked once a tick for all that name it, duplicates are one', async (t) => {
  let asked = 0;
  const things = discovery({
    discover: (parameter) => {
      asked += 1;
      return resources('a', 'b', 'a', String(parameter));
    },
  });
  const meters = (name: string): Pollster['meters'] => ({ [name]: { unit: 'B', type: 'gauge', description: 'One.' } });
  const poll = (name: string): Pollster =>
    pollster({
      name,
      meters: meters(name),
      discovery: 'things://x',
      poll: (all) => all.map((resource) => ({ meter: name, resource, volume: 1 })),
    });
  const { run } = rig([poll('one'), poll('two')], [things]);
  const result = await run();
  t.equal(asked, 1);
  t.match(result.report.pollsters, [{ asked: 3 }, { asked: 3 }]);
  await run();
  t.equal(asked, 2);
});

t.test('a discovery that fails leaves the last good set for a while, and absence proves nothing then', async (t) => {
  let fails = false;
  const things = discovery({
    discover: () => {
      if (fails) throw new Error('the API is away');
      return resources('a', 'b');
    },
  });
  const { run, clock } = rig([pollster({ discovery: 'things' })], [things], { agent: { discovery_cache: '60s' } });
  t.match((await run()).report, { discovery_complete: true });
  fails = true;
  await clock.advance(30 * SECOND);
  const stale = await run();
  t.match(stale.report, { discovery_complete: false, pollsters: [{ asked: 2, answered: 2, error: null }] });
  await clock.advance(60 * SECOND);
  const gone = await run();
  t.equal(gone.counters.length, 0);
  t.match(outcomeOf(gone), { asked: 0, error: 'discovery things: the API is away' });
});

t.test('a hung discovery is given up; one that is not installed is an error that says what is', async (t) => {
  const hung = rig([pollster({ discovery: 'things' })], [discovery({ discover: never })]);
  const first = hung.run();
  await hung.clock.advance(8 * SECOND);
  t.match(outcomeOf(await first), { asked: 0, error: /discovery things: timeout/ });
  t.match(outcomeOf(await hung.run()), { error: /busy/ });
  const unknown = rig([pollster({ discovery: 'nothing' })]);
  t.match(outcomeOf(await unknown.run()).error, /"nothing", which is not installed; installed: local-node/);
});

t.test('a source names its own resources and meters', async (t) => {
  const { run } = rig([
    pollster({
      meters: {
        level: { unit: 'B', type: 'gauge', description: 'One.' },
        depth: { unit: 'm', type: 'gauge', description: 'Two.' },
      },
      *poll(all) {
        for (const resource of all) {
          yield { meter: 'level', resource, volume: 1 };
          yield { meter: 'depth', resource, volume: 2 };
        }
      },
    }),
  ]);
  const source = { name: 'mine', meters: ['dep*'], resources: ['snmp://a', 'snmp://b'] };
  const { counters, report } = await run({ source });
  t.same(
    counters.map(({ meter, resourceId, volume }) => `${meter} ${resourceId} ${toText(volume)}`),
    ['depth snmp://a 2', 'depth snmp://b 2'],
  );
  t.same(report.meters, ['depth']);
  const none = await run({ source: { name: 'none', meters: ['nothing'] } });
  t.same(none.report.pollsters, [], 'a pollster that reads nothing of it is not asked');
});

t.test('two sources of one tick share a pollster one after the other', async (t) => {
  let running = 0;
  const { run } = rig([
    pollster({
      async *poll([resource]) {
        t.equal((running += 1), 1);
        await new Promise((resolve) => setImmediate(resolve));
        if (resource !== undefined) yield { meter: 'level', resource, volume: 1 };
        running -= 1;
      },
    }),
  ]);
  const results = await Promise.all(['a', 'b'].map((name) => run({ source: { name, meters: ['*'] } })));
  for (const result of results) t.match(outcomeOf(result), { error: null, answered: 1 });
});

t.test('a report names the final meters, of dynamic pollsters those seen so far', async (t) => {
  let name = 'first';
  const { run } = rig(
    [
      pollster({}),
      pollster({
        name: 'any',
        meters: 'dynamic',
        poll: (all) => all.map((resource) => ({ meter: name, resource, volume: 1, type: 'delta', unit: null })),
      }),
    ],
    [],
    {
      pipeline: {
        sinks: [{ name: 'bus', transformers: [{ name: 'rename', parameters: { from: 'level', to: 'height' } }] }],
      },
    },
  );
  t.same((await run()).report.meters, ['first', 'height']);
  name = 'second';
  t.same((await run()).report.meters, ['first', 'height', 'second']);
});

t.test('of the names that dynamic pollsters gave, the latest are remembered', async (t) => {
  let round = 0;
  const named = (i: number) => `round-${round}.${String(i).padStart(4, '0')}`;
  const { run } = rig([
    pollster({
      name: 'any',
      meters: 'dynamic',
      poll: ([resource]) =>
        resource === undefined
          ? []
          : Array.from({ length: 6000 }, (_, i) => ({
              meter: named(i),
              resource,
              volume: 1,
              type: 'delta' as const,
              unit: null,
            })),
    }),
  ]);
  t.equal((await run()).report.meters.length, 6000);
  round = 1;
  const { meters } = (await run()).report;
  t.equal(meters.length, 10_000);
  t.equal(meters.filter((name) => name.startsWith('round-1.')).length, 6000);
});

t.test('where a pollster failed, its outcome says of which final meters', async (t) => {
  let isBroken = false;
  const fail = (): never => {
    throw new Error('no answer');
  };
  const { run } = rig([
    pollster({ name: 'good' }),
    pollster({
      name: 'bad',
      meters: { width: { unit: 'm', type: 'gauge', description: 'A width.' } },
      poll: fail,
    }),
    pollster({
      name: 'any',
      meters: 'dynamic',
      poll: (all) =>
        isBroken ? fail() : all.map((resource) => ({ meter: 'seen', resource, volume: 1, type: 'delta', unit: null })),
    }),
  ]);
  const outcomes = async () => (await run()).report.pollsters.map(({ name, meters }) => [name, meters]);
  t.same(await outcomes(), [
    ['good', undefined],
    ['bad', ['width']],
    ['any', undefined],
  ]);
  isBroken = true;
  t.same((await outcomes())[2], ['any', ['seen']]);
});
