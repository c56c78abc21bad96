/**
 * An agent is killed for 20 of its intervals, while what it measures goes on, changes, ends and begins. Twenty minutes at an
 * interval of a minute are the same number of ticks; NEPHOMETER_TEST_INTERVAL=60 (seconds) makes it those.
 */
import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatInstant, formatTimestamp, parseTimestamp } from '@nephometer/core';
import t from 'tap';
import type { Test } from 'tap';
import { rabbitmqUrl, temporaryFolder, uniqueName, until } from '../servers/index.ts';
import { runNephometer } from './exports.ts';
import { ask, askUntil, startDaemon } from './nephometer.ts';
import type { Daemon } from './nephometer.ts';
import { RESOURCES, truth } from './plugin-workload/workload.ts';
import type { Plan, Quantity, ResourceName } from './plugin-workload/workload.ts';

const AGENT = fileURLToPath(new URL('../../../agents/dist/main.js', import.meta.url));
const PLUGIN = fileURLToPath(new URL('../../acceptance/plugin-workload', import.meta.url));
const INTERVAL_MS = Number(process.env['NEPHOMETER_TEST_INTERVAL'] ?? 1) * 1000;
const SILENCE_MS = 20 * INTERVAL_MS;
/** By rule a reading holds for two intervals; microseconds. */
const HOLD = 2000 * INTERVAL_MS;
/** Figures in hours have 12 digits: that is much less than this many of our milliseconds. */
const ROUNDING = 1e-4;
const inMs = (hours: string): number => Number(hours) * 3_600_000;
t.setTimeout(60_000 + 60 * INTERVAL_MS);

const folder = temporaryFolder('nephometer-silent');
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content, { mode: 0o600 });
  return join(folder, name);
};
const token = randomBytes(24).toString('base64url');
const planFile = join(folder, 'plan.json');
const writePlan = (plan: Plan): void => renameSync(file('plan.new', JSON.stringify(plan)), planFile);

const NAMES: Record<Quantity, string> = { presence: 'work_hours', level: 'work_gib_hours', work: 'work_cpu_hours' };
const QUANTITIES = ['presence', 'level', 'work'] as const;
const DEFINITIONS = [
  { name: NAMES.presence, meter: 'work.level', kind: 'duration' },
  { name: NAMES.level, meter: 'work.level', kind: 'integral', unit: 'GiB.h', ceiling: '8' },
  {
    name: NAMES.work,
    meter: 'work.cpu',
    kind: 'increase',
    unit: 'h',
    conversion: { ns: '1/3600000000000' },
    ceiling: '1',
  },
];
const config = [
  'host: node-1',
  `interval: ${INTERVAL_MS}ms`,
  `bus: {namespace: ${uniqueName('silent')}}`,
  'agent: {id: node-1, spread: 0s}',
  `api: {tokens: [{name: judge, role: admin, file: ${file('token', token)}}]}`,
  `plugin_paths: [${JSON.stringify(PLUGIN)}]`,
  `plugins: {workload: ${JSON.stringify({ plan: planFile })}}`,
  "disabled_plugins: ['!workload']",
  `usage: ${JSON.stringify({ default_definitions: false, definitions: DEFINITIONS })}`,
].join('\n');
const env = {
  NEPHOMETER_BUS_URL: await rabbitmqUrl(),
  NEPHOMETER_SECRET_FILE: file('secret', randomBytes(24).toString('base64url')),
};

writePlan({ changedAt: null });
const running: Daemon[] = [];
t.teardown(async () => {
  for (const { process } of running) await process.end();
});
const server = await startDaemon({ args: ['run', 'collector', 'api'], env, config });
running.push(server);
const agentData = join(folder, 'agent');
const startAgent = async (): Promise<Daemon> => {
  const agent = await startDaemon({
    main: AGENT,
    args: ['run', 'compute'],
    env,
    config,
    dataDir: agentData,
    probe: '/healthz',
  });
  running.push(agent);
  return agent;
};

interface Reading {
  readonly timestamp: string;
  readonly resource_metadata: { readonly issued_at: number };
}

/** Readings of the resource that is there all the time, oldest first, once there are so many since an instant. */
async function readings(wanted: number, sinceMs = 0): Promise<{ at: number; skewMs: number }[]> {
  const path = '/v2/meters/work.level?limit=10000&q.field=resource_id&q.op=eq&q.value=steady';
  const at = ({ timestamp }: Reading): number => parseTimestamp(timestamp);
  const { body } = await askUntil(
    () => ask(server.url, token, path),
    (answer) => (answer.body as Reading[]).filter((one) => at(one) > sinceMs * 1000).length >= wanted,
    'no readings arrive',
    30_000 + 2 * wanted * INTERVAL_MS,
  );
  return (body as Reading[])
    .map((one) => ({ at: at(one), skewMs: Math.abs(one.resource_metadata.issued_at - at(one) / 1000) }))
    .sort((a, b) => a.at - b.at);
}

interface Gap {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

interface Line {
  readonly group: { readonly resource_id: ResourceName };
  readonly quantity: string;
  readonly lower: string;
  readonly upper: string;
  readonly coverage: string;
  readonly gaps: readonly Gap[];
}

interface Silence {
  readonly plan: Plan;
  /** Readings between which we ask, and those around the silence; microseconds. */
  readonly from: number;
  readonly to: number;
  readonly last: number;
  readonly first: number;
  /** How far at most a reading was taken from the moment that it names. */
  readonly skewMs: number;
}

let silence: Silence;

void t.test('an agent is killed, and comes back after 20 intervals', async (t) => {
  const agent = await startAgent();
  await readings(6);
  await agent.process.kill();
  const killedAt = Date.now();
  const plan = { changedAt: killedAt + 7 * INTERVAL_MS };
  writePlan(plan);
  const isOver = (): boolean => Date.now() >= killedAt + SILENCE_MS;
  await until(isOver, { timeoutMs: 2 * SILENCE_MS, everyMs: 20, describe: () => 'time stands still' });
  await startAgent();
  const all = await readings(6, killedAt + INTERVAL_MS);
  const first = all.find(({ at }) => at > killedAt * 1000 + INTERVAL_MS * 1000)?.at ?? NaN;
  const last = all.findLast(({ at }) => at < first)?.at ?? NaN;
  const [from = NaN, to = NaN] = [all[1]?.at, all.at(-2)?.at];
  silence = { plan, from, to, last, first, skewMs: Math.max(...all.map(({ skewMs }) => skewMs)) };
  t.ok(first - last >= SILENCE_MS * 1000, `nothing was read for ${(first - last) / 1e6} s`);
  t.ok(silence.skewMs < INTERVAL_MS / 4, `readings are at most ${silence.skewMs} ms off`);
});

const period = (): readonly [string, string] => [formatInstant(silence.from), formatInstant(silence.to)];
const lines = new Map<Quantity, readonly Line[]>();

for (const quantity of QUANTITIES) {
  void t.test(`${NAMES[quantity]}: exactly that gap, and the truth is within the bounds`, async (t) => {
    const [from, to] = period();
    const path = `/v1/usage?definition=${NAMES[quantity]}&from=${from}&to=${to}&group_by=resource_id&gaps=true`;
    const { status, body } = await ask(server.url, token, path);
    t.equal(status, 200);
    const found = (body as { lines: Line[] }).lines;
    t.same(found.map(({ group }) => group.resource_id).sort(), [...RESOURCES].sort());
    for (const line of found) {
      checkGaps(t, quantity, line);
      checkCoverage(t, quantity, line);
      checkBounds(t, quantity, line);
    }
    lines.set(quantity, found);
  });
}

/** From the end of the last reading's hold to the first reading; by the ticks where the resource has no reading there. */
function checkGaps(t: Test, quantity: Quantity, { group: { resource_id: name }, gaps }: Line): void {
  const silent = gaps.filter(({ reason }) => reason === 'agent-silent');
  t.equal(silent.length, 1, `${name}: one silence`);
  const [from, to] = [parseTimestamp(silent[0]?.from ?? ''), parseTimestamp(silent[0]?.to ?? '')];
  const { last, first } = silence;
  if (name === 'new') t.ok(isTickBefore(from - HOLD, last), `${name}: not there at the last tick, nor a hold after`);
  else t.equal(from, last + HOLD, `${name}: from the end of the hold`);
  if (name === 'gone') t.ok(isTickBefore(to, first), `${name}: to the first tick`);
  else t.equal(to, first, `${name}: to the first reading`);
  const others = gaps.filter(({ reason }) => reason !== 'agent-silent');
  const unread = { from: formatInstant(last), to: silent[0]?.from ?? '', reason: 'unread' };
  // What its counter did after the last reading nobody can know, whether the agent was there or not.
  t.match(others, quantity === 'work' && name === 'gone' ? [unread] : [], `${name}: nothing else`);
  t.equal(others.length, quantity === 'work' && name === 'gone' ? 1 : 0);
}

/** Whether it is when the tick was due that gave a reading. */
const isTickBefore = (tick: number, reading: number): boolean =>
  tick % (INTERVAL_MS * 1000) === 0 && tick <= reading && tick > reading - 2000 * INTERVAL_MS;

/** The share of the time in which the resource was there, as far as anybody can know. */
function checkCoverage(t: Test, quantity: Quantity, { group: { resource_id: name }, ...line }: Line): void {
  const from = name === 'new' ? parseTimestamp(line.gaps[0]?.from ?? '') : silence.from;
  const to = name === 'gone' ? parseTimestamp(line.gaps.at(-1)?.to ?? '') : silence.to;
  const gap = line.gaps.reduce((all, one) => all + parseTimestamp(one.to) - parseTimestamp(one.from), 0);
  const share = Math.floor(((to - from - gap) * 1e6) / (to - from)) / 1e6;
  t.equal(Number(line.coverage), share, `${name}: coverage ${line.coverage}`);
  if (quantity !== 'presence') return;
  t.ok(Math.abs(inMs(line.quantity) - (to - from - gap) / 1000) < ROUNDING, `${name}: what was measured`);
}

function checkBounds(t: Test, quantity: Quantity, { group: { resource_id: name }, ...line }: Line): void {
  const real = truth(name, silence.from / 1000, silence.to / 1000, silence.plan)[quantity];
  const slack = ROUNDING + (quantity === 'work' ? 2 * silence.skewMs : 0);
  const [lower, measured, upper] = [line.lower, line.quantity, line.upper].map(inMs);
  t.comment(`${name}: measured ${measured}; ${lower} <= ${real} <= ${upper} (hours in ms)`);
  t.ok(inMs(line.lower) <= real + slack, `${name}: at least ${line.lower}`);
  t.ok(inMs(line.upper) >= real - slack, `${name}: at most ${line.upper}`);
  t.equal(line.lower, line.quantity, `${name}: what was measured is the least`);
  if (quantity === 'work' && name === 'steady')
    t.equal(line.upper, line.lower, 'a counter that names its run tells all that grew in the silence');
  else t.ok(real > inMs(line.quantity) + slack, `${name}: the silence hid something`);
}

void t.test('the table on the command line marks the gap', async (t) => {
  const [from, to] = period();
  const args = ['usage', NAMES.level, '--from', from, '--to', to, '-g', 'resource_id', '--gaps'];
  const { code, stdout, stderr } = await runNephometer(server.url, args, token);
  t.match({ code, stderr }, { code: 0, stderr: '' });
  const rows = stdout.split('\n').map((row) => row.split(/ {2,}/).map((cell) => cell.trim()));
  for (const { group, quantity, gaps } of lines.get('level') ?? []) {
    const row = rows.find((cells) => cells[2] === group.resource_id) ?? [];
    t.equal(row[3], `~ ${quantity}`, `${group.resource_id}: measured in part`);
    const gap = rows.filter((cells) => cells[2] === 'agent-silent' && cells[3] === group.resource_id);
    const clock = (text = ''): string => formatTimestamp(parseTimestamp(text)).replace('T', ' ').replace(/:00$/, '');
    t.same(gap, [[clock(gaps[0]?.from), clock(gaps[0]?.to), 'agent-silent', group.resource_id]]);
  }
  t.match(stdout, /\n~ measured in part: the true figure lies between lower and upper/);
});
