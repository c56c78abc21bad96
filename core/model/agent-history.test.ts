import t from 'tap';
import type { LedgerRow } from '../ports/store.ts';
import { HOUR, MINUTE, SECOND } from '../time.ts';
import { AgentHistory } from './agent-history.ts';
import { countOf, RangeSet } from './ranges.ts';

const START = 1_767_225_600_000_000;
const MARGIN = 15 * SECOND;

interface BatchAt {
  readonly epoch?: string;
  readonly seq: number;
  /** Seconds after the start at which it was sealed, by the agent's clock, and recorded. */
  readonly created: number;
  readonly recorded?: number;
  readonly interval?: number | null;
}

function historyOf(batches: readonly BatchAt[], seen = START - HOUR): AgentHistory {
  const history = new AgentHistory('node-1');
  for (const { epoch = 'a', seq, created, recorded = created, interval = 60 } of batches) {
    const recordedAt = START + recorded * SECOND;
    const names = { digest: `${epoch}${seq}`, agentId: 'node-1', epoch, seq, keyId: 'm1', transport: 'bus' as const };
    const row: LedgerRow = { ...names, recordedAt, samples: 1, duplicates: 0, headerText: null };
    const cycles = [{ source: 'all', interval: interval === null ? null : interval * SECOND }];
    history.add(row, { created: START + created * SECOND, previous: seq === 1 ? null : 'x', cycles }, seen);
  }
  return history;
}

const stateAt = (history: AgentHistory, seconds: number): string => history.state(START + seconds * SECOND, MARGIN);

t.test('late after two intervals and the margin, silent after five', (t) => {
  const history = historyOf([{ seq: 1, created: 0 }]);
  t.equal(stateAt(history, 135), 'ok');
  t.equal(stateAt(history, 136), 'late');
  t.equal(stateAt(history, 315), 'late');
  t.equal(stateAt(history, 316), 'silent');
  t.equal(stateAt(historyOf([{ seq: 1, created: 0, interval: null }]), 6 * 3600), 'ok', 'cron: half a day is taken');
  t.equal(stateAt(historyOf([{ seq: 1, created: 0, interval: null }]), 3 * 86_400), 'silent');
  t.end();
});

t.test('what never polls has nothing to be late with', (t) => {
  const history = new AgentHistory('collector.x');
  const row = { digest: 'd', agentId: 'collector.x', epoch: 'a', seq: 1, keyId: null, transport: 'bus' as const };
  const header = { created: START, previous: null, cycles: [] };
  history.add({ ...row, recordedAt: START, samples: 1, duplicates: 0, headerText: null }, header, START);
  t.equal(history.state(START + 1000 * HOUR, MARGIN), 'ok');
  t.end();
});

t.test('missing sequence numbers per epoch, until they come', (t) => {
  const batches = [1, 2, 5, 8].map((seq) => ({ seq, created: seq }));
  const [epoch] = historyOf(batches).epochs();
  t.same(epoch?.missing, [[3, 4], [6, 7]]); // prettier-ignore
  t.same(historyOf([...batches, { seq: 4, created: 4, recorded: 9 }]).epochs()[0]?.missing, [[3, 3], [6, 7]]); // prettier-ignore
  t.same(historyOf([{ seq: 3, created: 3 }], START - 2 * HOUR).epochs()[0]?.missing, [[1, 2]], 'lost at the beginning');
  t.same(historyOf([{ seq: 300, created: 3 }], START).epochs()[0]?.missing, [], 'began before we looked');
  t.end();
});

t.test('a gap is remembered however often its agent started since; epochs that are whole are not for ever', (t) => {
  const restarts = Array.from({ length: 60 }, (_, n) => ({ epoch: `e${n}`, seq: 1, created: 100 + n }));
  const history = historyOf([{ epoch: 'torn', seq: 1, created: 1 }, { epoch: 'torn', seq: 4, created: 2 }, ...restarts]); // prettier-ignore
  t.equal(history.missing, 2);
  t.ok(history.epochs().length < 25, `${history.epochs().length} epochs`);
  const late = [{ epoch: 'e0', seq: 9, created: 100, recorded: 300 }, { epoch: 'torn', seq: 2, created: 1, recorded: 300 }]; // prettier-ignore
  const after = historyOf([{ epoch: 'torn', seq: 1, created: 1 }, { epoch: 'torn', seq: 4, created: 2 }, ...restarts, ...late]); // prettier-ignore
  t.equal(after.missing, 1, 'a late batch of a forgotten epoch makes no gap, one of a torn epoch closes its own');
  const torn = Array.from({ length: 300 }, (_, n) => [
    { epoch: `t${n}`, seq: 1, created: n },
    { epoch: `t${n}`, seq: 3, created: n },
  ]).flat();
  t.equal(historyOf(torn).epochs().length, 200, 'and these have a bound too');
  t.end();
});

t.test('lag of the newest batch, skew of the fastest', (t) => {
  const history = historyOf([
    { seq: 1, created: 30, recorded: 1 },
    { seq: 2, created: 90, recorded: 70 },
  ]);
  t.equal(history.lag, -20 * SECOND);
  t.equal(history.clockSkew, 29 * SECOND);
  t.end();
});

t.test('a restart, and what its spool still holds, is no clone', (t) => {
  const history = historyOf([
    { epoch: 'a', seq: 1, created: 0 },
    { epoch: 'a', seq: 2, created: 60 },
    { epoch: 'b', seq: 1, created: 100, recorded: 101 },
    { epoch: 'a', seq: 3, created: 95, recorded: 700 },
    { epoch: 'a', seq: 4, created: 96, recorded: 701 },
    { epoch: 'b', seq: 2, created: 160, recorded: 702 },
  ]);
  t.equal(history.clonedAt, null);
  t.end();
});

t.test('a clock that is set back with a restart is no clone', (t) => {
  const history = historyOf([
    { epoch: 'a', seq: 1, created: 300, recorded: 0 },
    { epoch: 'a', seq: 2, created: 360, recorded: 60 },
    { epoch: 'b', seq: 1, created: 61 },
    { epoch: 'a', seq: 3, created: 362, recorded: 63 },
    { epoch: 'a', seq: 4, created: 64 },
    { epoch: 'b', seq: 2, created: 121 },
  ]);
  t.equal(history.clonedAt, null);
  t.end();
});

t.test('two epochs that go on side by side are a clone, also when one clock is wrong', (t) => {
  for (const [ofA, ofB, most] of [
    [0, 0, 3],
    [0, 240, 8],
    [-120, 0, 5],
  ] as const) {
    const batches = Array.from({ length: 2 * most }, (_, i): BatchAt => {
      const [epoch, off, at] = i % 2 === 0 ? ['a', ofA, i * 30] : ['b', ofB, i * 30 + 10];
      return { epoch, seq: (i >> 1) + 1, created: at + off, recorded: at };
    }); // prettier-ignore
    const history = historyOf(batches);
    t.not(history.clonedAt, null, `${ofA} s, ${ofB} s`);
    t.equal(stateAt(history, 60 * most), 'cloned');
    t.not(
      history.state((history.clonedAt ?? 0) + 61 * MINUTE, MARGIN),
      'cloned',
      'an hour after the last proof it is over',
    );
  }
  t.end();
});

t.test('ranges join whatever the order', (t) => {
  const set = new RangeSet();
  for (const value of [5, 1, 3, 2, 9, 8, 5, 4, 20]) set.add(value);
  t.same(set.missingFrom(1), [[6, 7], [10, 19]]); // prettier-ignore
  t.equal(countOf(set.missingFrom(1)), 12);
  t.same([set.first, set.last], [1, 20]);
  t.end();
});
