import t from 'tap';
import { keyOf, KnownKeys } from './keys.ts';

t.test('keys of different ids differ, and fit a signed integer of 64 bits', async (t) => {
  const keys = Array.from({ length: 100_000 }, (_, i) => keyOf(`d89e8f7d-7c84-4043-91dc-${i}`));
  t.equal(new Set(keys).size, keys.length);
  t.ok(keys.every((key) => key === BigInt.asIntN(64, key)));
});

t.test('what was added is known; of what was not, less than one in a thousand seems so', async (t) => {
  const known = new KnownKeys(20_000);
  const idsOf = (prefix: string) => Array.from({ length: 100_000 }, (_, i) => keyOf(`${prefix}-${i}`));
  for (const key of idsOf('stored')) known.add(key);
  t.ok(idsOf('stored').every((key) => known.mayHave(key)));
  t.ok(idsOf('new').filter((key) => known.mayHave(key)).length < 100);
});

t.test('a filter says when it should be made anew', async (t) => {
  const known = new KnownKeys(0);
  for (let i = 0; i <= known.capacity; i++) known.add(BigInt(i));
  t.ok(known.isFull);
});
