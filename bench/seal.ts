import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@nephometer/core';
import type { Spool } from '@nephometer/core';
import { open } from 'lmdb';
import type { RootDatabase } from 'lmdb';
import { openLmdbSpool } from 'nephometer-agent';
import type { SealedBatch } from 'nephometer-agent';
import { benchAgent, makeBatches, SAMPLES_A_BATCH, scaled } from './batches.ts';
import type { Bench } from './measure.ts';

const MAP_BYTES = 2 ** 28;

/** What an agent does with the readings of a tick until they are safe on disk, beside the disk's own part of it. */
export const sealBench: Bench = {
  name: 'seal',
  title: "sign, seal and spool the agent's ticks, beside lmdb putting finished bodies",
  unit: 'sample',
  async prepare(scale) {
    const folder = await mkdtemp(join(tmpdir(), 'nephometer-bench-'));
    const bare = open<Buffer, number>({
      path: join(folder, 'bare'),
      noSubdir: false,
      encoding: 'binary',
      overlappingSync: false,
      mapSize: MAP_BYTES,
    });
    const limits = { maxBytes: MAP_BYTES, whenFull: 'refuse-new' } as const;
    const spool = await openLmdbSpool({ folder: join(folder, 'spool'), ...limits, log: silentLogger });
    const agent = benchAgent(spool);
    const count = scaled(20, scale);
    let finished: SealedBatch[] = [];
    const before = async (): Promise<void> => void (finished = await makeBatches(count));
    const after = (): Promise<void> => spool.release(finished.map(({ digest }) => digest));
    return {
      units: count * SAMPLES_A_BATCH,
      subjects: [
        { name: 'lmdb puts, one transaction a body', before, run: () => putAll(bare, finished) },
        { name: 'spool.append', before, after, run: () => appendAll(spool, finished) },
        {
          name: 'sign, seal, spool.append',
          after,
          run: async () => (finished = await tickAll(agent, count)).length * SAMPLES_A_BATCH,
        },
      ],
      async close() {
        await bare.close();
        await spool.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
};

/** As the spool does, each body is on the disk before the next. */
function putAll(root: RootDatabase<Buffer, number>, batches: readonly SealedBatch[]): number {
  batches.forEach(({ body }, i) => {
    root.transactionSync(() => root.putSync(i, Buffer.from(body)));
  });
  return batches.length * SAMPLES_A_BATCH;
}

async function appendAll(spool: Spool, batches: readonly SealedBatch[]): Promise<number> {
  for (const batch of batches) await spool.append(batch);
  return batches.length * SAMPLES_A_BATCH;
}

async function tickAll(agent: ReturnType<typeof benchAgent>, count: number): Promise<SealedBatch[]> {
  const sealed: SealedBatch[] = [];
  for (let i = 0; i < count; i++) sealed.push(await agent.tick());
  return sealed;
}
