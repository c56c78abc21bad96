import t from 'tap';
import { expectedAgents, inventoryOf, listsAsOf } from './inventory.ts';
import type { InventoryList } from './inventory.ts';

const list = (name: string, at: number, agents: string[] | null, recordedAt = at): InventoryList => ({
  name,
  at,
  agents,
  recordedAt,
  resources: null,
  meters: [],
  source: null,
  complete: true,
  who: 'w',
  by: 'b',
});

void t.test(
  'an agent is expected while a list names it; the first list holds for the time before it, too',
  async (t) => {
    const lists = listsAsOf([list('a', 200, ['n2']), list('a', 100, ['n1', 'n2']), list('b', 150, ['n3'])], 1000);
    const expected = (from: number, to: number) =>
      [...expectedAgents(lists, from, to)].map(([id, span]) => [id, span.from, span.to]);
    t.same(expected(0, 300), [
      ['n1', 0, 200],
      ['n2', 0, 300],
      ['n3', 0, 300],
    ]);
    t.same(expected(200, 300), [
      ['n2', 200, 300],
      ['n3', 200, 300],
    ]);
    t.same(expectedAgents([list('r', 1, null)], 0, 9).size, 0, 'a list of resources expects no agent');
  },
);

void t.test('lists are those known at the moment; of one moment the one recorded last counts', async (t) => {
  const lists = [list('a', 100, ['n1'], 100), list('a', 100, ['n2'], 300), list('a', 50, ['n0'], 400)];
  const known = (asOf: number) => listsAsOf(lists, asOf).map(({ agents }) => agents?.[0]);
  t.same(known(99), []);
  t.same(known(200), ['n1']);
  t.same(known(300), ['n2']);
  t.same(known(400), ['n0', 'n2']);
});

void t.test('an entry that is no list says nothing', async (t) => {
  t.equal(inventoryOf({ kind: 'inventory', id: 'x', body: '{}', recordedAt: 1 }), null);
  t.equal(inventoryOf({ kind: 'inventory', id: 'x', body: 'no', recordedAt: 1 }), null);
});
