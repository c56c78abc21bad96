import { StatementBook } from '@nephometer/api';
import {
  DEFAULT_DEFINITIONS,
  definitionHash,
  ManualClock,
  STATEMENT_FORMAT,
  statementId,
  StatementKey,
} from '@nephometer/core';
import type { FrozenLine, StatementContent } from '@nephometer/core';
import t from 'tap';
import { at } from '../usage/month.ts';
import { STORES } from '../usage/stores.ts';

t.setTimeout(300_000);

const KEY = new StatementKey(StatementKey.make());

for (const [name, prepare] of Object.entries(STORES)) {
  t.test(`${name}: a statement of several megabytes comes back byte for byte`, async (t) => {
    const clock = new ManualClock(at('2026-04-01'));
    const store = await (await prepare()).open(clock);
    t.teardown(() => store.close());
    const book = new StatementBook(store, () => clock.now());
    const statement = KEY.sign(largeContent());
    const text = JSON.stringify(statement);
    t.ok(text.length > 5_000_000);
    const head = await book.append(statement, 'a test');
    t.equal(await book.text(head), text);
    const again = await book.append(statement, 'a test');
    t.equal(again.recordedAt, head.recordedAt);
    const other = await book.append(KEY.sign({ ...largeContent(), as_of: '2026-04-02T00:00:00Z' }), 'another');
    t.equal(other.digest, head.digest, 'the first one counts');
  });
}

/** Five megabytes of lines, with what is not ASCII in them. */
function largeContent(): StatementContent {
  const [definition] = DEFAULT_DEFINITIONS;
  if (definition === undefined) throw new Error('no definition');
  const line = (i: number): FrozenLine => ({
    id: String(i).padStart(32, '0'),
    from: '2026-03-01T00:00:00Z',
    to: '2026-04-01T00:00:00Z',
    group: { 'metadata.flavor_name': `m1.größe \u{1F30D} ${i} "\\%` },
    quantity: `${i}.5`,
    unit: 'instance.h',
    lower: null,
    upper: null,
    estimated: null,
    coverage: '1',
    basis: 'cycles',
    resets: 0,
    samples: i,
    revision: null,
    finality: 'closed',
    gaps: [],
  });
  const lines = Array.from({ length: 20_000 }, (_, i) => line(i));
  const times = { from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z', as_of: '2026-04-01T00:00:00Z' };
  return {
    format: STATEMENT_FORMAT,
    statement_id: statementId('p1', times.from, times.to),
    project_id: 'p1',
    ...times,
    tz: 'UTC',
    tzdata: 'none',
    window: 'none',
    anchor: null,
    min_coverage: null,
    flagged: [],
    usage: [{ definition, hash: definitionHash(definition), group_by: [], lines }],
    evidence: { digest: '0'.repeat(64), samples: 0, others: 0, batches: 0, losses: 0, voids: 0, detail: 0 },
  };
}
