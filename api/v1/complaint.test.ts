import t from 'tap';
import { sampleOf, startApi } from '../kit.test.fixture.ts';

const { get, send } = await startApi(t, {
  samples: [sampleOf({ meter: 'cpu_util', resource: 'vm-7', project: 'p1' })],
});

const detailOf = async (path: string): Promise<string> => {
  const { status, json } = await get(path);
  t.match(json, { status, code: 'MTR_BAD_REQUEST' });
  return (json as { detail: string }).detail;
};

/** What is asked wrongly, and the whole of what is said of it. */
const WRONG: readonly (readonly [asked: string, said: string | RegExp])[] = [
  [
    '/v1/usage?meter=cpu&kind=increase',
    'from: found nothing, and it has to be said. First instant, included: with a zone, or a local date or time in `tz`.',
  ],
  [
    '/v1/usage?meter=cpu&kind=increase&form=2026-03-01&from=2026-03-01',
    'form: is not known here; from would be right.',
  ],
  ['/v1/usage?meter=cpu&from=2026-03-01', /^kind: found nothing; what is asked of the meter/],
  [
    '/v1/usage?meter=cpu&kind=increase&from=2026-03-01&fortnight=1',
    /^fortnight: is not known here; known are meter, definition, .*metadata\.PATH, /,
  ],
  [
    '/v1/usage?meter=cpu&kind=rate&from=2026-03-01',
    /^kind: must be one of duration, integral, increase, .*; found "rate"\.$/,
  ],
  [
    '/v1/usage?meter=cpu&kind=increase&from=2026-03-01&window=billing-month&anchor=32',
    'anchor: Found the anchor "32"; a day from 1 to 31 with or without a time (31, 31T06:30), or the date of any start ' +
      '(2026-01-31), would be right.',
  ],
  [
    '/v1/usage?meter=cpu&kind=increase&from=2026-03-01T00:00:00+02:00',
    /^from: Found .*"2026-03-01T00:00:00 02:00".* In a URL a \+ means a blank: write 2026-03-01T00:00:00%2B02:00\.$/,
  ],
  ['/v1/usage?meter=cpu&kind=increase&from=2026-03-01T00:00+0200', /write 2026-03-01T00:00%2B0200\.$/],
  ['/v1/samples?from=2026-03-01T00:00:00+02:00', /^from: .* write 2026-03-01T00:00:00%2B02:00\.$/],
  ['/v1/usage?meter=cpu&kind=increase&from=2026-03-01&limit=0', 'limit: must be a positive whole number; found "0".'],
  ['/v1/usage?meter=cpu&kind=increase&from=2026-03-01&gaps=yes', 'gaps: must be true or false; found "yes".'],
  [
    '/v1/usage?meter=cpu&kind=increase&from=2026-03-01&group_by=flavor',
    /^group_by\[0\]: must be project_id, user_id, resource_id, source or metadata\.PATH; found "flavor"\.$/,
  ],
  ['/v1/samples?metre=cpu', 'metre: is not known here; meter would be right.'],
  ['/v1/samples?order=upwards', 'order: must be one of newest, oldest; found "upwards".'],
  ['/v1/whoami?x=1', 'x: is not known here, where nothing is asked for.'],
  [`/v1/samples?${'x'.repeat(5000)}=1`, /^x{60}: is not known here; known are meter, /],
];

for (const [asked, said] of WRONG) {
  t.test(`${asked.slice(0, 90)} says what would be right`, async (t) => {
    const detail = await detailOf(asked);
    if (typeof said === 'string') t.equal(detail, said);
    else t.match(detail, said);
    t.notMatch(detail, /Invalid input|expected string|undefined/, "no words of the validator's own");
  });
}

t.test('a body is told the same', async (t) => {
  const asked = async (body: unknown): Promise<string> =>
    ((await send('POST', '/v1/voids', body)).json as { detail: string }).detail;
  t.equal(
    await asked({ selector: { metre: 'cpu' }, reason: 'r' }),
    'selector.metre: is not known here; meter would be right.',
  );
  t.equal(
    await asked({ selector: { meter: 'cpu' } }),
    'reason: found nothing, and it has to be said. It must be a text.',
  );
  t.match(await asked({ selector: {}, reason: 'r' }), /^selector: names no sample; name at least one of message_id, /);
  const turned = { meter: 'cpu', from: '2026-03-02', to: '2026-03-01' };
  t.equal(await asked({ selector: turned, reason: 'r' }), 'selector: to: must come after from; found "2026-03-01".');
  t.match(await asked([1]), /^must be a mapping of keys to values; found \[1\]\.$/);
});

t.test('an empty answer says when nobody ever measured that, and what is near', async (t) => {
  const period = 'kind=count&from=2026-02-01&to=2026-03-02';
  const warnings = async (path: string, who: 'admin' | 'reader' = 'admin'): Promise<unknown> => {
    const { status, json, text } = await get(path, who);
    t.equal(status, 200, text);
    return (json as { warnings: unknown }).warnings;
  };
  t.same(await warnings(`/v1/usage?meter=cpu_utl&${period}`), [
    { warning: 'unknown-meter', meter: 'cpu_utl', near: ['cpu_util'] },
  ]);
  t.same(await warnings(`/v1/usage?meter=nosuch&${period}`), [{ warning: 'unknown-meter', meter: 'nosuch', near: [] }]);
  t.same(
    await warnings('/v1/usage?meter=cpu_util&kind=count&from=2025-01-01&to=2025-02-01'),
    [],
    'seen at other times',
  );
  t.same(await warnings(`/v1/usage?meter=cpu_util&${period}&project_id=p2`), [], 'seen of others');
  t.same(await warnings(`/v1/usage?meter=cpu_utl&${period}`, 'reader'), [
    { warning: 'unknown-meter', meter: 'cpu_utl', near: ['cpu_util'] },
  ]);
  const csv = await get(`/v1/usage?meter=nosuch&${period}`, 'admin', { accept: 'text/csv' });
  t.equal(csv.headers.get('nephometer-warnings'), 'unknown-meter');
});

t.test('a void says how many samples it takes out', async (t) => {
  const made = async (selector: Record<string, string>): Promise<unknown> =>
    (await send('POST', '/v1/voids', { selector, reason: 'r' })).json;
  t.match(await made({ resource_id: 'vm-8' }), { samples: 0, more: false });
  t.match(await made({ resource_id: 'vm-7', agent_id: 'node-1' }), { samples: 0, more: false }, 'of another agent');
  t.match(await made({ resource_id: 'vm-7' }), { samples: 1, more: false });
  t.match(await made({ resource_id: 'vm-7' }), { samples: 0, more: false }, 'it is taken out already');
});
