import t from 'tap';
import { TapReport } from './report.ts';

function report(output: string, succeeded: boolean): { text: string; closing: string } {
  let text = '';
  const report = new TapReport((part) => (text += part));
  for (const character of output) report.write(character); // pipes cut anywhere
  const { passed, failed } = report.totals(succeeded);
  return { text, closing: `${passed} passed, ${failed} failed` };
}

const PASSING = `# Subtest: core/dist/a.test.js
    ok 1 - fine
    1..1
ok 1 - core/dist/a.test.js # time=5ms

`;

const FAILING = `# Subtest: core/dist/b.test.js
    not ok 1 - should be equal
      ---
      diff: |
        -1
        +2
      ...
    1..1
not ok 2 - core/dist/b.test.js # time=7ms
  ---
  exitCode: 1
  ...

`;

t.test('a file that passed is one line', async (t) => {
  const { text, closing } = report(`TAP version 14\n1..1\n${PASSING}# { total: 1, pass: 1, fail: 0 }\n`, true);
  t.equal(text, 'ok   core/dist/a.test.js # time=5ms\n');
  t.equal(closing, '1 passed, 0 failed');
});

t.test('a file that failed is shown in full, also when it comes last', async (t) => {
  for (const order of [FAILING + PASSING, PASSING + FAILING]) {
    const { text, closing } = report(`TAP version 14\n${order}# { total: 2, pass: 1, fail: 1 }\n`, false);
    t.match(text, '+2');
    t.match(text, 'exitCode: 1');
    t.match(text, 'ok   core/dist/a.test.js');
    t.equal(closing, '1 passed, 1 failed');
  }
});

t.test('a skipped assertion has not passed', async (t) => {
  const { closing } = report('# { total: 4, pass: 2, fail: 1, skip: 1 }\n', false);
  t.equal(closing, '2 passed, 2 failed');
});

t.test('what tap had found when it was ended is not lost', async (t) => {
  const { text, closing } = report(`${PASSING}# Subtest: core/dist/c.test.js\n    not ok 1 - half`, false);
  t.equal(closing, '1 passed, 1 failed');
  t.match(text, 'core/dist/c.test.js');
});

t.test('a failure of tap itself is counted', async (t) => {
  t.equal(report(`${PASSING}# { total: 1, pass: 1, fail: 0 }\n`, false).closing, '1 passed, 1 failed');
});
