/** For the test that kills it: appends batches, and names on standard output each one that the spool has taken. */
import { silentLogger } from '@nephometer/core';
import { openLmdbSpool } from './spool.ts';
import { batch } from './test-kit.ts';

const [folder = '', first = '1'] = process.argv.slice(2);
const spool = await openLmdbSpool({ folder, maxBytes: 2 ** 26, whenFull: 'refuse-new', log: silentLogger });
for (let seq = Number(first); ; seq += 1) {
  await spool.append(batch(seq, 20_000));
  process.stdout.write(`${seq}\n`);
  await new Promise((resolve) => setImmediate(resolve));
}
