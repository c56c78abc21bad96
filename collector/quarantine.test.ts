import t from 'tap';
import { DAY, HOUR, MINUTE, QuarantinedMessage, quarantinedSpan, Refusal } from '@nephometer/core';
import type { Entry, NewEntry, Store } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import { START, surroundings } from './fixture.ts';
import { collectorMetrics } from './metrics.ts';
import { Quarantine } from './quarantine.ts';
import type { RefusedMessage } from './quarantine.ts';

const SENDER = 'nephometer/metering.sample';

function setUp(quarantine: Readonly<Record<string, string>> = {}, store: Store = createMemoryStore()) {
  const { config, clock, log, metrics } = surroundings({ quarantine });
  const kept = new Quarantine({ store, clock, log, metrics: collectorMetrics(metrics), config });
  const entries = async (): Promise<QuarantinedMessage[]> =>
    (await store.entries({ kind: 'quarantine' })).map(({ body }) => QuarantinedMessage.parse(JSON.parse(body)));
  /** The newest of each id, as every reader takes them. */
  const standing = async (): Promise<QuarantinedMessage[]> => {
    const byId = new Map<string, Entry>();
    for (const entry of await store.entries({ kind: 'quarantine' })) {
      if (!byId.has(entry.id)) byId.set(entry.id, entry);
    }
    return [...byId.values()].map(({ body }) => QuarantinedMessage.parse(JSON.parse(body)));
  };
  return { kept, store, clock, metrics, entries, standing };
}

let made = 0;
function refused(fields: Partial<RefusedMessage> = {}): RefusedMessage {
  return {
    refusal: new Refusal('signature', 'It does not match.'),
    bytes: Buffer.from(`message ${(made += 1)}`.padEnd(1000, '.')),
    transport: 'bus',
    sender: SENDER,
    agentId: 'agent-1',
    messageId: null,
    from: START,
    to: START + MINUTE,
    samples: 3,
    ...fields,
  };
}

void t.test(
  'of a sender that has too much refused in a day the rest is counted, with its reason and time',
  async (t) => {
    const { kept, standing, metrics } = setUp({ max_per_sender: '8kB' });
    for (let n = 0; n < 100; n++) await kept.put(refused({ from: START + n * MINUTE, to: START + n * MINUTE }));
    await kept.close();
    const all = await standing();
    const whole = all.filter(({ bytes }) => bytes !== '');
    const [rest, ...none] = all.filter(({ bytes }) => bytes === '');
    t.same(none, []);
    t.ok(whole.length >= 2 && whole.length <= 8, `${whole.length} are kept`);
    t.match(rest, { reason: 'signature', agent_id: 'agent-1', sender: SENDER, messages: 100 - whole.length });
    t.equal(rest?.samples, 3 * (100 - whole.length));
    t.match(rest?.detail, /at least \d+ more came of one sender .*The last: It does not match\./);
    t.match(metrics.expose(), new RegExp(`unkept_total\\{reason="signature",agent="agent-1"\\} ${100 - whole.length}`));
    t.match(metrics.expose(), /quarantined_total\{reason="signature",agent="agent-1"\} 100/);
  },
);

void t.test('what is only counted marks the same time as a gap, as soon as it may be acknowledged', async (t) => {
  const { kept, standing } = setUp({ max_per_sender: '1B' });
  const times = [3, 1, 2, 90, 40, 41, 2000].map((minutes) => START + minutes * MINUTE);
  for (const at of times) {
    await kept.put(refused({ from: at, to: at }));
    const spans = (await standing()).flatMap((message) => quarantinedSpan(message, START) ?? []);
    t.ok(spans.some(({ agentId, from, to }) => agentId === 'agent-1' && from <= at && to >= at));
  }
});

void t.test('one who sends too much leaves room for others, and a new day brings new room', async (t) => {
  const { kept, clock, standing } = setUp({ max_per_sender: '2kB' });
  for (let n = 0; n < 20; n++) await kept.put(refused());
  const whole = async (agent: string): Promise<number> =>
    (await standing()).filter(({ agent_id: id, bytes }) => id === agent && bytes !== '').length;
  t.equal(await whole('agent-1'), 1);
  await kept.put(refused({ agentId: 'agent-2' }));
  t.equal(await whole('agent-2'), 1, 'another agent');
  await kept.put(refused({ sender: 'poster@10.0.0.1', transport: 'http' }));
  t.equal(await whole('agent-1'), 2, 'another sender');
  await clock.advance(DAY);
  await kept.put(refused());
  t.equal(await whole('agent-1'), 3, 'another day');
  const counted = (await standing()).find(({ messages }) => messages !== undefined);
  t.equal(counted?.messages, 19, 'and what was left open the day before is written down');
});

void t.test('all senders together have one bound', async (t) => {
  const { kept, standing } = setUp({ max_per_day: '5kB' });
  for (let n = 0; n < 50; n++) await kept.put(refused({ agentId: `agent-${n}` }));
  t.ok((await standing()).filter(({ bytes }) => bytes !== '').length < 5);
});

void t.test(
  'a flood grows the store by a few entries, however its times wander and whatever agents it names',
  async (t) => {
    const { kept, entries } = setUp({ max_per_sender: '1B' }, countingStore());
    const FLOOD = 30_000;
    for (let n = 0; n < FLOOD; n++) {
      const at = START - n * DAY;
      await kept.put(refused({ bytes: Buffer.from(String(n)), from: at, to: at }));
    }
    const wandering = (await entries()).length;
    t.ok(wandering < 150, `${wandering} entries of ${FLOOD} messages`);
    for (let n = 0; n < 5000; n++) await kept.put(refused({ bytes: Buffer.from(`a${n}`), agentId: `forged-${n}` }));
    const naming = (await entries()).length - wandering;
    t.ok(naming < 1100, `${naming} entries of 5000 names`);
  },
);

void t.test('what cannot be written down is not given up', async (t) => {
  const inner = createMemoryStore();
  let isAway = true;
  const appendEntry = (entry: NewEntry): Promise<Entry> =>
    isAway ? Promise.reject(new Error('away')) : inner.appendEntry(entry);
  const { kept, standing } = setUp({ max_per_sender: '1B' }, { ...inner, appendEntry });
  await t.rejects(kept.put(refused()), /away/);
  isAway = false;
  await kept.put(refused({ from: START + HOUR, to: START + HOUR }));
  t.match(await standing(), [{ messages: 1 }], 'and not counted either: it comes again');
});

/** A store whose look-up of one id does not read all others. */
function countingStore(): Store {
  const inner = createMemoryStore();
  return { ...inner, entries: (query) => (query.id === undefined ? inner.entries(query) : Promise.resolve([])) };
}
