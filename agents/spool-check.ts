/**
 * Walks a spool from end to end in a process of its own: `node spool-check.js FOLDER`. An engine that maps its file
 * into memory dies of a damaged one rather than tell; here it may. Exits 0 when the structure is sound.
 */
import { open } from 'lmdb';
import { DiskReserve } from './disk-reserve.ts';
import { SPOOL_OPTIONS } from './spool-record.ts';

const folder = process.argv[2];
if (folder === undefined) throw new RangeError('Name the folder of the spool.');
const root = open<Buffer, number>({ ...SPOOL_OPTIONS, path: folder });
let sum = 0;
for (const name of ['entries', 'bodies']) {
  const table = root.openDB<Buffer, number>({ name, encoding: 'binary' });
  let last = -1;
  for (const { key, value } of table.getRange()) {
    if (typeof key !== 'number' || key <= last) throw new Error(`Table ${name} is out of order at ${String(key)}.`);
    last = key;
    sum += value.length;
  }
  if (!new DiskReserve(folder).hasRoom(0)) continue;
  // Writing and taking away walks the list of free pages too.
  root.transactionSync(() => table.putSync(Number.MAX_SAFE_INTEGER, Buffer.alloc(16)));
  root.transactionSync(() => table.removeSync(Number.MAX_SAFE_INTEGER));
}
await root.close();
process.stdout.write(`${sum}\n`);
