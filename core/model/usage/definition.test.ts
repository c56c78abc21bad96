import t from 'tap';
import { compareText } from '../order.ts';
import { DEFAULT_DEFINITIONS } from './default-definitions.ts';
import { definitionHash, definitionQuery, UsageDefinition } from './definition.ts';
import { foldUsage } from './fold.ts';
import { missingBatches, sealedBatch } from './ledger.ts';
import { usageQuery } from './query.ts';
import { sketchCycle, sketchSeries, utc } from './testing.ts';
import { HOUR, MINUTE } from '../../time.ts';

const named = (name: string) => {
  const found = DEFAULT_DEFINITIONS.find((definition) => definition.name === name);
  if (found === undefined) throw new Error(`There is no ${name}.`);
  return found;
};

const period = { from: utc('2026-03-03T10:00:00Z'), to: utc('2026-03-03T12:00:00Z') };

void t.test('the shipped definitions have each a name and a hash of their own', async (t) => {
  const hashes = new Set(DEFAULT_DEFINITIONS.map(definitionHash));
  t.equal(hashes.size, DEFAULT_DEFINITIONS.length);
  t.equal(new Set(DEFAULT_DEFINITIONS.map(({ name }) => name)).size, DEFAULT_DEFINITIONS.length);
  for (const definition of DEFAULT_DEFINITIONS) t.ok(usageQuery({ ...period, ...definitionQuery(definition) }));
});

void t.test('a hash is of what is said, not of how', async (t) => {
  const short = UsageDefinition.parse({ name: 'x', meter: 'm', kind: 'integral', max_hold: '90m' });
  const long = UsageDefinition.parse({ conversion: '1', max_hold: 'PT1H30M', kind: 'integral', meter: 'm', name: 'x' });
  t.equal(definitionHash(short), definitionHash(long));
  t.not(definitionHash(short), definitionHash({ ...short, max_hold: '2h' }));
  t.match(definitionHash(short), /^[0-9a-f]{64}$/);
});

void t.test('what is wrong is said', async (t) => {
  const wrong = (change: object) =>
    UsageDefinition.safeParse({ name: 'x', meter: 'm', kind: 'integral', ...change }).error?.issues[0]?.message;
  t.match(wrong({ conversion: '1/0' }), /a factor above zero like 0.5/);
  t.match(wrong({ max_hold: '90' }), /a number with its unit/);
  t.match(wrong({ group_by: ['flavor'] }), /metadata\.PATH/);
  t.match(wrong({ name: 'X' }), /lower-case words/);
  t.match(wrong({ kind: 'duration', conversion: { B: '1' } }), /one factor on hours/);
  t.match(wrong({ converson: '1' }), /Unrecognized key/);
});

void t.test('memory in MiB becomes GiB-hours, nanoseconds of CPU hours', async (t) => {
  const every = { ...period, every: MINUTE };
  const memory = sketchSeries(every, () => '512', { meter: 'memory', unit: 'MiB' });
  const ask = (name: string) => usageQuery({ ...period, ...definitionQuery(named(name)) });
  t.match(foldUsage(memory, ask('memory_gib_hours')).lines, [{ quantity: '1', unit: 'GiB.h' }]);
  const ns = (i: number) => String(BigInt(i) * 30_000_000_000n);
  const cpu = sketchSeries({ ...every, to: period.to + MINUTE }, ns, { meter: 'cpu', type: 'cumulative', unit: 'ns' });
  t.match(foldUsage(cpu, ask('cpu_hours')).lines, [{ quantity: '1', unit: 'h', upper: '1' }], 'half a CPU, two hours');
});

void t.test(
  'what a node accounts for: CPU hours and GiB-hours by group and by user, GiB of its interfaces',
  async (t) => {
    const every = { from: period.from, to: period.to + MINUTE, every: MINUTE };
    const ask = (name: string) => usageQuery({ ...period, ...definitionQuery(named(name)) });
    const cpu = (i: number) => String(BigInt(i) * 90_000_000_000n);
    const bytes = (i: number) => String(BigInt(i) * 2n ** 29n);
    for (const [name, meter, volume, type, unit, line] of [
      ['cgroup_cpu_hours', 'cgroup.cpu', cpu, 'cumulative', 'ns', { quantity: '3', unit: 'h' }],
      ['user_cpu_hours', 'user.cpu', cpu, 'cumulative', 'ns', { quantity: '3', unit: 'h' }],
      [
        'cgroup_memory_gib_hours',
        'cgroup.memory.working_set',
        () => String(3 * 2 ** 29),
        'gauge',
        'B',
        { quantity: '3' },
      ],
      [
        'user_memory_gib_hours',
        'user.memory.usage',
        () => String(3 * 2 ** 29),
        'gauge',
        'B',
        { quantity: '3', unit: 'GiB.h' },
      ],
      [
        'host_network_in_gib',
        'hardware.network.incoming.bytes',
        bytes,
        'cumulative',
        'B',
        { quantity: '60', unit: 'GiB' },
      ],
      [
        'host_network_out_gib',
        'hardware.network.outgoing.bytes',
        bytes,
        'cumulative',
        'B',
        { quantity: '60', unit: 'GiB' },
      ],
    ] as const) {
      t.equal(named(name).meter, meter);
      const facts = sketchSeries(every, volume, { meter, type, unit, resource: 'x', metadata: { kind: 'container' } });
      t.match(foldUsage(facts, ask(name)), { skipped: [], lines: [{ ...line, coverage: '1' }] }, name);
    }
    const groups = ['x', 'y'].map((resource, i) =>
      sketchSeries(every, cpu, {
        meter: 'cgroup.cpu',
        type: 'cumulative',
        unit: 'ns',
        resource,
        metadata: { kind: ['pod', 'container'][i] },
      }),
    );
    const samples = groups.flatMap((one) => one.samples);
    const { lines } = foldUsage({ samples, cycles: groups[0]?.cycles ?? [] }, ask('cgroup_cpu_hours'));
    const shown = lines.map(({ group, quantity }) => [group, quantity]);
    t.strictSame(
      shown.sort((a, b) => compareText(JSON.stringify(a), JSON.stringify(b))),
      [
        [{ 'metadata.kind': 'container', resource_id: 'y' }, '3'],
        [{ 'metadata.kind': 'pod', resource_id: 'x' }, '3'],
      ],
      'a pod and its container are never one line',
    );
  },
);

void t.test('numbers that are missing in an epoch are batches that have not arrived', async (t) => {
  const batch = (seq: number, minute: number, epoch = '0123456789abcdef') => {
    const at = period.from + minute * MINUTE;
    const { report } = sketchCycle({ at });
    const place = { version: 1, agent_id: 'a', epoch, seq, created: at + 5, samples: 1, previous: null } as const;
    const runs = [{ source: 'all', slot: at, samples: 1 }];
    const header = { ...place, merkle_root: '0', runs, cycles: [report], key_id: 'k', hmac: '0' };
    return sealedBatch(header, at + 9);
  };
  const lost = missingBatches([batch(5, 4), batch(1, 0), batch(7, 9, 'fedcba9876543210'), batch(2, 1)]);
  t.match(lost, [
    { reason: 'not-yet-arrived', from: period.from + MINUTE, to: period.from + 4 * MINUTE, agentId: 'a' },
  ]);
  t.equal(lost.length, 1, 'what came before the first in sight is not known to be missing');
});

void t.test('an hour ahead of the question changes nothing', async (t) => {
  const every = { from: period.from - HOUR, to: period.to + HOUR, every: MINUTE };
  const facts = sketchSeries(every, () => '1');
  t.match(foldUsage(facts, usageQuery({ kind: 'duration', ...period })).lines, [{ quantity: '2' }]);
});
