import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { isUuid } from '@nephometer/core';
import { agentIdentity } from './identity.ts';
import { testConfig } from './test-kit.ts';

t.test('the id is made at first start and kept, for the owner alone', async (t) => {
  const folder = join(t.testdir(), 'state');
  const id = await agentIdentity(folder, testConfig());
  t.ok(isUuid(id));
  t.equal(await agentIdentity(folder, testConfig()), id);
  t.equal((await stat(join(folder, 'agent-id'))).mode & 0o777, 0o600);
  t.equal(await readFile(join(folder, 'agent-id'), 'utf8'), `${id}\n`);
});

t.test('the configuration goes first; a file that holds no id is an error', async (t) => {
  const folder = t.testdir();
  t.equal(await agentIdentity(folder, testConfig({ agent: { id: 'node-7' } })), 'node-7');
  await writeFile(join(folder, 'agent-id'), 'not an id!');
  await t.rejects(agentIdentity(folder, testConfig()), { code: 'MTR_CONFIG', message: /holds no agent id/ });
});

t.test('agents that start at one moment agree on one id', async (t) => {
  const folder = join(t.testdir(), 'state');
  const ids = await Promise.all(Array.from({ length: 8 }, () => agentIdentity(folder, testConfig())));
  t.equal(new Set(ids).size, 1);
});
