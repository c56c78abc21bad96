import t from 'tap';
import { BENCHES } from './benches.ts';
import { measure, spreadOf } from './measure.ts';
import type { Bench } from './measure.ts';
import { readOptions } from './options.ts';
import { tableOf, threeDigits } from './table.ts';

for (const bench of BENCHES) {
  void t.test(`${bench.name}: its subjects do the same work, at a small size`, async (t) => {
    const result = await measure(bench, { scale: 0.02, rounds: 3, seconds: 60 });
    t.equal(result.rounds, 3);
    t.ok(result.units > 0 && result.subjects.length > 1);
    for (const { name, microsPerUnit, ratio } of result.subjects) {
      t.ok(microsPerUnit.median > 0 && ratio.least > 0 && ratio.least <= ratio.most, name);
    }
    t.same(result.subjects[0]?.ratio, { median: 1, least: 1, most: 1 });
    t.match(tableOf(result), new RegExp(`^${bench.name}: `));
  });
}

function benchOf(work: Record<string, number>, closed: string[] = []): Bench {
  const subjects = Object.entries(work).map(([name, units]) => ({ name, run: () => units }));
  const close = async (): Promise<void> => void closed.push('closed');
  return { name: 'test', title: 'a test', unit: 'unit', prepare: async () => ({ units: 5, subjects, close }) };
}

void t.test('a subject that does less than the others is an error, and the bench is closed', async (t) => {
  const closed: string[] = [];
  const bench = benchOf({ whole: 5, lazy: 4 }, closed);
  await t.rejects(measure(bench, { scale: 1, rounds: 1, seconds: 1 }), /lazy did 4 units of 5/);
  t.same(closed, ['closed']);
});

void t.test('no round begins after the time is over', async (t) => {
  const result = await measure(benchOf({ a: 5, b: 5 }), { scale: 1, rounds: 1000, seconds: 1e-9 });
  t.equal(result.rounds, 3);
});

void t.test('the command line is read, or refused with what would be right', (t) => {
  t.match(readOptions(['seal', '--rounds', '3', '--json=out.json'], ['seal']), {
    names: ['seal'],
    rounds: 3,
    json: 'out.json',
  });
  t.throws(() => readOptions(['sael'], ['seal']), /Found sael; benches here are seal/);
  t.throws(() => readOptions(['--rounds', 'many'], []), /--rounds wants a number above 0; found many/);
  t.throws(() => readOptions(['--json'], []), /--json wants a value/);
  t.end();
});

void t.test('figures: the middle one, and three digits that count', (t) => {
  t.same(spreadOf([3, 1, 2]), { median: 2, least: 1, most: 3 });
  t.same(spreadOf([4, 1, 2, 3]), { median: 2.5, least: 1, most: 4 });
  t.same([0.012345, 1.2345, 12.345, 1234.5].map(threeDigits), ['0.0123', '1.23', '12.3', '1235']);
  t.end();
});
