import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  EvidenceDigest,
  EvidenceRecord,
  HOUR,
  ManualClock,
  MINUTE,
  SharedSecretKeyring,
  Statement,
  StatementKey,
  StatementPublicKey,
  uuidv5,
  NEPHOMETER_NAMESPACE,
  verifyEvidence,
} from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import t from 'tap';
import { runNephometer, scratch } from '../acceptance/exports.ts';
import type { Reading } from '../conformance/fixtures.ts';
import { startApi } from '../usage/api.ts';
import { arrivalsOf, recordArrivals } from '../usage/cloud.ts';
import type { AgentPlan } from '../usage/cloud.ts';
import { at } from '../usage/month.ts';
import { STORES } from '../usage/stores.ts';
import { AGENT_SECRET } from './closed.ts';

t.setTimeout(300_000);

const FROM = at('2026-03-01');
/** Slots at which a second agent, a clone of the first, says something else of the same message. */
const [SECOND_COUNTS, FIRST_COUNTS, NONE_COUNTS] = [FROM + 2 * HOUR, FROM + 4 * HOUR, FROM + 6 * HOUR];

function reading(slot: Micros, volume: string): Reading {
  const id = uuidv5(NEPHOMETER_NAMESPACE, `a conflict ${slot}`);
  return { id, meter: 'vcpus', type: 'gauge', unit: 'vcpu', volume, resource: 'i1', project: 'p1' };
}

const agent = (id: string, readings: AgentPlan['readings']): AgentPlan => ({ id, meters: ['vcpus'], readings });
const ARRIVALS = arrivalsOf({
  from: FROM - HOUR,
  to: FROM + 9 * HOUR,
  interval: 15 * MINUTE,
  batchEvery: HOUR,
  agents: [
    agent('node-1', (slot) => [reading(slot, '2')]),
    agent('node-2', (slot) => ([SECOND_COUNTS, FIRST_COUNTS, NONE_COUNTS].includes(slot) ? [reading(slot, '16')] : [])),
  ],
});

interface Conflict {
  readonly message_id: string;
  readonly versions: readonly { readonly agent_id: string; readonly batch_digest: string }[];
}

for (const [name, prepare] of Object.entries(STORES)) {
  t.test(
    `${name}: which version of a message was computed with is told, and follows from what is carried`,
    async (t) => {
      const clock = new ManualClock(FROM - HOUR);
      const store = await (await prepare()).open(clock);
      await recordArrivals(store, clock, ARRIVALS);
      const api = await startApi(store, clock);
      t.teardown(async () => {
        await api.stop();
        await store.close();
      });
      const { conflicts } = (await api.get('/v1/conflicts?order=oldest')).json as { conflicts: Conflict[] };
      t.equal(conflicts.length, 3);
      for (const [i, wanted] of ['node-2', 'node-1', null].entries()) {
        const { message_id: id = '', versions = [] } = conflicts[i] ?? {};
        const keep = versions.find(({ agent_id: by }) => by === wanted)?.batch_digest ?? null;
        clock.jump(MINUTE);
        t.equal((await api.post(`/v1/conflicts/${id}/resolve`, { keep, why: `because of ${i}` })).status, 200);
      }
      clock.jump(24 * HOUR);
      const asked = { project_id: 'p1', from: '2026-03-01', to: '2026-03-01T08:00', definitions: ['vcpu_hours'] };
      const answer = await api.post('/v1/statements', asked);
      t.equal(answer.status, 201, answer.text);
      const [{ statement_id: id }] = (answer.json as { statements: [{ statement_id: string }] }).statements;
      const lines = (await api.get(`/v1/statements/${id}/evidence`)).text.trimEnd().split('\n');
      const key = (await api.get('/v1/statements/key')).json as { public_key: string };
      const publicKey = StatementPublicKey.fromBase64(key.public_key);
      const keys = new SharedSecretKeyring(AGENT_SECRET);

      const report = await verifyEvidence(lines, { publicKey, keys });
      t.same(
        report.checks.filter(({ ok }) => ok !== true),
        [],
        'every sample and version leads to its batch',
      );
      t.match(
        report.resolutions.map(({ counted, set_aside: aside, by, why }) => [
          counted,
          aside.map(({ volume }) => volume),
          by,
          why,
        ]),
        [
          ['16', ['2'], 'admin', 'because of 0'],
          ['2', ['16'], 'admin', 'because of 1'],
          [null, ['2', '16'], 'admin', 'because of 2'],
        ],
      );
      // A quarter of an hour at 16, one that is not known, the rest at 2.
      t.equal(report.lines[0]?.frozen?.quantity, String(16 / 4 + (8 - 2 / 4) * 2));

      const file = join(scratch(t), 'evidence.ndjson');
      writeFileSync(file, lines.join('\n'));
      const { code, stdout } = await runNephometer(api.url, ['verify', file]);
      t.equal(code, 0);
      t.match(stdout, /\nmessage in conflict +counts +set aside +decided/);
      t.match(stdout, /[0-9a-f-]{36} +16 +2 +2026-03-01T\S+Z +admin +because of 0\n/);
      t.match(stdout, /[0-9a-f-]{36} +none +2, 16 /);
      t.match(stdout, /on the issuer's word: .*; of 3 messages, which version counts/);

      const turned = lines.map((line) => {
        const record = JSON.parse(line) as { kind?: string; why?: string; keep: string | null };
        if (record.kind !== 'resolution' || record.why !== 'because of 0') return line;
        return JSON.stringify({
          ...record,
          keep: conflicts[0]?.versions.find((one) => one.batch_digest !== record.keep)?.batch_digest,
        });
      });
      const wrong = (await verifyEvidence(turned, { publicKey, keys })).checks.filter(({ ok }) => ok === false);
      t.same(
        wrong.map(({ check }) => check),
        ['evidence', 'resolutions'],
      );
      t.match(wrong[1]?.faults, [
        /the version of batch .* is computed with, and it was decided that that of batch/,
        /is set aside, and it was decided that it counts/,
      ]);
      await oldStatementsHold(lines);
    },
  );
}

/** Statements that were made before resolutions were told do not say how many there are. */
async function oldStatementsHold(lines: readonly string[]): Promise<void> {
  const { digest: _digest, signature: _signature, ...content } = Statement.parse(JSON.parse(lines[0] ?? ''));
  const records = lines
    .slice(1)
    .map((line) => EvidenceRecord.parse(JSON.parse(line)))
    .filter(({ kind }) => kind !== 'resolution' && kind !== 'version');
  const digest = new EvidenceDigest();
  for (const record of records) digest.add(record);
  const { resolutions: _resolutions, versions: _versions, ...summary } = digest.summary();
  const key = new StatementKey(StatementKey.make());
  const old = key.sign({ ...content, evidence: { ...summary, detail: content.evidence.detail } });
  const report = await verifyEvidence(
    [old, ...records].map((one) => JSON.stringify(one)),
    { publicKey: key.publicKey, keys: null },
  );
  t.same(
    report.checks.flatMap(({ faults }) => faults),
    [],
  );
}
