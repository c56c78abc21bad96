import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Statement } from '@nephometer/core';
import t from 'tap';
import { NEPHOMETER } from '../acceptance/nephometer.ts';
import { AGENT_SECRET, closePeriod } from './closed.ts';

t.setTimeout(300_000);

const { evidence, publicKey, api, id } = await closePeriod('p1');
t.teardown(() => api.stop());

/** A folder with nothing but what a customer was given. */
const folder = mkdtempSync(join(tmpdir(), 'nephometer-verify-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'march.ndjson'), `${evidence.join('\n')}\n`);
writeFileSync(join(folder, 'issuer.pem'), publicKey.pem);
writeFileSync(join(folder, 'agents.secret'), AGENT_SECRET);

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function nephometer(...args: string[]): Ended {
  const env = { PATH: process.env['PATH'] ?? '' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [NEPHOMETER, ...args], { cwd: folder, env });
  return { code: status, out: stdout.toString(), err: stderr.toString() };
}

t.test('a customer checks a statement with no server, configuration or state', async (t) => {
  const { code, out, err } = nephometer('verify', 'march.ndjson', '--public-key', 'issuer.pem');
  t.equal(err, '');
  t.equal(code, 0);
  t.match(out, new RegExp(`Statement ${id}`));
  t.match(out, /instance_hours.*same/);
  t.match(out, /not checked: no keys were given/);
  t.match(out, /on the issuer's word: .*1 readings of another project|2 readings of another project/);
  t.same(readdirSync(folder).toSorted(), ['agents.secret', 'issuer.pem', 'march.ndjson'], 'and nothing was written');
});

t.test('and what agents signed, with their keys', async (t) => {
  const { code, out } = nephometer('verify', 'march.ndjson', '--secret-file', 'agents.secret');
  t.equal(code, 0);
  t.match(out, /agents +ok +\d+ signatures of agents hold/);
  writeFileSync(join(folder, 'agents.secret'), 'another secret');
  const other = nephometer('verify', 'march.ndjson', '--secret-file', 'agents.secret');
  t.equal(other.code, 1);
  t.match(other.out, /agents +WRONG/);
});

t.test('a figure that was changed is named', async (t) => {
  const statement = Statement.parse(JSON.parse(evidence[0] ?? ''));
  const line = statement.usage[0]?.lines[1];
  if (line === undefined) throw new Error('no line');
  line.quantity = '99';
  writeFileSync(join(folder, 'forged.ndjson'), [JSON.stringify(statement), ...evidence.slice(1)].join('\n'));
  const { code, out } = nephometer('verify', 'forged.ndjson', '--public-key', 'issuer.pem');
  t.equal(code, 1);
  t.match(out, /instance_hours +2026-03-02T00:00:00Z +2026-03-03T00:00:00Z.* 99 .*DIFFERS/);
  t.match(out, /lines: instance_hours, 2026-03-02T00:00:00Z.*says 99/);
  const { code: again, out: json } = nephometer('verify', 'forged.ndjson', '--json');
  t.equal(again, 1);
  const report = JSON.parse(json) as { ok: boolean; lines: { ok: boolean }[] };
  t.notOk(report.ok);
  t.equal(report.lines.filter(({ ok }) => !ok).length, 1);
});

t.test('a file that is not there, and keys that are none', async (t) => {
  const missing = nephometer('verify', 'april.ndjson');
  t.equal(missing.code, 65);
  t.match(missing.err, /Cannot read april\.ndjson/);
  t.match(nephometer('verify', '.'), { code: 65, err: /Cannot read \.: it is a folder/ });
  const key = nephometer('verify', 'march.ndjson', '--public-key', 'march.ndjson');
  t.equal(key.code, 78);
});

t.test('a file that is something else is told in a line', (t) => {
  const [statement = '', ...records] = evidence;
  const { tz: _tz, ...without } = JSON.parse(statement) as { tz: string };
  const hint = /; the first line has to be the statement, as `nephometer statement evidence` writes it\n/;
  const cases: readonly (readonly [text: string, said: RegExp])[] = [
    ['', /file: the file is empty\n/],
    ['\n\n', /file: the file is empty\n/],
    [[JSON.stringify(without), ...records].join('\n'), /file: line 1: tz must be a text; the first line/],
    [[...records, statement].join('\n'), hint],
    [JSON.stringify(JSON.parse(statement), null, 1), hint],
    ['x'.repeat(5_000_000), hint],
    [statement, /evidence: the file holds the statement alone; `nephometer statement evidence` writes it/],
    [[statement, '{"kind":"bill"}'].join('\n'), /file: line 2: kind must be one of 'batch' \| 'sample' \|/],
  ];
  for (const [text, said] of cases) {
    writeFileSync(join(folder, 'other.ndjson'), text);
    const { code, out } = nephometer('verify', 'other.ndjson');
    t.equal(code, 1);
    t.match(out, said);
    t.notMatch(out, /Invalid|✖/);
    t.ok(out.length < 8000, `${out.length} characters`);
  }
  writeFileSync(join(folder, 'marked.ndjson'), `\uFEFF${evidence.join('\r\n')}\r\n`);
  t.equal(nephometer('verify', 'marked.ndjson').code, 0, 'what an editor of Windows adds changes nothing');
  t.end();
});
