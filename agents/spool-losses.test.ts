import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openLmdbSpool } from './spool.ts';
import type { LmdbSpoolOptions } from './spool.ts';
import { SpoolLosses } from './spool-losses.ts';
import { batch, NEVER, recordingLogger } from './test-kit.ts';

const { log } = recordingLogger();

t.test('a loss that no spooled report tells of is told after a restart too', async (t) => {
  const options: LmdbSpoolOptions = {
    folder: join(t.testdir(), 'spool'),
    log,
    maxBytes: 60_000,
    whenFull: 'drop-oldest',
  };
  const first = await openLmdbSpool(options);
  for (const seq of [1, 2, 3]) await first.append(batch(seq, 20_000));
  const losses = [{ reason: 'spool-full', samples: 3, from: 1_000_000, to: 1_000_000 }];
  t.same(first.takeLosses(), losses);
  await first.close();

  const second = await openLmdbSpool(options);
  t.same(second.takeLosses(), losses, 'taken, and the process ended before the report was spooled');
  second.lossesTold();
  await second.close();

  const third = await openLmdbSpool(options);
  t.same(third.takeLosses(), []);
  await third.close();
});

t.test('what is lost after losses were taken stays until it is told itself', (t) => {
  const folder = t.testdir();
  const losses = new SpoolLosses(folder);
  losses.add([{ reason: 'spool-full', samples: 2, from: 5, to: 6 }]);
  t.equal(losses.take().length, 1);
  losses.add([
    { reason: 'spool-full', samples: 1, from: 9, to: 9 },
    { reason: 'spool-corrupt', samples: 0, from: null, to: null },
  ]);
  t.same(new SpoolLosses(folder).take(), [
    { reason: 'spool-full', samples: 3, from: 5, to: 9 },
    { reason: 'spool-corrupt', samples: 0, from: null, to: null },
  ]);
  losses.told();
  t.match(new SpoolLosses(folder).take(), [{ samples: 1, from: 9 }, { reason: 'spool-corrupt' }]);
  losses.take();
  losses.told();
  t.same(new SpoolLosses(folder).take(), []);
  t.end();
});

t.test('a file of losses that rotted is no reason not to start', async (t) => {
  const folder = t.testdir({ losses: '[{"reason":' });
  const losses = new SpoolLosses(folder);
  t.same(losses.take(), []);
  t.equal((await readFile(join(folder, 'losses'), 'utf8')).trim(), '[]');
});

t.test('a damaged file is looked through piece by piece: larger than a buffer can be, it is saved too', async (t) => {
  const folder = join(t.testdir(), 'spool');
  const options: LmdbSpoolOptions = { folder, log, maxBytes: 2 ** 24, whenFull: 'refuse-new' };
  const spool = await openLmdbSpool(options);
  for (let seq = 1; seq <= 5; seq += 1) await spool.append(batch(seq, 20_000));
  await spool.close();
  const file = join(folder, 'data.mdb');
  const content = await readFile(file);
  await writeFile(file, content.fill(0x55, 0, 8192));
  // Nothing but a hole in the disk.
  await truncate(file, 2 ** 31 + 2 ** 20);
  const again = await openLmdbSpool(options);
  t.teardown(() => again.close());
  t.same(
    (await again.due(NEVER, 100)).map(({ seq, body }) => [seq, Buffer.from(body).equals(batch(seq, 20_000).body)]),
    [1, 2, 3, 4, 5].map((seq) => [seq, true]),
  );
  t.same(again.takeLosses(), []);
});
