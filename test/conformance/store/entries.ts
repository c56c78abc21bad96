import type { Test } from 'tap';
import { withoutBytes } from '@nephometer/core';
import type { Entry, NewEntry, QuarantinedMessage } from '@nephometer/core';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

export function testEntries(t: Test, open: OpenStore): void {
  const token = { kind: 'token', id: 'a', body: '{"role":"admin"}' } as const;

  t.test('the same entry again is not appended', async (t) => {
    const store = await openFor(t, open);
    const first = await store.appendEntry(token);
    t.match(first, token);
    t.strictSame(await store.appendEntry(token), first);
    t.strictSame(await store.entries({ kind: 'token' }), [first]);
  });

  t.test('the same entry at once from many is appended once', async (t) => {
    const store = await openFor(t, open);
    const appended = await Promise.all(Array.from({ length: 5 }, () => store.appendEntry(token)));
    t.equal(new Set(appended.map(({ recordedAt }) => recordedAt)).size, 1);
    t.equal((await store.entries({ kind: 'token' })).length, 1);
  });

  t.test('another body, id or kind is another entry; newest first', async (t) => {
    const store = await openFor(t, open);
    const body = `{"role":"none","text":"it's \\"ü😀\\"\\n${'x'.repeat(50_000)}"}`;
    const a = await store.appendEntry(token);
    const revoked = await store.appendEntry({ ...token, body });
    const b = await store.appendEntry({ ...token, id: 'b' });
    const quarantined = await store.appendEntry({ ...token, kind: 'quarantine' });
    t.strictSame(await store.entries({ kind: 'token' }), [b, revoked, a]);
    t.strictSame(await store.entries({ kind: 'token', id: 'a' }), [revoked, a]);
    t.strictSame(await store.entries({ kind: 'quarantine' }), [quarantined]);
    t.strictSame(await store.entries({ kind: 'void' }), []);
    t.ok(a.recordedAt < revoked.recordedAt && revoked.recordedAt < b.recordedAt);
  });

  t.test('what is new is found by the moment of the last that was seen', async (t) => {
    const store = await openFor(t, open);
    const first = await store.appendEntry(token);
    const second = await store.appendEntry({ ...token, id: 'b' });
    const after = first.recordedAt;
    t.strictSame(await store.entries({ kind: 'token', after }), [second]);
    t.strictSame(await store.entries({ kind: 'token', id: 'a', after }), []);
    t.strictSame(await store.entries({ kind: 'token', after: after - 1, limit: 1 }), [second]);
    t.strictSame(await store.entries({ kind: 'token', after: second.recordedAt }), []);
  });

  t.test('entries of some ids, and entries without their bodies', async (t) => {
    const store = await openFor(t, open);
    const [a1, b1] = [await store.appendEntry(token), await store.appendEntry({ ...token, id: 'b' })];
    await store.appendEntry({ ...token, id: 'c' });
    const a2 = await store.appendEntry({ ...token, body: '{"role":"none"}' });
    const kind = 'token';
    t.strictSame(await store.entries({ kind, ids: ['b', 'a', 'a', 'nobody'] }), [a2, b1, a1]);
    t.strictSame(await store.entries({ kind, ids: ['a', 'b'], limit: 2 }), [a2, b1]);
    t.strictSame(await store.entries({ kind, ids: ['a', 'b'], after: a1.recordedAt, before: a2.recordedAt }), [b1]);
    t.strictSame(await store.entries({ kind, ids: [] }), []);
    t.strictSame(await store.entries({ kind, id: 'a', ids: ['b'] }), []);
    const bare = (entry: Entry): Entry => ({ ...entry, body: '' });
    t.strictSame(await store.entries({ kind, ids: ['a'], headsOnly: true }), [a2, a1].map(bare));
    t.strictSame(await store.entries({ kind, headsOnly: true, limit: 1 }), [bare(a2)]);
  });

  t.test('pages go back in time', async (t) => {
    const store = await openFor(t, open);
    for (let i = 0; i < 7; i++) await store.appendEntry({ kind: 'quarantine', id: `id-${i}`, body: '{}' });
    const seen: string[] = [];
    for (let before: number | undefined; ;) {
      const page = await store.entries({ kind: 'quarantine', limit: 3, ...(before === undefined ? {} : { before }) });
      seen.push(...page.map(({ id }) => id));
      before = page.at(-1)?.recordedAt;
      if (before === undefined) break;
    }
    t.strictSame(seen, ['id-6', 'id-5', 'id-4', 'id-3', 'id-2', 'id-1', 'id-0']);
  });

  t.test('messages in quarantine lose their bytes after a while, and nothing else', async (t) => {
    const store = await openFor(t, open);
    const old = [
      await store.appendEntry(refused('q-1', { bytes: Buffer.from('short').toString('base64') })),
      await store.appendEntry(refused('q-2', { bytes: 'A'.repeat(200_000) })),
      await store.appendEntry({ kind: 'quarantine', id: 'other', body: '{"made":"elsewhere"}' }),
    ];
    const young = await store.appendEntry(refused('q-3', {}));
    t.equal(await store.shedQuarantine(young.recordedAt), 2);
    const [third, other, second, first] = await store.entries({ kind: 'quarantine' });
    t.strictSame([third, other], [young, old[2]], 'what is younger, or none of ours, stays as it is');
    const shed = (entry: Entry | undefined) => entry && { ...entry, body: withoutBytes(entry.body) };
    t.strictSame([first, second], old.slice(0, 2).map(shed), 'the rest stays, at its time');
    t.strictSame(await store.entries({ kind: 'quarantine', id: 'q-2' }), [second]);
    t.equal(await store.shedQuarantine(young.recordedAt), 0, 'once');
    t.strictSame(await store.entries({ kind: 'quarantine' }), [third, other, second, first]);
    const again = await store.appendEntry({ kind: 'quarantine', id: 'q-2', body: second?.body ?? '' });
    t.ok((await store.entries({ kind: 'quarantine', id: 'q-2' })).length >= 1, `${again.recordedAt}: still taken`);
  });
}

function refused(id: string, message: Partial<QuarantinedMessage>): NewEntry {
  const body: QuarantinedMessage = {
    reason: 'signature',
    detail: 'It does not match.',
    transport: 'bus',
    sender: 'nephometer/metering.sample',
    agent_id: 'agent-1',
    message_id: null,
    from: 1_767_225_600_000_000,
    to: 1_767_225_660_000_000,
    samples: 3,
    received: 1_767_225_661_000_000,
    size: 5,
    bytes: 'c2hvcnQ=',
    state: 'refused',
    ...message,
  };
  return { kind: 'quarantine', id, body: JSON.stringify(body) };
}
