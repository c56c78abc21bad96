import { usageSchemas } from '@nephometer/api';
import t from 'tap';
import { read } from '../usage/api.ts';
import { sameBytes, startCloud, total, usage } from '../usage/asked.ts';
import type { Line } from '../usage/asked.ts';
import { ARRIVALS, at } from '../usage/month.ts';
import { STORES } from '../usage/stores.ts';

t.setTimeout(600_000);
const { ChangesAnswer, CoverageAnswer, DefinitionsAnswer, DiffAnswer, UsageAnswer } = usageSchemas;

const MARCH = 'from=2026-03-01&to=2026-04-01&tz=Europe/Berlin';

/** The cursor of a question's first page. */
const placeOf = (question: string): string =>
  Buffer.from(JSON.stringify([at('2026-04-01'), 1, question])).toString('base64url');

/** CSV and NDJSON are made of the lines that JSON has, whatever store they are from. */
const FORMATS = ['application/json', 'text/csv', 'application/x-ndjson'];

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

for (const [name, prepare] of Object.entries(STORES)) {
  t.test(`${name}: a month of a cloud`, async (t) => {
    const cloud = await startCloud(t, await prepare(), ARRIVALS);
    const { api } = cloud;

    t.test('every store answers the same bytes, and one in every format', async (t) => {
      for (const question of QUESTIONS) {
        for (const accept of name === 'memory' ? FORMATS : FORMATS.slice(0, 1)) {
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
}
