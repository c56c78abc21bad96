import { HOUR, formatInstant } from '@nephometer/core';
import t from 'tap';
import { runNephometer } from '../acceptance/exports.ts';
import { READER } from '../usage/api.ts';
import { closePeriod } from './closed.ts';

t.setTimeout(300_000);

interface Line {
  readonly definition: string;
  readonly from: string;
  readonly quantity: string;
}

const { api, clock, id } = await closePeriod('p1');
t.teardown(() => api.stop());

const adjustments = (...args: string[]) => runNephometer(api.url, ['statement', 'adjustments', id, ...args]);

await t.test('nothing changed, and that is said', async (t) => {
  const { code, stdout, stderr } = await adjustments();
  t.match({ code, stderr }, { code: 0, stderr: '' });
  t.match(stdout, /^Project p1: closed as of \S+, compared with what is known as of \S+\.\n/);
  t.match(stdout, /\n\(none\)\n/);
});

await t.test('a void shows as a difference to the frozen line, with its cause', async (t) => {
  const before = formatInstant(clock.now());
  clock.jump(HOUR);
  const selector = { meter: 'vcpus', resource_id: 'i1', from: '2026-03-01T06:00:00Z', to: '2026-03-01T09:00:00Z' };
  t.equal((await api.post('/v1/voids', { selector, reason: 'counted the wrong host' })).status, 201);
  clock.jump(HOUR);

  const frozen = await runNephometer(api.url, ['statement', 'show', id, '--format', 'json']);
  const closed = JSON.parse(frozen.stdout) as Line[];
  const was = closed.find((line) => line.definition === 'instance_hours' && line.from.startsWith('2026-03-01'));
  const question = 'definition=instance_hours&from=2026-03-01&to=2026-03-02&project_id=p1';
  const now = (await api.get(`/v1/usage?${question}`)).json as { lines: Line[] };
  const quantity = now.lines[0]?.quantity;
  const difference = String(Number(quantity) - Number(was?.quantity));
  t.ok(Number(difference) < 0, 'less than was closed');

  const json = await adjustments('--format', 'json');
  const rows = JSON.parse(json.stdout) as { definition: string }[];
  t.match(
    rows.filter(({ definition }) => definition === 'instance_hours'),
    [{ before: { quantity: was?.quantity }, after: { quantity }, difference, causes: ['void'], change: 'changed' }],
  );

  const { code, stdout } = await adjustments();
  t.equal(code, 0);
  const words = stdout.split('\n').find((row) => row.startsWith('instance_hours')) ?? '';
  const shown = words.split(/ {2,}/);
  t.same(shown.slice(0, 3), ['instance_hours', '2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z']);
  t.ok(
    [was?.quantity, quantity, difference, 'void'].every((one) => shown.includes(one ?? '')),
    words,
  );
  t.match(stdout, new RegExp(`\nin all +lines +difference +unit\n(.*\n)*instance_hours +1 +${difference} `));

  const csv = (await adjustments('--format', 'csv')).stdout.trimEnd().split('\n');
  t.equal(csv[0], 'quantity of,from,to,group,frozen,now,difference,unit,coverage,change,cause');
  t.equal(csv.length, rows.length + 1);

  t.match((await adjustments('--as-of', before)).stdout, /\n\(none\)\n/, 'as it was known before the void');
});

await t.test('a reader sees its own; what is not there is said in one line', async (t) => {
  const own = await runNephometer(api.url, ['statement', 'adjustments', id], READER);
  t.match(own, { code: 0, stdout: /void/ });
  const other = await runNephometer(api.url, ['statement', 'adjustments', 'nothing']);
  t.match(other, { code: 65, stdout: '', stderr: /404 .*no statement nothing/ });
});
