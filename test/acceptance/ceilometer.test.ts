import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ensurePythonCeilometer, temporaryFolder } from '../servers/index.ts';
import { adminToken, ask, startDaemon } from './nephometer.ts';

const run = promisify(execFile);

interface Vector {
  readonly id: string;
  readonly kind: string;
  readonly secret: string;
  readonly message_json: string;
  readonly verifies: boolean;
}

const vectors = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../fixtures/ceilometer/signature-vectors.json', import.meta.url)), 'utf8'),
) as Vector[];
const [first] = vectors;
if (first === undefined) throw new TypeError('no vectors');
const samples = vectors.filter(
  ({ kind, secret, verifies }) => kind === 'sample' && secret === first.secret && verifies,
);

const folder = temporaryFolder('nephometer-ceilometer');
const secretFile = join(folder, 'secret');
writeFileSync(secretFile, `${first.secret}\n`, { mode: 0o600 });

const up = await startDaemon({ args: ['up', '--no-agents'], env: { NEPHOMETER_SECRET_FILE: secretFile } });
const token = adminToken(up.dataDir);
t.teardown(() => up.process.end());

const post = (body: string): ReturnType<typeof ask> => ask(up.url, token, '/v1/messages', { method: 'POST', body });

const VERIFY = `
import json, sys
from ceilometer.publisher import utils
secret, texts = json.load(sys.stdin)
print(json.dumps([utils.verify_signature(json.loads(text), secret) for text in texts]))
`;

/** What Ceilometer's own code says to some signed texts. */
async function verifiedByCeilometer(texts: readonly string[]): Promise<boolean[]> {
  const python = await ensurePythonCeilometer();
  const child = run(python, ['-c', VERIFY]);
  child.child.stdin?.end(JSON.stringify([first?.secret, texts]));
  return JSON.parse((await child).stdout) as boolean[];
}

void t.test(
  'messages that Ceilometer signed are stored, and come back so that its own code verifies them',
  async (t) => {
    const { status, body } = await post(`[${samples.map(({ message_json: text }) => text).join(',')}]`);
    t.equal(status, 200);
    const results = (body as { results: { message_id: string; outcome: string; reason?: string }[] }).results;
    t.equal(results.length, samples.length, 'one result a message, in order');
    const accepted = samples.filter((_, index) => results[index]?.outcome === 'accepted');
    t.ok(accepted.length > samples.length / 2, `${accepted.length} of ${samples.length} accepted`);
    results.forEach((result, index) => {
      if (result.outcome === 'refused')
        t.not(result.reason, 'signature', `${samples[index]?.id}: refused for ${result.reason}, not for its signature`);
    });
    const texts = await Promise.all(
      accepted.map(async ({ message_json: text }) => {
        const id = (JSON.parse(text.replace(/\b(NaN|-?Infinity)\b/g, 'null')) as { message_id: string }).message_id;
        const answer = await ask(up.url, token, `/v1/samples/${encodeURIComponent(id)}`);
        return (answer.body as { text: string }).text;
      }),
    );
    t.same(
      texts,
      accepted.map(({ message_json: text }) => text),
      'byte for byte as received',
    );
    const verdicts = await verifiedByCeilometer(texts);
    t.ok(verdicts.length === accepted.length && verdicts.every(Boolean), `${verdicts.length} verified by Ceilometer`);
  },
);

void t.test('the same with one byte of the volume changed is in quarantine, reason signature', async (t) => {
  const changed = first.message_json.replace('"counter_volume": 1,', '"counter_volume": 2,');
  t.not(changed, first.message_json);
  t.same(await verifiedByCeilometer([changed]), [false], 'Ceilometer refuses it too');
  const { status, body } = await post(changed);
  t.equal(status, 200);
  t.match(body, { results: [{ outcome: 'refused', reason: 'signature' }] });
  const list = await ask(up.url, token, '/v1/quarantine?reason=signature');
  const [entry] = (list.body as { quarantine: { id: string; reason: string }[] }).quarantine;
  t.equal(entry?.reason, 'signature');
  const whole = await ask(up.url, token, `/v1/quarantine/${entry?.id}`);
  t.equal(
    Buffer.from((whole.body as { bytes: string }).bytes, 'base64').toString(),
    changed,
    'with its original bytes',
  );
});

void t.test('the same message again is a duplicate', async (t) => {
  t.match((await post(first.message_json)).body, { results: [{ outcome: 'duplicate' }] });
});
