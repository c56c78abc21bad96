import {
  HOUR,
  ManualClock,
  SharedSecretKeyring,
  Statement,
  StatementPublicKey,
  verifyEvidence,
} from '@nephometer/core';
import type { Store, VerifyReport } from '@nephometer/core';
import t from 'tap';
import { read, startApi } from '../usage/api.ts';
import type { Asking } from '../usage/api.ts';
import { recordArrivals } from '../usage/cloud.ts';
import { ARRIVALS, at } from '../usage/month.ts';
import { STORES } from '../usage/stores.ts';

t.setTimeout(900_000);

const KEYS = new SharedSecretKeyring(new TextEncoder().encode('a synthetic cloud'));
const MARCH = { period: '2026-03', tz: 'Europe/Berlin' };

interface Closed {
  readonly statements: readonly {
    readonly statement_id: string;
    readonly project_id: string | null;
    readonly created: boolean;
  }[];
  readonly refused: readonly unknown[];
}

async function publicKey(api: Asking): Promise<StatementPublicKey> {
  const { public_key: key } = (await api.get('/v1/statements/key')).json as { public_key: string };
  return StatementPublicKey.fromBase64(key);
}

async function close(api: Asking, body: Record<string, unknown>): Promise<Closed> {
  const answer = await api.post('/v1/statements', body);
  if (answer.status >= 400) throw new Error(answer.text);
  return answer.json as Closed;
}

const faultsOf = ({ checks }: VerifyReport): string[] =>
  checks.flatMap(({ check, faults }) => faults.map((fault) => `${check}: ${fault}`));

for (const [name, prepare] of Object.entries(STORES)) {
  t.test(`${name}: a month is closed, stays as it is, and is verified away from the server`, async (t) => {
    const clock = new ManualClock(at('2026-02-27'));
    const data = await prepare();
    let store: Store = await data.open(clock);
    const late = ARRIVALS.findIndex(({ at: arrived }) => arrived > at('2026-03-10'));
    await recordArrivals(
      store,
      clock,
      ARRIVALS.filter((_, i) => i !== late),
    );
    clock.jump(at('2026-04-02T06:00:00') - clock.now());
    let api = await startApi(store, clock);
    const { statements } = await close(api, MARCH);
    t.same(
      statements.map(({ project_id: project }) => project),
      ['p1', 'p2'],
    );
    const texts = new Map<string, string>();
    for (const { statement_id: id } of statements) {
      const answer = await api.get(`/v1/statements/${id}`);
      read(answer, Statement);
      texts.set(id, answer.text);
      const evidence = await api.get(`/v1/statements/${id}/evidence`);
      t.equal(evidence.status, 200);
      const lines = evidence.text.trimEnd().split('\n');
      t.equal(lines[0], answer.text, 'the statement as it is');
      const report = await verifyEvidence(lines, { publicKey: await publicKey(api), keys: KEYS });
      t.same(faultsOf(report), []);
      t.same(
        report.checks.map(({ ok }) => ok),
        report.checks.map(() => true),
      );
      t.ok(report.lines.length > 3);
      t.notOk(evidence.text.includes(report.statement?.project_id === 'p1' ? '"p2"' : '"p1"'));
    }
    // A batch that was late, a void and a restart.
    clock.jump(HOUR);
    await recordArrivals(store, clock, ARRIVALS.slice(late, late + 1));
    const selector = { meter: 'vcpus', resource_id: 'i1', from: '2026-03-25T06:00:00Z', to: '2026-03-25T09:00:00Z' };
    t.equal((await api.post('/v1/voids', { selector, reason: 'counted the wrong host' })).status, 201);
    await api.stop();
    if (data.persists) {
      await store.close();
      store = await data.open(clock);
    }
    clock.jump(HOUR);
    api = await startApi(store, clock);
    const again = await close(api, MARCH);
    t.same(
      again.statements.map(({ created }) => created),
      [false, false],
    );
    for (const [id, text] of texts) {
      t.equal((await api.get(`/v1/statements/${id}`)).text, text);
      const evidence = await api.get(`/v1/statements/${id}/evidence`);
      const report = await verifyEvidence(evidence.text.trimEnd().split('\n'), {
        publicKey: await publicKey(api),
        keys: KEYS,
      });
      t.same(faultsOf(report), []);
    }
    await api.stop();
    await store.close();
  });
}
