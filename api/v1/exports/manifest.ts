import { createHash } from 'node:crypto';
import type { ExportManifestAnswer, ExportPartitionAnswer, ExportPlanAnswer } from './schemas.ts';
import { joined } from './summary.ts';

type Head = Omit<ExportPlanAnswer, 'partitions'>;

/**
 * The text of a manifest, piece by piece: JSON with a line a partition, its digest last. Whoever has the head and the
 * partitions writes the same bytes.
 */
export async function* manifestPieces(
  { partitions: _partitions, ...head }: Head & { readonly partitions?: unknown },
  partitions: AsyncIterable<ExportPartitionAnswer> | Iterable<ExportPartitionAnswer>,
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const hashed = (text: string): string => {
    hash.update(text);
    return text;
  };
  yield `${hashed(`${JSON.stringify(head).slice(0, -1)},"partitions":[`)}\n`;
  const known: Omit<ExportPartitionAnswer, 'parts'>[] = [];
  for await (const partition of partitions) {
    yield `${known.length === 0 ? '' : `${hashed(',')}\n`}${hashed(JSON.stringify(partition))}`;
    const { parts: _parts, ...rest } = partition;
    known.push(rest);
  }
  yield `\n${hashed(']')}`;
  const sum = (of: 'rows' | 'bytes'): number => known.reduce((all, one) => all + one[of], 0);
  const { totals, completeness } = joined(known);
  const tail = JSON.stringify({ rows: sum('rows'), bytes: sum('bytes'), totals, completeness });
  yield `${hashed(`,${tail.slice(1, -1)}`)},\n`;
  yield `"digest":"${hash.update('}').digest('hex')}"}\n`;
}

/** Whether a manifest is whole and says what its maker wrote. */
export function isManifestWhole({ digest, ...rest }: ExportManifestAnswer): boolean {
  return createHash('sha256').update(JSON.stringify(rest)).digest('hex') === digest;
}
