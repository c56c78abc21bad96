import { SECOND } from '@nephometer/core';
import t from 'tap';
import { fullJitter } from './backoff.ts';
import { maskUrl } from './dial.ts';

t.test('waits are spread from nothing to a doubling step, and capped', async (t) => {
  const cap = 30 * SECOND;
  const longest = (attempt: number) => fullJitter(attempt, cap, () => 1) / SECOND;
  t.same([0, 1, 2, 3, 4, 5, 1000].map(longest), [1, 2, 4, 8, 16, 30, 30]);
  t.equal(
    fullJitter(7, cap, () => 0),
    0,
  );
});

t.test('a URL is shown without its password', async (t) => {
  t.equal(maskUrl('amqp://meter:sesame@broker:5672/cloud'), 'amqp://meter@broker:5672/cloud');
  t.equal(maskUrl('amqps://broker'), 'amqps://broker');
  t.equal(maskUrl('sesame@@'), 'an unreadable URL');
});
