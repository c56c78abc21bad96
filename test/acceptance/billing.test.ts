import { readFile, writeFile } from 'node:fs/promises';
import { HOUR, ManualClock } from '@nephometer/core';
import t from 'tap';
import { startApi } from '../usage/api.ts';
import { saysTheSame, documentedRequests, Reader, withAnswers, wordsOf } from '../usage/billing-doc.ts';
import { recordArrivals } from '../usage/cloud.ts';
import { ARRIVALS, at } from '../usage/month.ts';
import { openDoor } from '../usage/refused.ts';
import { STORES } from '../usage/stores.ts';
import { runNephometer } from './exports.ts';

t.setTimeout(300_000);
const page = new URL('../../../docs/billing.md', import.meta.url);

/** With this set the page gets the answers as they are, instead of being compared with them. */
const WRITE = process.env['WRITE_BILLING_PAGE'] === '1';

const text = await readFile(page, 'utf8');
const whole = new Map<string, string>();

for (const [name, prepare] of Object.entries(STORES)) {
  if (WRITE && name !== 'memory') continue;
  t.test(`${name}: every request of docs/billing.md is answered as it says`, async (t) => {
    const clock = new ManualClock(at('2026-02-27'));
    const store = await (await prepare()).open(clock);
    t.teardown(() => store.close());
    // One batch is refused for its signature.
    const refused = ARRIVALS.findIndex(({ at: arrived }) => arrived > at('2026-03-22T08:00:00'));
    // One batch comes late, on 3 April, and a void after it.
    const late = ARRIVALS.findIndex(({ at: arrived }) => arrived > at('2026-03-10'));
    await recordArrivals(
      store,
      clock,
      ARRIVALS.filter((_, i) => i !== late && i !== refused),
    );
    clock.jump(at('2026-04-02T06:00:00') - clock.now());
    for (const { batch } of ARRIVALS.slice(refused, refused + 1)) await openDoor(store, clock).post(batch);
    const api = await startApi(store, clock, { expected_agents: ['node-1', 'node-9'] });
    t.teardown(() => api.stop());
    const definitions = ['instance_hours', 'volume_gib_hours'];
    const month = { period: '2026-03', tz: 'Europe/Berlin', definitions, min_coverage: '0.95', below: 'flag' };
    t.equal((await api.post('/v1/statements', month)).status, 201);
    clock.jump(at('2026-04-03T01:00:00') - clock.now());
    await recordArrivals(store, clock, ARRIVALS.slice(late, late + 1));
    clock.jump(at('2026-04-03T02:00:00') - clock.now());
    const selector = { meter: 'vcpus', resource_id: 'i1', from: '2026-03-25T06:00:00Z', to: '2026-03-25T09:00:00Z' };
    t.equal((await api.post('/v1/voids', { selector, reason: 'counted the wrong host' })).status, 201);
    const resources = ['i1', 'i3'].map((resource_id) => ({ resource_id, project_id: 'p1' }));
    const list = { name: 'instances', at: '2026-03-10T00:00:00Z', meters: ['vcpus'], resources };
    t.equal((await api.post('/v1/inventory', list)).status, 201);
    clock.jump(HOUR);
    if (WRITE) return writeFile(page, await withAnswers(text, api));
    const requests = documentedRequests(text);
    t.ok(requests.length >= 38 && requests.filter(({ command }) => command !== null).length >= 30);
    const reader = new Reader(api);
    for (const documented of requests) {
      const { request, answer } = documented;
      const found = await reader.ask(documented);
      t.equal(found.shown, answer, request);
      // Of what stores there are the command knows nothing: one is enough.
      if (name === 'memory' && documented.command !== null) {
        const { code, stdout, stderr } = await runNephometer(api.url, [
          ...wordsOf(documented.command),
          '--format',
          'json',
        ]);
        t.equal(code, 0, `${documented.command}: ${stderr}`);
        t.ok(code === 0 && saysTheSame(found.text, stdout), `${documented.command} answers the same`);
      }
      const known = whole.get(request);
      if (known === undefined) whole.set(request, found.text);
      else t.equal(found.text, known, 'the same bytes as of the other stores');
    }
  });
}
