import t from 'tap';
import { KeyBook } from './key-book.ts';
import type { Entry, EntryQuery, Store } from './ports/store.ts';
import { AgentKeyring } from './signing/agent-keyring.ts';

const NOW = 1_767_225_600_000_000;
const HOW = { by: 'operator', why: 'test', now: NOW };

/** The entries of a store, which several processes share. */
function sharedEntries(): Pick<Store, 'appendEntry' | 'entries'> & { asked: number } {
  const all: Entry[] = [];
  const entries = {
    asked: 0,
    appendEntry(entry: Parameters<Store['appendEntry']>[0]) {
      const appended = { ...entry, recordedAt: NOW + all.length };
      all.push(appended);
      return Promise.resolve(appended);
    },
    entries({ after = -Infinity }: EntryQuery) {
      entries.asked += 1;
      return Promise.resolve(all.filter(({ recordedAt }) => recordedAt > after).toReversed());
    },
  };
  return entries;
}

function bookOver(entries: ReturnType<typeof sharedEntries>): KeyBook {
  const master = Buffer.alloc(32, 7);
  const keyring = new AgentKeyring({
    shared: Buffer.from('s'),
    master,
    listed: [],
    own: [],
    generation: 1,
    acceptShared: false,
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key book asks for entries alone
  return new KeyBook(keyring, entries as unknown as Store);
}

t.test('a revoked key is refused by another process as soon as it has asked', async (t) => {
  const entries = sharedEntries();
  const [here, there] = [bookOver(entries), bookOver(entries)];
  await there.refresh();
  t.match(there.find('m1', 'node-1'), { validUntil: null });
  await here.revoke('m1', 'node-1', NOW, HOW);
  t.match(here.find('m1', 'node-1'), { validUntil: NOW });
  t.match(here.find('m1', 'node-2'), { validUntil: null }, 'of this agent alone');
  await new Promise((resolve) => setTimeout(resolve, 1_050));
  await there.refresh();
  t.match(there.find('m1', 'node-1'), { validUntil: NOW });
  const { asked } = entries;
  await Promise.all([there.refresh(), there.refresh()]);
  t.equal(entries.asked, asked, 'asked at most once a second');
});

t.test('what is revoked stays revoked; what is only going to be may be put off', async (t) => {
  const book = bookOver(sharedEntries());
  await book.revoke('m1', 'node-1', NOW + 1_000, HOW);
  await book.revoke('m1', 'node-1', NOW + 9_000, HOW);
  t.match(book.find('m1', 'node-1'), { validUntil: NOW + 9_000 });
  await book.revoke('m1', 'node-1', NOW, HOW);
  await book.revoke('m1', 'node-1', NOW + 9_000, HOW);
  t.match(book.find('m1', 'node-1'), { validUntil: NOW });
});

t.test('a rotation names the next generation and leaves the one before for a while', async (t) => {
  const book = bookOver(sharedEntries());
  t.match(await book.rotate('node-1', 1, NOW + 5_000, HOW), { key_id: 'm1', next_key_id: 'm2' });
  t.match(book.signingKey('node-1'), { keyId: 'm2', validUntil: null });
  t.match(book.find('m1', 'node-1'), { validUntil: NOW + 5_000 });
  t.match(await book.rotate('node-1', 1, NOW + 5_000, HOW), { key_id: 'm2', next_key_id: 'm3' });
  t.match(book.signingKey('node-2'), { keyId: 'm1' });
});

t.test('a generation, and the shared secret, can be revoked for all', async (t) => {
  const book = bookOver(sharedEntries());
  await book.revoke('m1', null, NOW, HOW);
  await book.revoke('shared', null, NOW, HOW);
  t.match(book.find('m1', 'anybody'), { validUntil: NOW });
  t.match(book.find('m2', 'anybody'), { validUntil: null });
  t.match(book.sharedKeys(), [{ validUntil: NOW }]);
});

t.test('no entry ever holds a secret', async (t) => {
  const entries = sharedEntries();
  await bookOver(entries).rotate('node-1', 1, NOW, HOW);
  const [entry] = await entries.entries({ kind: 'key' });
  t.same(Object.keys(JSON.parse(entry?.body ?? '') as object).sort(), [
    'action', 'agent_id', 'at', 'by', 'key_id', 'next_key_id', 'valid_until', 'why',
  ]); // prettier-ignore
});
