import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { defaultConfig } from '../config.ts';
import { KeyMissing } from '../errors.ts';
import { loadKeyring } from './keyring-file.ts';

t.test('without a secret there is no keyring, and the error says how to make one', async (t) => {
  await t.rejects(loadKeyring(defaultConfig(), {}), { code: 'MTR_KEY_MISSING', message: /openssl rand -hex 32/ });
  const config = defaultConfig({ signing: { secret_file: join(t.testdir(), 'none') } });
  await t.rejects(loadKeyring(config, {}), KeyMissing);
});

t.test('a final newline is not part of the secret; an empty file is none', async (t) => {
  const file = join(t.testdir(), 'secret');
  const config = defaultConfig({ signing: { secret_file: file } });
  for (const [content, secret] of [
    ['abc', 'abc'],
    ['abc\n', 'abc'],
    ['abc\r\n', 'abc'],
    ['a\nbc\n\n', 'a\nbc\n'],
  ] as const) {
    await writeFile(file, content);
    const { secret: bytes } = (await loadKeyring(config, {})).signingKey('any');
    t.equal(Buffer.from(bytes).toString(), secret);
  }
  await writeFile(file, '\n');
  await t.rejects(loadKeyring(config, {}), /is empty/);
});

t.test('the environment wins over the file', async (t) => {
  const folder = t.testdir({ one: 'one', two: 'two' });
  const config = defaultConfig({ signing: { secret_file: join(folder, 'one') } });
  const keyring = await loadKeyring(config, { NEPHOMETER_SECRET_FILE: join(folder, 'two') });
  t.equal(Buffer.from(keyring.signingKey('any').secret).toString(), 'two');
});
