import {
  EvidenceDigest,
  EvidenceRecord,
  headerDigest,
  SharedSecretKeyring,
  SignedHeader,
  Statement,
  StatementKey,
  merkleRoot,
  verifyEvidence,
} from '@nephometer/core';
import type { Keyring, VerifyReport } from '@nephometer/core';
import t from 'tap';
import { AGENT_SECRET, closePeriod } from './closed.ts';

t.setTimeout(300_000);

const { evidence, publicKey, api, statement: closedText } = await closePeriod('p1');
t.teardown(() => api.stop());

const KEYS = new SharedSecretKeyring(AGENT_SECRET);
const FORGER = new StatementKey(StatementKey.make());

const statementOf = (lines: readonly string[]): Statement => Statement.parse(JSON.parse(lines[0] ?? ''));
const recordsOf = (lines: readonly string[]): EvidenceRecord[] =>
  lines.slice(1).map((line) => EvidenceRecord.parse(JSON.parse(line)));
const textOf = (statement: Statement, records: readonly EvidenceRecord[]): string[] =>
  [statement, ...records].map((one) => JSON.stringify(one));

function verify(lines: readonly string[], keys: Keyring | null = KEYS): Promise<VerifyReport> {
  return verifyEvidence(lines, { publicKey, keys });
}

const wrong = ({ checks }: VerifyReport): string[] => checks.filter(({ ok }) => ok === false).map(({ check }) => check);
const faults = ({ checks }: VerifyReport): string => checks.flatMap((check) => check.faults).join('\n');

/** The evidence with one record changed. */
function withRecord(change: (record: EvidenceRecord) => EvidenceRecord | null): string[] {
  let done = false;
  const records = recordsOf(evidence).flatMap((record) => {
    const changed = done ? record : change(record);
    if (changed !== record) done = true;
    return changed ?? [];
  });
  if (!done) throw new Error('nothing was changed');
  return textOf(statementOf(evidence), records);
}

/** With another figure in its first line. */
function withFigure(statement: Statement): Statement {
  const forged = structuredClone(statement);
  const line = forged.usage[0]?.lines[0];
  if (line === undefined) throw new Error('no line');
  line.quantity = '12345';
  return forged;
}

/** As a forger who holds a key of his own would sign what he made up. */
function resigned(statement: Statement, records: readonly EvidenceRecord[], key: StatementKey): string[] {
  const { digest: _digest, signature: _signature, ...content } = statement;
  const digest = new EvidenceDigest();
  for (const record of records) digest.add(record);
  const summary = { ...digest.summary(), detail: content.evidence.detail };
  return textOf(key.sign({ ...content, evidence: summary }), records);
}

t.test('what was not changed holds, with keys and without', async (t) => {
  const report = await verify(evidence);
  t.same(wrong(report), []);
  t.ok(report.checks.every(({ ok }) => ok === true));
  t.equal(report.lines.length, 6, 'two days of three quantities');
  const alone = await verifyEvidence(evidence, { publicKey: null, keys: null });
  t.ok(alone.ok);
  t.same(
    alone.checks.filter(({ ok }) => ok === null).map(({ check }) => check),
    ['issuer', 'agents'],
    'what was not looked at is told',
  );
});

t.test('a figure that was changed', async (t) => {
  const report = await verify(textOf(withFigure(statementOf(evidence)), recordsOf(evidence)));
  t.same(wrong(report), ['statement', 'signature', 'issuer', 'lines']);
  t.match(
    faults(report),
    /instance_hours, 2026-03-01T00:00:00Z to 2026-03-02T00:00:00Z.*says 12345, its samples give \d/,
  );
  t.equal(report.lines.filter(({ ok }) => !ok).length, 1, 'and no other line');
});

t.test('a figure that was changed, and signed by the forger', async (t) => {
  const lines = resigned(withFigure(statementOf(evidence)), recordsOf(evidence), FORGER);
  t.same(wrong(await verify(lines)), ['issuer', 'lines']);
  const trusting = await verifyEvidence(lines, { publicKey: null, keys: null });
  t.same(wrong(trusting), ['lines'], 'the samples tell it without any key');
});

t.test("another's key under the same content", async (t) => {
  const lines = resigned(statementOf(evidence), recordsOf(evidence), FORGER);
  t.same(wrong(await verify(lines)), ['issuer']);
});

t.test('a signature that is of something else', async (t) => {
  const statement = statementOf(evidence);
  statement.signature.value = FORGER.sign(statement).signature.value;
  t.same(wrong(await verify(textOf(statement, recordsOf(evidence)))), ['signature', 'issuer']);
});

t.test('a definition that was changed', async (t) => {
  const statement = statementOf(evidence);
  const [part] = statement.usage;
  if (part !== undefined) part.definition.conversion = '2';
  const report = await verify(textOf(statement, recordsOf(evidence)));
  t.same(wrong(report), ['statement', 'signature', 'issuer', 'lines']);
  t.match(faults(report), /the definition instance_hours does not have the hash/);
});

t.test('a sample that was changed', async (t) => {
  const lines = withRecord((record) => {
    if (record.kind !== 'sample' || !record.text.includes('"vcpus"')) return record;
    return { ...record, text: record.text.replace('"project_id":"p1"', '"project_id":"p1" ') };
  });
  const report = await verify(lines);
  t.same(wrong(report), ['evidence', 'samples']);
  t.match(faults(report), /its path does not lead to the root/);
});

t.test('a sample that was left out', async (t) => {
  const report = await verify(withRecord((record) => (record.kind === 'sample' ? null : record)));
  t.ok(wrong(report).includes('evidence'));
  t.match(faults(report), /samples: found \d+, the statement was made from \d+/);
});

t.test('a path that leads elsewhere', async (t) => {
  const lines = withRecord((record) => {
    if (record.kind !== 'sample' || record.path == null) return record;
    return { ...record, path: record.path.map((hash, i) => (i === 0 ? 'a'.repeat(64) : hash)) };
  });
  t.same(wrong(await verify(lines)), ['samples']);
});

t.test('a sample at another place of its batch', async (t) => {
  const lines = withRecord((record) => (record.kind === 'sample' ? { ...record, index: record.index + 1 } : record));
  t.ok(wrong(await verify(lines)).includes('samples'));
});

t.test("another customer's sample", async (t) => {
  const other = await closePeriod('p3');
  t.teardown(() => other.api.stop());
  const batches = new Set(recordsOf(evidence).flatMap((record) => (record.kind === 'batch' ? record.digest : [])));
  const foreign = recordsOf(other.evidence).find((record) => record.kind === 'sample' && batches.has(record.batch));
  if (foreign === undefined) throw new Error('no sample of p3');
  const report = await verify([...evidence, JSON.stringify(foreign)]);
  t.ok(wrong(report).includes('samples'));
  t.match(faults(report), /is of project "p3"/);
});

t.test('a header that was changed', async (t) => {
  const lines = withRecord((record) => {
    if (record.kind !== 'batch') return record;
    const header = SignedHeader.parse(JSON.parse(record.header));
    return { ...record, header: JSON.stringify({ ...header, created: header.created + 1 }) };
  });
  const report = await verify(lines);
  t.ok(wrong(report).includes('batches'));
  t.match(faults(report), /its header has the digest/);
});

t.test('a batch that was left out', async (t) => {
  const report = await verify(withRecord((record) => (record.kind === 'batch' ? null : record)));
  t.ok(wrong(report).includes('evidence'));
  t.ok(wrong(report).includes('samples'));
});

t.test('when a batch was recorded', async (t) => {
  const lines = withRecord((record) =>
    record.kind === 'batch' ? { ...record, recorded_at: '2026-03-03T00:00:00Z' } : record,
  );
  t.ok(wrong(await verify(lines)).includes('evidence'));
});

t.test('whoever holds the statement key can make up everything but what agents signed', async (t) => {
  const records = recordsOf(evidence);
  const own = records.find((record) => record.kind === 'sample');
  if (own?.kind !== 'sample') throw new Error('no sample');
  const text = own.text.replace('"user_id":"user-1"', '"user_id":"user-2"');
  t.not(text, own.text);
  const renamed = new Map<string, string>();
  const forged = records.map((record): EvidenceRecord => {
    if (record.kind !== 'batch' || record.digest !== own.batch) return record;
    const header = { ...SignedHeader.parse(JSON.parse(record.header)), samples: 1, merkle_root: merkleRoot([text]) };
    const digest = headerDigest(header);
    renamed.set(own.batch, digest);
    return { ...record, digest, header: JSON.stringify(header) };
  });
  const kept = forged.filter((record) => record.kind !== 'sample' || record.batch !== own.batch);
  kept.push({ ...own, batch: renamed.get(own.batch) ?? '', index: 0, text, path: [] });
  const lines = resigned(statementOf(evidence), kept, FORGER);
  t.ok(wrong(await verifyEvidence(lines, { publicKey: FORGER.publicKey, keys: KEYS })).includes('agents'));
  const without = await verifyEvidence(lines, { publicKey: FORGER.publicKey, keys: null });
  t.notOk(wrong(without).includes('agents'), 'and that shows only to who has their keys');
  t.ok(wrong(without).includes('batches'), 'or by the chain of batches');
});

t.test('a file that was cut, is empty, or is something else', async (t) => {
  t.ok(wrong(await verify(evidence.slice(0, -5))).includes('evidence'));
  const half = await verify([...evidence.slice(0, -1), (evidence.at(-1) ?? '').slice(0, 40)]);
  t.ok(wrong(half).includes('file'));
  for (const lines of [[], [''], ['{}'], ['hello'], ['[1]', '2'], [closedText.slice(0, 100)]]) {
    const report = await verify(lines);
    t.notOk(report.ok);
    t.same(wrong(report), ['file']);
  }
});
