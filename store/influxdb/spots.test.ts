import t from 'tap';
import { spotKey } from './sample-rows.ts';
import { Spots } from './spots.ts';

const key = (at: number, resource = 'r'): string => spotKey({ at, resource });

void t.test('later than all that was there before, what was not taken is free', async (t) => {
  const spots = new Spots(100);
  t.notOk(spots.isKnown(100), 'another may have taken places there');
  t.ok(spots.isKnown(101));
  t.equal(spots.next(key(101)), 0);
  spots.take(key(101), 101, 0);
  spots.take(key(101), 101, 4);
  t.equal(spots.next(key(101)), 5);
  t.equal(spots.next(key(101, 'other')), 0);
});

void t.test('under a name that nobody had before everything is known', async (t) => {
  const spots = new Spots(-Infinity);
  t.ok(spots.isKnown(-1));
  t.equal(spots.newest, -Infinity);
});

void t.test('the newest sample is told, whenever it was placed', async (t) => {
  const spots = new Spots(100);
  spots.take(key(50), 50, 0);
  t.equal(spots.newest, 100);
  spots.take(key(300), 300, 0);
  spots.take(key(200), 200, 0);
  t.equal(spots.newest, 300);
});

void t.test('what is forgotten is not known any more', async (t) => {
  const spots = new Spots(0);
  for (let at = 1; at <= 300_001; at++) spots.take(key(at), at, 0);
  t.ok(spots.isKnown(1), 'not in the middle of a piece of writing');
  spots.trim();
  t.notOk(spots.isKnown(1));
  t.ok(spots.isKnown(300_001));
  t.equal(spots.next(key(300_001)), 1);
});
