import { createLogger, HOUR, ManualClock, MINUTE, parseConfig } from '@nephometer/core';
import type { Micros, Store } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import { StatementSchedules } from 'nephometer';
import t from 'tap';
import { until } from '../servers/index.ts';
import { apiOptions, serveApi } from '../usage/api.ts';
import type { Asking } from '../usage/api.ts';
import { recordArrivals } from '../usage/cloud.ts';
import { ARRIVALS, at } from '../usage/month.ts';

t.setTimeout(300_000);

interface Head {
  readonly project_id: string;
  readonly from: string;
  readonly to: string;
  readonly as_of: string;
  readonly flagged: number;
  readonly warnings: number;
  readonly by: string;
}

/** The third of April at 6 in Berlin. */
const DUE = at('2026-04-03T04:00:00');

const schedule = (more: string): string =>
  `statements: { schedules: [{ name: monthly, cron: "0 6 3 * *", tz: Europe/Berlin, definitions: [instance_hours]${more} }] }`;

interface Server {
  readonly api: Asking;
  readonly schedules: StatementSchedules;
  readonly log: readonly string[];
}

async function startServer(store: Store, clock: ManualClock, config: string, expected: string[] = []): Promise<Server> {
  const loaded = parseConfig(config, 'test.yaml');
  const schedules = new StatementSchedules(loaded, clock);
  const log: string[] = [];
  const options = {
    ...apiOptions(store, clock, { expected_agents: expected }),
    log: createLogger({ level: 'info', format: 'json', write: (line) => void log.push(line) }),
    expectedClose: schedules.expectedClose,
  };
  schedules.serve(options);
  const api = await serveApi(options);
  await schedules.start();
  t.teardown(async () => {
    await schedules.stop();
    await api.stop();
  });
  return { api, schedules, log };
}

/** Of March: February fell due before the servers began, and is closed at their start. */
async function heads({ api }: Server): Promise<Head[]> {
  const asked = '/v1/statements?from=2026-03-02';
  const { status, text } = await api.get(asked);
  if (status !== 200) throw new Error(text);
  return (JSON.parse(text) as { statements: Head[] }).statements;
}

async function monthIn(clock: ManualClock): Promise<Store> {
  const store = createMemoryStore({ clock });
  await recordArrivals(store, clock, ARRIVALS);
  return store;
}

/** Turns the clock on, a bit at a time, until the condition holds; what runs meanwhile is given its time. */
function turn(clock: ManualClock, by: Micros, isSo: () => Promise<boolean>, what: string): Promise<void> {
  const step = async (): Promise<boolean> => {
    if (await isSo()) return true;
    await clock.advance(by);
    return isSo();
  };
  return until(step, { timeoutMs: 60_000, everyMs: 20, describe: () => what });
}

t.test('what falls due is closed as of that moment, once, however many servers do it', async (t) => {
  const clock = new ManualClock(at('2026-02-27'));
  const store = await monthIn(clock);
  clock.jump(DUE - 5 * MINUTE - clock.now());
  const servers = [
    await startServer(store, clock, schedule('')),
    await startServer(store, clock, schedule('')),
  ] as const;
  const [first, second] = servers;
  const asked = '/v1/finality?project_id=p1&from=2026-03-01&to=2026-04-01&tz=Europe/Berlin';
  await turn(
    clock,
    0,
    async () =>
      (JSON.parse((await first.api.get(asked)).text) as { expected_close: string | null }).expected_close !== null,
    'the schedule does not know when it is due',
  );
  t.match((await first.api.get(asked)).text, /"expected_close":"2026-04-03T04:00:00Z"/);
  t.same(await heads(first), []);
  await turn(clock, MINUTE, async () => (await heads(first)).length === 2, 'nothing is closed');
  await turn(clock, MINUTE, async () => (await heads(second)).length === 2, 'nothing is closed');
  const found = await heads(first);
  t.same(
    found.map(({ project_id, from, to, as_of, by }) => [project_id, from, to, as_of, by]),
    ['p1', 'p2'].map((project) => [
      project,
      '2026-02-28T23:00:00Z',
      '2026-03-31T22:00:00Z',
      '2026-04-03T04:00:00Z',
      'monthly',
    ]),
  );
  await clock.advance(HOUR);
  const ids = (await store.entries({ kind: 'statement' })).map(({ id }) => id);
  t.equal(new Set(ids).size, ids.length, 'and none twice');
});

t.test('what fell due while no server ran is closed at the next start', async (t) => {
  const clock = new ManualClock(at('2026-02-27'));
  const store = await monthIn(clock);
  clock.jump(at('2026-04-20') - clock.now());
  const server = await startServer(store, clock, schedule(', projects: [p1]'));
  await turn(clock, MINUTE, async () => (await heads(server)).length > 0, 'nothing is closed');
  t.same(
    (await heads(server)).map(({ project_id, as_of }) => [project_id, as_of]),
    [['p1', '2026-04-03T04:00:00Z']],
  );
});

t.test('a project below its coverage is waited for, and closed with its lines named at last', async (t) => {
  const clock = new ManualClock(at('2026-02-27'));
  const store = await monthIn(clock);
  clock.jump(DUE + 2 * MINUTE - clock.now());
  const wait = ', min_coverage: "0.999", below: wait, retry_every: 1h, wait_at_most: 3h';
  const server = await startServer(store, clock, schedule(wait));
  await turn(clock, 10 * MINUTE, async () => (await heads(server)).length === 2, 'nothing is ever closed');
  t.ok(clock.now() >= DUE + 3 * HOUR, 'not before it was waited for long enough');
  const found = await heads(server);
  t.same(
    found.map(({ project_id, as_of }) => [project_id, as_of]),
    [
      ['p1', '2026-04-03T07:00:00Z'],
      ['p2', '2026-04-03T07:00:00Z'],
    ],
  );
  t.ok(found.every(({ flagged }) => flagged > 0));
});

t.test('an agent that was never heard stops a schedule, is flagged or is waited for, as configured', async (t) => {
  const clock = new ManualClock(at('2026-02-27'));
  const store = await monthIn(clock);
  clock.jump(DUE + 2 * MINUTE - clock.now());
  const expected = ['node-1', 'node-9'];
  const refusing = await startServer(store, clock, schedule(', below: refuse'), expected);
  const isToldOf = (project: string): boolean =>
    refusing.log.some(
      (line) => line.includes('A project stays open.') && line.includes(`Project ${project}: nothing was heard`),
    );
  await turn(clock, MINUTE, () => Promise.resolve(isToldOf('p1') && isToldOf('p2')), 'nothing is said of what is open');
  t.ok(
    refusing.log.some((line) => line.includes('node-9')),
    'and of whom it is',
  );
  await clock.advance(HOUR);
  t.same(await heads(refusing), [], 'refused for good');
  await refusing.schedules.stop();

  const wait = ', min_coverage: "0", below: wait, retry_every: 1h, wait_at_most: 4h';
  const waiting = await startServer(store, clock, schedule(wait), expected);
  await turn(clock, 10 * MINUTE, async () => (await heads(waiting)).length === 2, 'nothing is ever closed');
  t.match(await heads(waiting), [
    { project_id: 'p1', as_of: '2026-04-03T08:00:00Z', warnings: 1 },
    { project_id: 'p2', as_of: '2026-04-03T08:00:00Z', warnings: 1 },
  ]);
  await waiting.schedules.stop();
});

t.test('by default what an unheard agent leaves out is closed with a warning', async (t) => {
  const clock = new ManualClock(at('2026-02-27'));
  const store = await monthIn(clock);
  clock.jump(DUE + 2 * MINUTE - clock.now());
  const server = await startServer(store, clock, schedule(''), ['node-9']);
  await turn(clock, MINUTE, async () => (await heads(server)).length === 2, 'nothing is closed');
  t.match(await heads(server), [{ as_of: '2026-04-03T04:00:00Z', warnings: 1 }, { warnings: 1 }]);
});

t.test('a schedule that cannot be is told with its place', async (t) => {
  const wrong = parseConfig(schedule('').replace('0 6 3 * *', 'on the 3rd'), 'test.yaml');
  t.throws(() => new StatementSchedules(wrong, new ManualClock()), {
    code: 'MTR_CONFIG',
    message: /test\.yaml:1: statements\.schedules\[0\]\.cron: is not a cron expression/,
  });
  t.throws(() => parseConfig(schedule(', below: wait'), 'test.yaml'), {
    message:
      /schedules\[0\]\.below: is wait, and there is no min_coverage to wait for; give one, such as "0\.99", or "0" to wait/,
  });
});
