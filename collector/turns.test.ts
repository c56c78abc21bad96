import { setImmediate as tick } from 'node:timers/promises';
import { test } from 'tap';
import { allDone, Turns } from './turns.ts';

test('so many at a time, of one key one after the other, and one that fails keeps nobody waiting', async (t) => {
  const turns = new Turns(3);
  const running: string[] = [];
  let most = 0;
  const work = async (key: string, n: number): Promise<number> => {
    t.notOk(running.includes(key), 'none of its key runs');
    running.push(key);
    most = Math.max(most, running.length);
    await tick();
    running.splice(running.indexOf(key), 1);
    if (n % 5 === 0) throw new Error(`fails: ${n}`);
    return n;
  };
  const all = Array.from({ length: 40 }, (_, n) => turns.run(`key ${n % 7}`, () => work(`key ${n % 7}`, n)));
  const ends = await Promise.allSettled(all);
  t.equal(most, 3);
  t.strictSame(
    ends.map((end) => (end.status === 'fulfilled' ? end.value : String(end.reason))),
    Array.from({ length: 40 }, (_, n) => (n % 5 === 0 ? `Error: fails: ${n}` : n)),
  );
});

test('what is behind one that failed is waited for', async (t) => {
  let isDone = false;
  const slow = tick().then(() => {
    isDone = true;
  });
  await t.rejects(allDone([Promise.reject(new Error('at once')), slow]), { message: 'at once' });
  t.ok(isDone);
});
