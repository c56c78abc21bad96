import {
  add,
  compare,
  formatInstant,
  HOUR,
  ManualClock,
  MINUTE,
  parseDecimal,
  subtract,
  sum,
  toText,
} from '@nephometer/core';
import type { Micros, Store } from '@nephometer/core';
import { usageSchemas } from '@nephometer/api';
import t from 'tap';
import type { Test } from 'tap';
import { read, startApi } from '../usage/api.ts';
import type { Asking } from '../usage/api.ts';
import { arrivalsOf, recordArrivals } from '../usage/cloud.ts';
import type { Arrival } from '../usage/cloud.ts';
import { ARRIVALS, at, METERS, readingsAt } from '../usage/month.ts';
import { STORES } from '../usage/stores.ts';
import type { Data } from '../usage/stores.ts';

t.setTimeout(600_000);
const { ChangesAnswer, CoverageAnswer, DefinitionsAnswer, DiffAnswer, UsageAnswer, VoidsAnswer } = usageSchemas;

const MARCH = 'from=2026-03-01&to=2026-04-01&tz=Europe/Berlin';

interface Line {
  readonly quantity: string | null;
  readonly lower: string | null;
  readonly upper: string | null;
  readonly group: Record<string, string | null>;
  readonly coverage: string | null;
  readonly resets: number;
  readonly gaps?: readonly { from: string; to: string; reason: string; resource_id?: string }[];
  readonly evidence?: string;
}

interface Usage {
  readonly lines: readonly Line[];
  readonly next: string | null;
  readonly as_of: string;
  readonly settled: boolean;
}

async function usage(api: Asking, query: string): Promise<Usage> {
  const answer = await api.get(`/v1/usage?${query}`);
  if (answer.status !== 200) throw new Error(`${query}: ${answer.status} ${answer.text}`);
  return answer.json as Usage;
}

/** The cursor of a question's first page. */
const placeOf = (question: string): string =>
  Buffer.from(JSON.stringify([at('2026-04-01'), 1, question])).toString('base64url');

interface Cloud {
  readonly api: Asking;
  readonly clock: ManualClock;
  readonly store: Store;
  /** A new store over the same data, and a new API. */
  readonly restart: () => Promise<Cloud>;
}

async function startCloud(
  t: Test,
  data: Data,
  arrivals: readonly Arrival[],
  clock = new ManualClock(at('2026-02-27')),
): Promise<Cloud> {
  const store = await data.open(clock);
  await recordArrivals(store, clock, arrivals);
  const api = await startApi(store, clock, { expected_agents: ['node-1', 'node-9'] });
  let isOpen = true;
  const stop = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await api.stop();
    if (data.persists) await store.close();
  };
  t.teardown(stop);
  const restart = async (): Promise<Cloud> => {
    await stop();
    return startCloud(t, data, [], clock);
  };
  return { api, clock, store, restart };
}

/** What the first store answered: the others must answer the same bytes. */
const bytes = new Map<string, string>();

function sameBytes(t: Test, question: string, text: string): void {
  const known = bytes.get(question);
  if (known === undefined) bytes.set(question, text);
  else t.equal(text, known, `the same bytes: ${question}`);
}

const AS_OF = 'as_of=2026-04-01T23:50:00Z';
const QUESTIONS = [
  ...['duration', 'max', 'min', 'avg', 'p95', 'count', 'last', 'peak', 'distinct', 'integral'].map(
    (kind) => `meter=vcpus&kind=${kind}&${MARCH}&window=week&group_by=project_id,metadata.flavor_name&gaps=true`,
  ),
  `meter=network.outgoing.bytes&kind=increase&${MARCH}&window=day`,
  `meter=network.outgoing.bytes&kind=increase&${MARCH}&window=day&edge=end&gaps=true`,
  `definition=volume_gib_hours&${MARCH}&window=day&group_by=resource_id&evidence=true`,
  `definition=instance_hours&${MARCH}&rounding=resource,ceil,1/60,0.5&estimate=previous`,
  `meter=vcpus&kind=integral&${MARCH}&window=billing-month&anchor=31T06:30&group_by=resource_id&group_by=project_id`,
  `meter=vcpus&kind=duration&${MARCH}&project_id=p2&max_hold=PT30M`,
  `meter=vcpus&kind=sum&${MARCH}`,
];

function total(lines: readonly Line[], of: (line: Line) => string | null = ({ quantity }) => quantity): string {
  return toText(sum(lines.map((line) => parseDecimal(of(line) ?? '0'))));
}

for (const [name, prepare] of Object.entries(STORES)) {
  t.test(`${name}: a month of a cloud`, async (t) => {
    const cloud = await startCloud(t, await prepare(), ARRIVALS);
    const { api } = cloud;

    t.test('every store answers the same bytes, in every format', async (t) => {
      for (const question of QUESTIONS) {
        for (const accept of ['application/json', 'text/csv', 'application/x-ndjson']) {
          const answer = await api.get(`/v1/usage?${question}&${AS_OF}`, { accept });
          t.equal(answer.status, 200, answer.status === 200 ? question : answer.text);
          t.equal(answer.headers.get('content-type'), `${accept}; charset=utf-8`);
          sameBytes(t, `${accept} ${question}`, answer.text);
          if (accept === 'application/json') read(answer, UsageAnswer);
        }
      }
      for (const by of ['agent', 'source', 'meter', 'resource']) {
        const answer = await api.get(`/v1/coverage?by=${by}&${MARCH}&${AS_OF}`);
        t.equal(answer.status, 200, answer.text.slice(0, 200));
        read(answer, CoverageAnswer);
        sameBytes(t, `coverage by ${by}`, answer.text);
      }
    });

    t.test('days sum to the month, and groups to the total, to the last digit', async (t) => {
      for (const question of [
        'meter=vcpus&kind=integral',
        'meter=vcpus&kind=duration',
        'meter=network.outgoing.bytes&kind=increase',
      ]) {
        const whole = await usage(api, `${question}&${MARCH}&${AS_OF}`);
        const days = await usage(api, `${question}&${MARCH}&${AS_OF}&window=day`);
        t.equal(days.lines.length, 31);
        t.equal(total(days.lines), whole.lines[0]?.quantity);
        const groups = await usage(
          api,
          `${question}&${MARCH}&${AS_OF}&window=hour&limit=10000&group_by=project_id,metadata.flavor_name,resource_id`,
        );
        t.equal(total(groups.lines), whole.lines[0]?.quantity);
      }
    });

    t.test('attributes are those in force at each instant', async (t) => {
      const { lines } = await usage(
        api,
        `meter=vcpus&kind=duration&${MARCH}&${AS_OF}&resource_id=i2&group_by=project_id,metadata.flavor_name`,
      );
      t.strictSame(
        lines.map(({ group }) => [group['project_id'], group['metadata.flavor_name']]),
        [
          ['p1', 'm1.tiny'],
          ['p2', 'm1.large'],
          ['p2', 'm1.tiny'],
        ],
      );
      // From midnight in Berlin to the first reading of the new owner, at 10:30 UTC.
      t.equal(lines[0]?.quantity, '275.5');
    });

    t.test('a counter that starts again is counted on, and told', async (t) => {
      const { lines } = await usage(api, `meter=network.outgoing.bytes&kind=increase&${MARCH}&${AS_OF}`);
      t.match(lines, [{ resets: 1, unit: 'B' }]);
    });

    t.test('what was not measured is a gap with its reason, apart from what was not there', async (t) => {
      const { lines } = await usage(
        api,
        `meter=vcpus&kind=duration&${MARCH}&${AS_OF}&resource_id=i1&gaps=true&estimate=previous`,
      );
      t.strictSame(
        lines[0]?.gaps?.map(({ from, to, reason }) => [from, to, reason]),
        [
          ['2026-03-15T08:15:00Z', '2026-03-15T14:00:00Z', 'agent-silent'],
          ['2026-03-17T00:15:00Z', '2026-03-17T03:00:00Z', 'pollster-failed'],
        ],
      );
      t.match(lines[0], { lower: lines[0]?.quantity, upper: '743', estimated: '743' });
    });

    t.test('coverage of agents: silence, failure, and one that was expected and never seen', async (t) => {
      const { coverage } = read(await api.get(`/v1/coverage?${MARCH}&${AS_OF}`), CoverageAnswer);
      t.match(coverage, [
        {
          agent_id: 'node-1',
          expected: true,
          state: 'measured',
          gaps: [
            { from: '2026-03-15T08:00:00Z', to: '2026-03-15T14:00:00Z', reason: 'agent-silent' },
            { from: '2026-03-17T00:00:00Z', to: '2026-03-17T03:00:00Z', reason: 'pollster-failed' },
          ],
        },
        {
          agent_id: 'node-9',
          state: 'never-seen',
          coverage: '0',
          gaps: [{ from: '2026-02-28T23:00:00Z', to: '2026-03-31T22:00:00Z', reason: 'agent-silent' }],
        },
      ]);
    });

    t.test('pages hold every line once, as of one moment', async (t) => {
      const question = `meter=vcpus&kind=duration&${MARCH}&window=day&group_by=resource_id`;
      const all = await usage(api, `${question}&limit=1000&${AS_OF}`);
      const paged: Line[] = [];
      let cursor = '';
      do {
        const page = await usage(api, `${question}&limit=17&${AS_OF}${cursor}`);
        paged.push(...page.lines);
        cursor = page.next === null ? '' : `&cursor=${page.next}`;
      } while (cursor !== '');
      t.strictSame(paged, all.lines);
      t.match(await api.get(`/v1/usage?meter=cpu&kind=duration&${MARCH}&cursor=${placeOf(question)}`), { status: 400 });
    });

    t.test('a body asks as a URL does', async (t) => {
      const body = {
        meter: 'vcpus',
        kind: 'duration',
        from: '2026-03-01',
        to: '2026-04-01',
        tz: 'Europe/Berlin',
        group_by: ['project_id'],
        'metadata.flavor_name': ['m1.tiny', 'm1.large'],
        as_of: '2026-04-01T23:50:00Z',
      };
      const url = `meter=vcpus&kind=duration&${MARCH}&${AS_OF}&group_by=project_id&metadata.flavor_name=m1.tiny&metadata.flavor_name=m1.large`;
      t.equal((await api.post('/v1/usage', body)).text, (await api.get(`/v1/usage?${url}`)).text);
    });

    t.test('a reader sees the time in which a resource was of its projects', async (t) => {
      const question = `meter=vcpus&kind=duration&${MARCH}&${AS_OF}&group_by=project_id,resource_id`;
      const own = read(await api.get(`/v1/usage?${question}`, { who: 'reader' }), UsageAnswer);
      const all = await usage(api, `${question}&project_id=p1`);
      t.strictSame(own.lines, all.lines);
      t.ok(own.lines.length === 2 && own.lines.every(({ group }) => group['project_id'] === 'p1'));
      t.equal((await api.get(`/v1/usage?${question}&project_id=p2`, { who: 'reader' })).status, 403);
      t.equal((await api.get(`/v1/coverage?${MARCH}`, { who: 'reader' })).status, 403);
    });

    t.test('the evidence of a line is the list of its samples', async (t) => {
      const { lines } = await usage(
        api,
        `meter=vcpus&kind=count&${MARCH}&${AS_OF}&window=day&resource_id=i1&group_by=resource_id&evidence=true&max_hold=1us`,
      );
      const listed = await api.get(`${lines[3]?.evidence}&limit=1000`);
      t.equal((listed.json as { samples: unknown[] }).samples.length, Number(lines[3]?.quantity));
    });

    t.test('what a question says wrongly is named', async (t) => {
      const wrong: [string, RegExp][] = [
        ['kind=duration&from=2026-03-01', /meter: found nothing/],
        ['meter=cpu&from=2026-03-01', /kind: found nothing/],
        ['meter=cpu&kind=rate&from=2026-03-01', /kind/],
        ['meter=cpu&kind=duration', /from/],
        ['meter=cpu&kind=duration&from=2026-03-01&to=2026-02-01', /end after its start would be right/],
        ['meter=cpu&kind=duration&from=2026-02-30', /from: Found the date "2026-02-30"/],
        ['meter=cpu&kind=duration&from=2026-03-01&tz=Mars/Olympus', /Europe\/Berlin or UTC would be right/],
        ['meter=cpu&kind=duration&from=2026-03-01&group_by=colour', /must be project_id, user_id/],
        ['meter=cpu&kind=duration&from=2026-03-01&max_hold=20', /20s or 20m/],
        ['meter=cpu&kind=duration&from=2026-03-01&anchor=31', /window=billing-month/],
        ['meter=cpu&kind=duration&from=2026-03-01&rounding=resource,up,1', /WHERE,HOW,TO/],
        ['meter=cpu&kind=duration&from=2020-01-01&window=minute', /windows; ask for larger ones/],
        [
          'definition=instance_days&from=2026-03-01',
          /definition: found "instance_days"; one of these .*instance_hours/,
        ],
        ['definition=instance_hours&kind=duration&from=2026-03-01', /kind: found beside definition/],
        ['meter=cpu&kind=duration&from=2026-03-01&colour=blue', /colour/],
        ['meter=cpu&meter=b&kind=duration&from=2026-03-01', /meter: given twice/],
        ['meter=cpu&kind=duration&from=2026-03-01&cursor=x', /cursor: found "x"/],
        ['meter=cpu&kind=p95&from=2026-03-01&step=0s', /step of no length/],
        ['meter=cpu&kind=p95&from=2026-03-01&step=1us', /steps; ask for larger ones/],
        ['meter=cpu&kind=duration&from=0050-01-01', /from: found "0050-01-01"; an instant from 1970/],
        ['meter=cpu&kind=duration&from=2026-03-01&to=2200-01-01', /to: found "2200-01-01"/],
        ['meter=cpu&kind=duration&from=1970-01-01&to=2099-01-01&window=hour&tz=Europe/Berlin', /windows; ask for/],
        ['meter=cpu&kind=duration&from=2026-03-01&metadata.__proto__=x', /metadata.__proto__: cannot be asked for/],
      ];
      for (const [query, detail] of wrong) {
        const answer = await api.get(`/v1/usage?${query}`);
        t.match(answer, { status: 400, json: { code: 'MTR_BAD_REQUEST', detail } }, query);
      }
      const unacceptable = await api.get(`/v1/usage?meter=cpu&kind=duration&from=2026-03-01`, { accept: 'image/png' });
      t.equal(unacceptable.status, 406);
    });

    t.test('names that objects have by nature are names like others, and old dates are without usage', async (t) => {
      for (const field of ['constructor', 'toString', 'hasOwnProperty']) {
        const { lines } = await usage(api, `meter=vcpus&kind=duration&${MARCH}&metadata.${field}=x&${AS_OF}`);
        t.strictSame(lines, [], field);
      }
      t.strictSame((await usage(api, 'meter=vcpus&kind=duration&from=1970-01-01&to=1971-01-01')).lines, []);
    });

    t.test('a cursor belongs to its question; one without an end goes on as time does', async (t) => {
      const open = 'meter=vcpus&kind=duration&from=2026-03-30&group_by=resource_id';
      const begun = read(await api.get(`/v1/changes?${open}`), ChangesAnswer);
      t.equal((await api.get(`/v1/changes?${open}&cursor=${begun.cursor}`)).status, 200);
      t.match(await api.get(`/v1/changes?${open}&window=day&cursor=${begun.cursor}`), { status: 400 });
      const diff = `from_as_of=2026-03-10T00:00:00Z&to_as_of=2026-04-01T00:00:00Z&limit=2`;
      const days = `meter=vcpus&kind=duration&${MARCH}&window=day`;
      const { next } = read(await api.get(`/v1/usage/diff?${days}&${diff}`), DiffAnswer);
      t.ok(next);
      t.equal((await api.get(`/v1/usage/diff?${days}&${diff}&cursor=${next}`)).status, 200);
      const hours = `meter=vcpus&kind=duration&${MARCH}&window=hour`;
      t.match(await api.get(`/v1/usage/diff?${hours}&${diff}&cursor=${next}`), {
        status: 400,
        json: { detail: /cursor: comes from another question/ },
      });
    });

    t.test('definitions are listed with their hashes, which answers name', async (t) => {
      const { definitions } = read(await api.get('/v1/definitions'), DefinitionsAnswer);
      const hours = definitions.find((one) => one.name === 'instance_hours');
      const answer = read(await api.get(`/v1/usage?definition=instance_hours&${MARCH}&${AS_OF}`), UsageAnswer);
      t.strictSame(answer.definition, { name: 'instance_hours', hash: hours?.hash });
      t.equal(answer.tz, 'Europe/Berlin');
    });
  });

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
