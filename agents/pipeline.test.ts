import t from 'tap';
import { ConfigError, fromPlain, parseVolume, SECOND, toText } from '@nephometer/core';
import type { ConfigInput, Counter, JsonObject } from '@nephometer/core';
import { Pipeline } from './pipeline.ts';
import { testConfig } from './test-kit.ts';

function counter(
  fields: Partial<Omit<Counter, 'volume' | 'metadata'>> & { volume?: string; metadata?: object } = {},
): Counter {
  return {
    meter: 'cpu',
    type: 'cumulative',
    unit: 'ns',
    resourceId: 'r1',
    projectId: null,
    userId: null,
    timestamp: 0,
    monotonicTime: null,
    ...fields,
    volume: parseVolume(fields.volume ?? '0'),
    metadata: fromPlain(fields.metadata ?? {}) as JsonObject,
  };
}

type Transformers = NonNullable<NonNullable<NonNullable<ConfigInput['pipeline']>['sinks']>[number]['transformers']>;

function pipeline(transformers: Transformers, meters = ['*']): Pipeline {
  const sources = [{ name: 'source', meters, sinks: ['sink'] }];
  return new Pipeline(testConfig({ pipeline: { sources, sinks: [{ name: 'sink', transformers }] } }).pipeline);
}

const shown = (counters: readonly Counter[]): string[] =>
  counters.map(({ meter, type, unit, volume }) => `${meter} ${type} ${toText(volume)} ${unit}`);

t.test('sources take what their patterns name, and send it to each of their sinks', async (t) => {
  const config = testConfig({
    pipeline: {
      sources: [
        { name: 'disks', meters: ['disk.*'], sinks: ['plain'] },
        { name: 'rest', meters: ['!disk.*'], sinks: ['plain', 'renamed'] },
      ],
      sinks: [
        { name: 'plain' },
        { name: 'renamed', transformers: [{ name: 'rename', parameters: { from: '^', to: 'my.' } }] },
      ],
    },
  });
  const { counters, rejected } = new Pipeline(config.pipeline).runPipeline(
    [counter(), counter({ meter: 'disk.size', volume: '5' })],
    'default',
  );
  t.same(shown(counters), ['cpu cumulative 0 ns', 'my.cpu cumulative 0 ns', 'disk.size cumulative 5 ns']);
  t.same(rejected, []);
  t.same(new Pipeline(config.pipeline).finalNames('cpu'), ['cpu', 'my.cpu']);
});

t.test('unit_conversion: an exact factor, new unit and name, a cap, and only samples of the named unit', async (t) => {
  const run = pipeline([
    {
      name: 'unit_conversion',
      parameters: {
        source: { unit: 'B', map_from: { name: 'disk\\.(read|write)\\.bytes' } },
        target: { unit: 'KiB', type: 'gauge', scale: '0.0009765625', max: 100, map_to: { name: 'disk.\\1.kib' } },
      },
    },
  ]);
  const { counters } = run.runPipeline(
    [
      counter({ meter: 'disk.read.bytes', unit: 'B', volume: '1' }),
      counter({ meter: 'disk.write.bytes', unit: 'B', volume: '99999999' }),
      counter({ meter: 'disk.read.requests', unit: 'request', volume: '7' }),
    ],
    'default',
  );
  t.same(shown(counters), [
    'disk.read.kib gauge 0.0009765625 KiB',
    'disk.write.kib gauge 100 KiB',
    'disk.read.requests cumulative 7 request',
  ]);
  t.same(run.finalNames('disk.read.bytes'), ['disk.read.kib']);
});

t.test('unit_conversion: an expression over the fields of the sample', async (t) => {
  const bits = pipeline([{ name: 'unit_conversion', parameters: { target: { unit: 'bit', scale: 'volume * 8' } } }]);
  t.same(shown(bits.runPipeline([counter({ volume: '9007199254740993' })], 'd').counters), [
    'cpu cumulative 72057594037927944 bit',
  ]);
  const missing = pipeline([
    { name: 'unit_conversion', parameters: { target: { scale: 'volume * resource_metadata.n' } } },
  ]);
  const { counters, rejected } = missing.runPipeline([counter()], 'd');
  t.same(counters, []);
  t.match(rejected, [{ meter: 'cpu', resourceId: 'r1', reason: /does not have/ }]);
});

t.test('rate_of_change: the rules of its table', async (t) => {
  const rate = pipeline([
    {
      name: 'rate_of_change',
      parameters: {
        target: {
          name: 'cpu_util',
          unit: '%',
          type: 'gauge',
          scale: '100.0 / (10**9 * (resource_metadata.cpu_number or 1))',
        },
      },
    },
  ]);
  const feed = (seconds: number, volume: string, monotonic: number | null = null): string[] => {
    const timestamp = seconds * SECOND;
    const sample = counter({ volume, timestamp, monotonicTime: monotonic, metadata: { cpu_number: 2 } });
    return shown(rate.runPipeline([sample], 'default').counters);
  };
  t.same(feed(0, '0'), [], 'the first gives nothing');
  t.same(feed(10, '10000000000'), ['cpu_util gauge 50 %']);
  t.same(feed(5, '20000000000'), [], 'an older one gives nothing');
  t.same(feed(20, '20000000000'), ['cpu_util gauge 50 %'], 'and the last stayed');
  t.same(feed(20, '20000000000'), ['cpu_util gauge 0 %'], 'the same time gives zero');
  t.same(feed(30, '2000000000'), ['cpu_util gauge 10 %'], 'a counter that fell counts from zero');
  t.same(feed(40, '2000000000', 1000), ['cpu_util gauge 0 %']);
  t.same(feed(3640, '4000000000', 1010), ['cpu_util gauge 10 %'], 'the steady clock goes first');
});

t.test('rate_of_change keeps series apart: resources, and polling sources', async (t) => {
  const rate = pipeline([{ name: 'rate_of_change' }]);
  rate.runPipeline([counter({ volume: '0' }), counter({ resourceId: 'r2', volume: '100' })], 'a');
  t.same(rate.runPipeline([counter({ volume: '5', timestamp: SECOND })], 'b').counters, []);
  const { counters } = rate.runPipeline(
    [
      counter({ volume: '10', timestamp: 2 * SECOND }),
      counter({ resourceId: 'r2', volume: '101', timestamp: 3 * SECOND }),
    ],
    'a',
  );
  t.same(shown(counters), ['cpu cumulative 5 ns', 'cpu cumulative 0.333333333333333333 ns']);
});

t.test('metadata: members added and removed', async (t) => {
  const run = pipeline([{ name: 'metadata', parameters: { add: { site: 'north', n: 1.5 }, remove: ['secret'] } }]);
  const { counters } = run.runPipeline([counter({ metadata: { secret: 'x', kept: true } })], 'd');
  t.same(
    [...(counters[0]?.metadata ?? [])].map(([key]) => key),
    ['kept', 'site', 'n'],
  );
});

t.test('two outputs of one meter and resource: identical ones are one, different ones are an error', async (t) => {
  const config = testConfig({
    pipeline: {
      sources: [
        { name: 'a', meters: ['*'], sinks: ['a'] },
        { name: 'b', meters: ['*'], sinks: ['b'] },
      ],
      sinks: [
        { name: 'a' },
        { name: 'b', transformers: [{ name: 'unit_conversion', parameters: { target: { scale: 2 } } }] },
      ],
    },
  });
  const run = new Pipeline(config.pipeline);
  t.same(run.runPipeline([counter({ volume: '0' })], 'd'), { counters: [counter({ volume: '0' })], rejected: [] });
  const { counters, rejected } = run.runPipeline([counter({ volume: '1' })], 'd');
  t.equal(counters.length, 1);
  t.match(rejected, [{ reason: /from a and from b/ }]);
});

t.test('wrong parameters stop the start, naming the key', async (t) => {
  for (const [transformer, problem] of [
    [{ name: 'rename', parameters: { from: '(', to: 'x' } }, /transformers\[0\]\.parameters\.from: Invalid regular/],
    [{ name: 'rename', parameters: { to: 'x' } }, /parameters\.from/],
    [{ name: 'unit_conversion', parameters: { target: { scale: 'volume *' } } }, /target\.scale: Found the end/],
    [{ name: 'unit_conversion', parameters: { target: { scale: 'system(1)' } } }, /no function system/],
    [{ name: 'rate_of_change', parameters: { target: { type: 'sum' } } }, /target\.type/],
    [{ name: 'metadata', parameters: { ad: {} } }, /nrecognized/],
  ] as const) {
    t.throws(() => pipeline([transformer]), { name: ConfigError.name, message: problem });
  }
});
