import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Test } from 'tap';
import { SpoolFull } from '@nephometer/core';
import type { Spool } from '@nephometer/core';
import { openLmdbSpool } from './spool.ts';
import { openMemorySpool } from './spool-memory.ts';
import type { SpoolLimits } from './spool-memory.ts';
import { batch, NEVER, recordingLogger } from './test-kit.ts';

const { log } = recordingLogger();
const ROOMY: SpoolLimits = { maxBytes: 2 ** 24, whenFull: 'refuse-new' };

const KINDS: Record<string, (t: Test, limits: SpoolLimits) => Promise<Spool>> = {
  memory: (_t, limits) => openMemorySpool(limits),
  lmdb: async (t, limits) => {
    const spool = await openLmdbSpool({ folder: join(t.testdir(), 'spool'), log, ...limits });
    t.teardown(() => spool.close());
    return spool;
  },
};

const seqs = async (spool: Spool, resendBefore = 0, limit = 100): Promise<number[]> =>
  (await spool.due({ fresh: resendBefore, backlog: resendBefore }, limit)).map(({ seq }) => seq);

for (const [kind, openSpool] of Object.entries(KINDS)) {
  t.test(`${kind}: what is appended is due, oldest first, the same bytes`, async (t) => {
    const spool = await openSpool(t, ROOMY);
    const batches = [1, 2, 3].map((seq) => batch(seq));
    for (const one of batches) await spool.append(one);
    const due = await spool.due(NEVER, 100);
    t.same(
      due.map(({ seq, samples, created, confirmedAt }) => ({ seq, samples, created, confirmedAt })),
      batches.map(({ seq, samples, created }) => ({ seq, samples, created, confirmedAt: null })),
    );
    for (const [index, { body, digest }] of due.entries()) {
      t.ok(Buffer.from(body).equals(Buffer.from(batches[index]?.body ?? [])));
      t.equal(digest, batches[index]?.digest);
    }
    t.same(await seqs(spool, 0, 2), [1, 2], 'as many as asked for');
    t.match(spool.stats(), { batches: 3, samples: 9, oldest: 1_000_000 });
  });

  t.test(`${kind}: a confirmed batch is due again only when its receipt stays out`, async (t) => {
    const spool = await openSpool(t, ROOMY);
    const batches = [1, 2, 3].map((seq) => batch(seq));
    for (const one of batches) await spool.append(one);
    await spool.markConfirmed([batches[0]?.digest ?? '', batches[1]?.digest ?? '', 'unknown'], 500, 'fresh');
    t.same(await seqs(spool, 500), [3]);
    t.same(await seqs(spool, 501), [1, 2, 3]);
    await spool.markConfirmed([batches[0]?.digest ?? ''], 900, 'fresh');
    t.same(await seqs(spool, 501), [2, 3]);
  });

  t.test(`${kind}: each lane tells what it waits for, and how far receipts have come`, async (t) => {
    const spool = await openSpool(t, ROOMY);
    const [one, two, three] = [batch(1), batch(2), batch(3)];
    for (const each of [one, two, three]) await spool.append(each);
    t.same([spool.awaited('fresh'), spool.awaited('backlog')], [null, null], 'nothing was sent');
    await spool.markConfirmed([two.digest], 300, 'fresh');
    await spool.markConfirmed([one.digest], 400, 'backlog');
    await spool.markConfirmed([three.digest], 500, 'fresh');
    t.same([spool.awaited('fresh'), spool.awaited('backlog')], [300, 400]);
    const due = async (fresh: number, backlog: number): Promise<number[]> =>
      (await spool.due({ fresh, backlog }, 100)).map(({ seq }) => seq);
    t.same(await due(501, 0), [2, 3]);
    t.same(await due(0, 401), [1]);
    t.same(spool.stats().passed, { fresh: null, backlog: null });
    await spool.release([three.digest, one.digest]);
    t.same(spool.stats().passed, { fresh: 500, backlog: 400 });
    t.same([spool.awaited('fresh'), spool.awaited('backlog')], [300, null]);
    await spool.markConfirmed([two.digest], 900, 'backlog');
    t.same([spool.awaited('fresh'), spool.awaited('backlog')], [null, 900], 'sent again, it waits in one lane');
    t.same(await due(1000, 0), []);
  });

  t.test(`${kind}: the oldest are due first, sent before or not`, async (t) => {
    const spool = await openSpool(t, ROOMY);
    const batches = [1, 2, 3, 4, 5, 6].map((seq) => batch(seq));
    for (const one of batches) await spool.append(one);
    await spool.markConfirmed(
      batches.slice(3).map(({ digest }) => digest),
      500,
      'fresh',
    );
    t.same(await seqs(spool, 1000, 1), [1]);
    t.same(await seqs(spool, 1000, 4), [1, 2, 3, 4]);
  });

  t.test(`${kind}: the receipt of what was sent twice proves its first way`, async (t) => {
    const spool = await openSpool(t, ROOMY);
    const [one, two] = [batch(1), batch(2)];
    for (const each of [one, two]) await spool.append(each);
    await spool.markConfirmed([one.digest], 100, 'fresh');
    await spool.markConfirmed([two.digest], 200, 'backlog');
    await spool.markConfirmed([one.digest], 900, 'backlog');
    await spool.release([one.digest]);
    t.same(spool.stats().passed, { fresh: 100, backlog: null }, 'it may be that of the first copy');
  });

  t.test(`${kind}: a receipt frees; an unknown digest does nothing; appending twice is once`, async (t) => {
    const spool = await openSpool(t, ROOMY);
    const [one, two] = [batch(1), batch(2)];
    await spool.append(one);
    await spool.append(two);
    await spool.append(two);
    t.equal(spool.stats().batches, 2);
    await spool.release([one.digest, 'unknown']);
    t.same(await seqs(spool), [2]);
    await spool.release([two.digest]);
    t.match(spool.stats(), { batches: 0, samples: 0, bytes: 0, oldest: null });
  });

  t.test(`${kind}: full, it refuses the new, and takes again when there is room`, async (t) => {
    const spool = await openSpool(t, { maxBytes: 40_000, whenFull: 'refuse-new' });
    let taken = 0;
    const overflow = async (): Promise<void> => {
      for (;;) {
        await spool.append(batch(taken + 1));
        taken += 1;
      }
    };
    await t.rejects(overflow(), SpoolFull);
    t.ok(taken > 3);
    t.same(spool.takeLosses(), [], 'who appends counts what is refused');
    t.ok(spool.stats().bytes <= 40_000);
    await spool.release([batch(1).digest, batch(2).digest]);
    await spool.append(batch(taken + 1));
  });

  t.test(`${kind}: full, it drops the oldest where the policy says so, and tells each loss once`, async (t) => {
    const spool = await openSpool(t, { maxBytes: 40_000, whenFull: 'drop-oldest' });
    for (let seq = 1; seq <= 60; seq += 1) await spool.append(batch(seq));
    const kept = await seqs(spool);
    t.equal(kept.at(-1), 60);
    t.same(
      kept,
      kept.map((_seq, index) => 60 - kept.length + 1 + index),
      'the newest are kept',
    );
    const losses = spool.takeLosses();
    t.equal(
      losses.reduce((sum, { samples }) => sum + samples, 0),
      3 * (60 - kept.length),
    );
    t.ok(losses.every(({ reason }) => reason === 'spool-full'));
    t.same(spool.takeLosses(), []);
    await t.rejects(spool.append(batch(99, 100_000)), SpoolFull, 'one that never fits is refused');
  });
}

async function filled(folder: string, count: number, bytes = 20_000): Promise<void> {
  const spool = await openLmdbSpool({ folder, log, ...ROOMY });
  for (let seq = 1; seq <= count; seq += 1) await spool.append(batch(seq, bytes));
  await spool.close();
}

t.test('lmdb: what was spooled is there after a restart, and what was freed is not', async (t) => {
  const folder = join(t.testdir(), 'spool');
  await filled(folder, 5);
  const spool = await openLmdbSpool({ folder, log, ...ROOMY });
  t.same(await seqs(spool), [1, 2, 3, 4, 5]);
  await spool.release([batch(2, 20_000).digest]);
  await spool.close();
  await spool.close();
  const again = await openLmdbSpool({ folder, log, ...ROOMY });
  t.same(await seqs(again), [1, 3, 4, 5]);
  await again.append(batch(6));
  t.same(await seqs(again), [1, 3, 4, 5, 6]);
  await again.close();
});

t.test('lmdb: a body that rotted is skipped, and its samples are counted', async (t) => {
  const folder = join(t.testdir(), 'spool');
  await filled(folder, 5);
  const file = join(folder, 'data.mdb');
  const content = await readFile(file);
  const at = content.indexOf(batch(3, 20_000).body.subarray(100, 300));
  content.writeUInt8(content.readUInt8(at + 50) ^ 1, at + 50);
  await writeFile(file, content);
  const spool = await openLmdbSpool({ folder, log, ...ROOMY });
  t.teardown(() => spool.close());
  t.same(await seqs(spool), [1, 2, 4, 5]);
  t.same(spool.takeLosses(), [{ reason: 'spool-corrupt', samples: 3, from: 3_000_000, to: 3_000_000 }]);
  t.same(await seqs(spool), [1, 2, 4, 5]);
  t.same(spool.takeLosses(), []);
});

t.test('lmdb: a file cut short is set aside, the rest delivered, the loss told', async (t) => {
  const folder = join(t.testdir(), 'spool');
  await filled(folder, 20);
  const file = join(folder, 'data.mdb');
  const { length } = await readFile(file);
  await truncate(file, Math.floor(length / 2));
  const spool = await openLmdbSpool({ folder, log, ...ROOMY });
  t.teardown(() => spool.close());
  const kept = await seqs(spool);
  t.ok(kept.length > 3 && kept.length < 20, `${kept.length} kept`);
  t.ok((await readdir(folder)).some((name) => name.includes('damaged')));
  const lost = spool.takeLosses().reduce((sum, { samples }) => sum + samples, 0);
  t.equal(lost, 3 * (20 - kept.length), 'to the sample, though the entries are cut off too');
  await spool.append(batch(21));
  t.same((await seqs(spool)).at(-1), 21);
});

t.test('lmdb: what was freed before a restart is not told as lost when the file is damaged after it', async (t) => {
  const folder = join(t.testdir(), 'spool');
  await filled(folder, 20);
  const first = await openLmdbSpool({ folder, log, ...ROOMY });
  await first.release(Array.from({ length: 20 }, (_, index) => batch(index + 1, 20_000).digest));
  await first.close();
  const second = await openLmdbSpool({ folder, log, ...ROOMY });
  for (let seq = 21; seq <= 25; seq += 1) await second.append(batch(seq));
  await second.close();
  const file = join(folder, 'data.mdb');
  await truncate(file, Math.floor((await readFile(file)).length / 2));
  const third = await openLmdbSpool({ folder, log, ...ROOMY });
  t.teardown(() => third.close());
  const lost = third.takeLosses().reduce((sum, { samples }) => sum + samples, 0);
  t.equal(lost, 3 * (5 - (await seqs(third)).length));
});

t.test('lmdb: a file that is gone is a loss that is told, with its slots', async (t) => {
  const folder = join(t.testdir(), 'spool');
  const spool = await openLmdbSpool({ folder, log, ...ROOMY });
  for (let seq = 1; seq <= 5; seq += 1) {
    await spool.append({ ...batch(seq), slots: { from: seq * 1_000_000 - 500, to: seq * 1_000_000 - 500 } });
  }
  await spool.release([batch(1).digest]);
  await spool.close();
  await rm(join(folder, 'data.mdb'));
  const again = await openLmdbSpool({ folder, log, ...ROOMY });
  t.same(again.takeLosses(), [{ reason: 'spool-corrupt', samples: 12, from: 1_999_500, to: 4_999_500 }]);
  again.lossesTold();
  await again.append(batch(6));
  t.same(await seqs(again), [6]);
  await again.release([batch(6).digest]);
  await again.close();
  await rm(join(folder, 'data.mdb'));
  const empty = await openLmdbSpool({ folder, log, ...ROOMY });
  t.same(empty.takeLosses(), [], 'nothing waited, nothing is lost');
  await empty.close();
});

t.test('lmdb: whatever is flipped, it starts and takes batches', async (t) => {
  for (const offset of [16, 24, 32, 4096 + 16, 4096 + 24, 8192 + 4, 12288 + 8]) {
    const folder = join(t.testdir({}), `spool-${offset}`);
    await filled(folder, 12);
    const file = join(folder, 'data.mdb');
    const content = await readFile(file);
    for (let at = offset; at < offset + 8; at += 1) content.writeUInt8(content.readUInt8(at) ^ 0x55, at);
    await writeFile(file, content);
    const spool = await openLmdbSpool({ folder, log, ...ROOMY });
    const kept = await seqs(spool);
    const lost = spool.takeLosses().length;
    t.ok(kept.length + lost >= 11, `flipped at ${offset}: ${kept.length} kept, ${lost} told`);
    await spool.append(batch(13));
    t.ok((await seqs(spool)).includes(13));
    await spool.close();
  }
});

t.test('lmdb: a file of noise is set aside', async (t) => {
  const folder = t.testdir({ 'data.mdb': 'noise '.repeat(10_000) });
  const spool = await openLmdbSpool({ folder, log, ...ROOMY });
  t.teardown(() => spool.close());
  await spool.append(batch(1));
  t.same(await seqs(spool), [1]);
});

t.test('lmdb: a second process does not get the spool; the lock of a dead one does not matter', async (t) => {
  const folder = join(t.testdir(), 'spool');
  const spool = await openLmdbSpool({ folder, log, ...ROOMY });
  await t.rejects(openLmdbSpool({ folder, log, ...ROOMY }), { code: 'MTR_CONFIG', message: /in use by process \d+/ });
  await spool.append(batch(1));
  await spool.close();
  await writeFile(join(folder, 'pid'), '1 0');
  const again = await openLmdbSpool({ folder, log, ...ROOMY });
  t.same(await seqs(again), [1]);
  await again.close();
});

t.test('lmdb: on a full disk it refuses, frees, restarts, and goes on without a restart', async (t) => {
  const disk = smallDisk(t, 8);
  if (disk === null) {
    t.comment('no right to mount a small disk here');
    return;
  }
  const folder = join(disk, 'spool');
  let spool = await openLmdbSpool({ folder, log, ...ROOMY });
  const ballast = join(disk, 'foreign');
  for (let seq = 1; seq <= 10; seq += 1) await spool.append(batch(seq, 50_000));
  await writeFile(ballast, Buffer.alloc(16 * 2 ** 20)).catch(() => undefined);
  await t.rejects(spool.append(batch(11, 50_000)), /disk of the spool .* is full/);
  t.same((await seqs(spool)).length, 10);
  await spool.release([1, 2, 3].map((seq) => batch(seq, 50_000).digest));
  t.same(await seqs(spool), [4, 5, 6, 7, 8, 9, 10], 'receipts free it');
  await spool.close();
  spool = await openLmdbSpool({ folder, log, ...ROOMY });
  t.same(await seqs(spool), [4, 5, 6, 7, 8, 9, 10], 'it starts on a full disk');
  t.same(spool.takeLosses(), []);
  await spool.release([batch(4, 50_000).digest]);
  await rm(ballast);
  await spool.append(batch(11, 50_000));
  t.same(await seqs(spool), [5, 6, 7, 8, 9, 10, 11], 'with room again it takes again');
  await spool.close();
});

t.test('lmdb: on a full disk the oldest go where the policy says so', async (t) => {
  const disk = smallDisk(t, 8);
  if (disk === null) {
    t.comment('no right to mount a small disk here');
    return;
  }
  const spool = await openLmdbSpool({ folder: join(disk, 'spool'), log, maxBytes: 2 ** 24, whenFull: 'drop-oldest' });
  t.teardown(() => spool.close());
  for (let seq = 1; seq <= 40; seq += 1) await spool.append(batch(seq, 50_000));
  await writeFile(join(disk, 'foreign'), Buffer.alloc(16 * 2 ** 20)).catch(() => undefined);
  let refused = 0;
  for (let seq = 41; seq <= 60; seq += 1) {
    await spool.append(batch(seq, 50_000)).catch((cause: unknown) => {
      if (!(cause instanceof SpoolFull)) throw cause;
      refused += 1;
    });
  }
  const kept = await seqs(spool);
  const lost = spool.takeLosses().reduce((sum, { samples }) => sum + samples, 0) / 3;
  t.ok(lost > 0);
  t.equal(kept.length + lost + refused, 60, 'every batch is kept, told as lost, or refused');
  t.ok(kept.length > 0);
});

t.test('lmdb: killed at any moment, it has every batch that it took', async (t) => {
  const folder = join(t.testdir(), 'spool');
  const script = fileURLToPath(new URL('spool-writer.js', import.meta.url));
  let taken = 0;
  for (let round = 0; round < 5; round += 1) {
    const writer = spawn(process.execPath, [script, folder, String(taken + 1)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => writer.once('exit', resolve));
    const enough = taken + 3 + round * 2;
    for await (const chunk of writer.stdout) {
      for (const line of String(chunk).trim().split('\n')) taken = Math.max(taken, Number(line));
      if (taken >= enough) writer.kill('SIGKILL');
    }
    await ended;
    const spool = await openLmdbSpool({ folder, log, ...ROOMY });
    const kept = await seqs(spool, 0, 10_000);
    t.ok(kept.length >= taken, `${kept.length} kept of ${taken} taken`);
    t.same(
      kept,
      kept.map((_seq, index) => index + 1),
    );
    t.same(spool.takeLosses(), []);
    taken = kept.length;
    await spool.close();
  }
});

/** A file system of a few MiB; null where that is not allowed. */
function smallDisk(t: Test, mebibytes: number): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'nephometer-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
  t.teardown(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
}
