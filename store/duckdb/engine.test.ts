import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { MetricRegistry, silentLogger } from '@nephometer/core';
import type { Store } from '@nephometer/core';
import t from 'tap';
import { openDuckDbStore } from './index.ts';
import { SCHEMA_VERSION } from './schema.ts';

const folder = await mkdtemp(join(tmpdir(), 'nephometer-engine-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

const open = (path: string): Promise<Store> =>
  openDuckDbStore({ path, log: silentLogger, metrics: new MetricRegistry() });

t.test('the folder of the file is made', async (t) => {
  const store = await open(join(folder, 'a', 'b', 'store.duckdb'));
  await t.resolves(store.check());
  await store.close();
});

t.test('a file that is no database is refused by name', async (t) => {
  const path = join(folder, 'text.duckdb');
  for (const content of ['', 'This is no database.'.repeat(1000)]) {
    await writeFile(path, content);
    await t.rejects(open(path), { code: 'MTR_STORE_REFUSED', message: /text\.duckdb.*Name another file/ });
  }
  await mkdir(join(folder, 'folder.duckdb'));
  await t.rejects(open(join(folder, 'folder.duckdb')), { code: 'MTR_STORE_REFUSED' });
});

t.test(
  'a file whose middle was overwritten is refused, or fails when it is read; it never answers wrongly',
  async (t) => {
    const path = join(folder, 'damaged.duckdb');
    const store = await open(path);
    await store.appendEntry({ kind: 'key', id: 'a', body: JSON.stringify('x'.repeat(500_000)) });
    await store.close();
    const { open: openFile } = await import('node:fs/promises');
    const file = await openFile(path, 'r+');
    const { size } = await file.stat();
    await file.write(Buffer.alloc(size - 20_000, 0x5a), 0, size - 20_000, 15_000);
    await file.close();
    const outcome = await open(path).then(
      async (damaged) => {
        await t.rejects(damaged.entries({ kind: 'key' }), { code: 'MTR_STORE_UNAVAILABLE' });
        await damaged.close();
        return 'fails when read';
      },
      (cause: { code?: string }) => String(cause.code),
    );
    t.ok(outcome === 'fails when read' || outcome === 'MTR_STORE_REFUSED', outcome);
  },
);

t.test('a file of a newer layout is refused', async (t) => {
  const path = join(folder, 'newer.duckdb');
  await (await open(path)).close();
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run(`INSERT INTO schema_version VALUES (${SCHEMA_VERSION + 1})`);
  connection.closeSync();
  instance.closeSync();
  await t.rejects(open(path), { code: 'MTR_STORE_REFUSED', message: `layout ${SCHEMA_VERSION + 1}` });
});

t.test('this process cannot open a file twice, under whatever name', async (t) => {
  const path = join(folder, 'twice.duckdb');
  const store = await open(path);
  await symlink(path, join(folder, 'link.duckdb'));
  await t.rejects(open(path), { code: 'MTR_STORE_LOCKED', message: /this process itself/ });
  await t.rejects(open(join(folder, 'link.duckdb')), { code: 'MTR_STORE_LOCKED' });
  await store.close();
  await (await open(path)).close();
});

t.test('closing while questions are under way is safe', async (t) => {
  const store = await open(join(folder, 'closing.duckdb'));
  const questions = Array.from({ length: 10 }, () => store.meters({}).catch((cause: { code?: string }) => cause.code));
  await Promise.all([store.close(), store.close(), ...questions]);
  await t.rejects(store.check(), { code: 'MTR_STORE_UNAVAILABLE' });
});
