import {
  add,
  compare,
  formatInstant,
  HOUR,
  ManualClock,
  MINUTE,
  parseDecimal,
  subtract,
  toText,
} from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import { usageSchemas } from '@nephometer/api';
import t from 'tap';
import { read, startApi } from '../usage/api.ts';
import type { Asking } from '../usage/api.ts';
import { sameBytes, startCloud, usage } from '../usage/asked.ts';
import type { Usage } from '../usage/asked.ts';
import { arrivalsOf, recordArrivals } from '../usage/cloud.ts';
import { ARRIVALS, at, METERS, readingsAt } from '../usage/month.ts';
import { STORES } from '../usage/stores.ts';

t.setTimeout(600_000);
const { ChangesAnswer, CoverageAnswer, DiffAnswer, VoidsAnswer } = usageSchemas;

const MARCH = 'from=2026-03-01&to=2026-04-01&tz=Europe/Berlin';

for (const [name, prepare] of Object.entries(STORES)) {
  t.test(`${name}: what was answered on the 3rd stays so, after late data, voids and a restart`, async (t) => {
    // One batch comes late: it is what the agent sends last.
    const late = ARRIVALS.findIndex(({ at: arrived }) => arrived > at('2026-03-10'));
    const inTime = ARRIVALS.filter((_, i) => i !== late);
    let cloud = await startCloud(t, await prepare(), inTime);
    cloud.clock.jump(at('2026-04-03') - cloud.clock.now());
    const question = `meter=vcpus&kind=integral&${MARCH}&window=day&group_by=resource_id,project_id&gaps=true&limit=1000`;
    const asOf = '2026-04-03T00:00:00Z';
    const third = await cloud.api.get(`/v1/usage?${question}&as_of=${asOf}`);
    t.match(third.json, { as_of: asOf });
    const gapped = (third.json as Usage).lines.find(({ gaps }) =>
      gaps?.some(({ reason }) => reason === 'not-yet-arrived'),
    );
    t.ok(gapped, 'a batch that is missing is a gap with that reason');
    const begun = read(await cloud.api.get(`/v1/changes?${question}`), ChangesAnswer);
    t.ok(begun.changes.length > 60 && begun.changes.every(({ change }) => change === 'added'));

    cloud.clock.jump(HOUR);
    const missing = ARRIVALS[late];
    if (missing === undefined) throw new Error('No batch is late.');
    await cloud.store.record([missing.batch]);
    cloud.clock.jump(MINUTE);
    const selector = { meter: 'vcpus', resource_id: 'i1', from: '2026-03-25T06:00:00Z', to: '2026-03-25T09:00:00Z' };
    const made = await cloud.api.post('/v1/voids', { selector, reason: 'counted the wrong host', who: 'M. Operator' });
    t.match(made, { status: 201, json: { who: 'M. Operator', by: 'admin', selector } });
    t.match(await cloud.api.post('/v1/voids', { selector: {}, reason: 'x' }), {
      status: 400,
      json: { detail: /at least one/ },
    });
    cloud.clock.jump(MINUTE);
    const later = formatInstant(cloud.clock.now());

    const stays = async (): Promise<void> => {
      t.equal(
        (await cloud.api.get(`/v1/usage?${question}&as_of=${asOf}`)).text.replace(/"settled":\w+/, ''),
        third.text.replace(/"settled":\w+/, ''),
      );
    };
    await stays();
    const diff = read(
      await cloud.api.get(`/v1/usage/diff?${question}&from_as_of=${asOf}&to_as_of=${later}`),
      DiffAnswer,
    );
    t.strictSame(
      diff.changes.map(({ change, causes, after }) => [
        after?.from.slice(0, 10),
        after?.group['resource_id'],
        change,
        ...causes,
      ]),
      [
        ['2026-03-09', 'i1', 'changed', 'late'],
        ['2026-03-09', 'i2', 'changed', 'late'],
        ['2026-03-24', 'i1', 'changed', 'void'],
      ],
    );
    const voided = diff.changes.at(-1)?.after;
    t.match(voided?.gaps, [{ reason: 'voided' }]);
    const second = read(await cloud.api.get(`/v1/changes?${question}&cursor=${begun.cursor}`), ChangesAnswer);
    if (name !== 'influxdb') t.strictSame(second.changes, diff.changes);
    t.match(read(await cloud.api.get('/v1/voids'), VoidsAnswer).voids, [{ reason: 'counted the wrong host' }]);
    const asked = await cloud.api.get(
      `/v2/meters/vcpus?q.field=resource_id&q.op=eq&q.value=i1&q.field=timestamp&q.op=ge&q.value=2026-03-25T06:00:00&q.field=timestamp&q.op=lt&q.value=2026-03-25T09:00:00`,
    );
    t.strictSame(asked.json, [], '/v2 keeps to voids, too');
    cloud = await cloud.restart();
    await stays();
    sameBytes(t, 'the diff', JSON.stringify(diff));
    sameBytes(t, 'the third', third.text.replace(/"settled":\w+/, ''));
  });

  t.test(`${name}: March in Berlin has 743 hours, and October 745`, async (t) => {
    const months = [
      [at('2026-02-27'), at('2026-04-02')],
      [at('2026-09-29'), at('2026-11-03')],
    ] as const;
    const agent = { id: 'node-1', meters: ['vcpus'], readings: (slot: Micros) => readingsAt(slot).slice(0, 1) };
    const arrivals = months.flatMap(([from, to]) =>
      arrivalsOf({ from, to, interval: HOUR, batchEvery: 24 * HOUR, agents: [agent] }),
    );
    const { api } = await startCloud(t, await prepare(), arrivals);
    for (const [month, next, hours] of [
      ['2026-03-01', '2026-04-01', '743'],
      ['2026-10-01', '2026-11-01', '745'],
    ]) {
      const period = `from=${month}&to=${next}&tz=Europe/Berlin`;
      const { lines } = await usage(api, `definition=instance_hours&${period}`);
      t.match(lines, [
        { quantity: hours, lower: hours, upper: hours, coverage: '1', group: { 'metadata.flavor_name': 'm1.small' } },
      ]);
      const days = await usage(api, `definition=instance_hours&${period}&window=day`);
      t.ok(days.lines.some(({ quantity }) => quantity === (hours === '743' ? '23' : '25')));
    }
  });

  t.test(`${name}: an agent killed for 20 minutes shows exactly that gap`, async (t) => {
    const agent = {
      id: 'node-1',
      meters: METERS,
      readings: readingsAt,
      down: [[at('2026-03-02T10:00:00'), at('2026-03-02T10:20:00')]] as const,
    };
    const day = { from: at('2026-03-01T22:00:00'), to: at('2026-03-03T01:00:00'), interval: MINUTE };
    const { api } = await startCloud(t, await prepare(), arrivalsOf({ ...day, agents: [agent] }));
    const period = 'from=2026-03-02&to=2026-03-03';
    const { coverage } = read(await api.get(`/v1/coverage?agent_id=node-1&${period}`), CoverageAnswer);
    t.strictSame(coverage[0]?.gaps, [
      { from: '2026-03-02T10:00:00Z', to: '2026-03-02T10:20:00Z', reason: 'agent-silent' },
    ]);
    const { lines } = await usage(api, `meter=vcpus&kind=integral&${period}&resource_id=i1&gaps=true`);
    const [line] = lines;
    // The reading before holds for two intervals.
    t.match(line?.gaps, [{ from: '2026-03-02T10:01:00Z', to: '2026-03-02T10:20:00Z', reason: 'agent-silent' }]);
    const counted = (await usage(api, `meter=network.outgoing.bytes&kind=increase&${period}`)).lines[0];
    const truth = readingsAt(at('2026-03-03')).at(-1)?.volume ?? '';
    const before = readingsAt(at('2026-03-02')).at(-1)?.volume ?? '';
    const bytesSent = subtract(parseDecimal(truth), parseDecimal(before));
    t.ok(
      compare(parseDecimal(counted?.lower ?? ''), bytesSent) <= 0,
      `${counted?.lower} is at most ${toText(bytesSent)}`,
    );
    t.ok(counted?.upper === null || compare(parseDecimal(counted?.upper ?? ''), bytesSent) >= 0);
    t.equal(counted?.quantity, toText(bytesSent), 'a counter that goes on after the silence tells what was sent in it');
  });
}

t.test('where several processes write, an answer is settled when the commit horizon has passed', async (t) => {
  const data = await STORES['memory']?.();
  if (data === undefined) throw new Error('There is no memory store.');
  const clock = new ManualClock(at('2026-04-02'));
  const store = await data.open(clock);
  const api = await startApi(store, clock, { store: { url: 'influxdb://host:8086/nephometer' } });
  t.teardown(() => api.stop());
  const question = `meter=vcpus&kind=duration&${MARCH}`;
  t.match(await usage(api, question), { settled: false, as_of: '2026-04-02T00:00:00Z' });
  t.match(await usage(api, `${question}&as_of=2026-04-01T23:59:31Z`), { settled: false });
  t.match(await usage(api, `${question}&as_of=2026-04-01T23:59:30Z`), { settled: true });
  const ahead = await usage(api, `${question}&as_of=2027-01-01`);
  t.match(ahead, { settled: false, as_of: '2026-04-02T00:00:00Z' }, 'nothing is said of a moment to come');
});

t.test('a question behind retention is refused, not answered with a gap', async (t) => {
  const data = await STORES['memory']?.();
  if (data === undefined) throw new Error('There is no memory store.');
  const { api, store } = await startCloud(t, data, ARRIVALS.slice(0, 60));
  await store.retain([{ meters: ['vcpus'], keepFrom: at('2026-03-03') }]);
  const asked = (from: string) => api.get(`/v1/usage?meter=vcpus&kind=duration&from=${from}&to=2026-03-05`);
  t.match(await asked('2026-03-02'), { status: 410, json: { code: 'MTR_BEHIND_RETENTION' } });
  t.match((await asked('2026-03-03')).json, { lines: [{ quantity: '96', coverage: '1' }] });
});

t.test('a definition that changes answers as it stood', async (t) => {
  const data = await STORES['memory']?.();
  if (data === undefined) throw new Error('There is no memory store.');
  const clock = new ManualClock(at('2026-02-27'));
  const store = await data.open(clock);
  await recordArrivals(store, clock, ARRIVALS);
  const define = async (conversion: string): Promise<Asking> => {
    clock.jump(HOUR);
    const definitions = [{ name: 'units', meter: 'vcpus', kind: 'integral' as const, conversion, unit: 'unit' }];
    const api = await startApi(store, clock, { usage: { definitions, default_definitions: false } });
    t.teardown(() => api.stop());
    await api.get('/v1/definitions');
    return api;
  };
  const question = `definition=units&${MARCH}&resource_id=i1`;
  const first = await usage(await define('1'), question);
  const api = await define('1/2');
  const second = await usage(api, question);
  const of = ({ lines }: Usage): string => lines[0]?.quantity ?? '';
  t.equal(toText(add(parseDecimal(of(second)), parseDecimal(of(second)))), of(first));
  t.strictSame((await usage(api, `${question}&as_of=${first.as_of}`)).lines, first.lines);
  const diff = read(
    await api.get(`/v1/usage/diff?${question}&from_as_of=${first.as_of}&to_as_of=${second.as_of}`),
    DiffAnswer,
  );
  t.strictSame(
    diff.changes.map(({ causes }) => causes),
    [['definition']],
  );
  t.not(diff.definition.before.hash, diff.definition.after.hash);
});
