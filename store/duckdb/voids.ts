import type { DuckDBConnection } from '@duckdb/node-api';
import { voidOf } from '@nephometer/core';
import type { Entry } from '@nephometer/core';
import { keyOf } from './keys.ts';
import { Bindings, int } from './sql.ts';
import { seriesConditions } from './where.ts';

/** Marks the samples that an entry of kind `void` selects. Within the transaction that appends it. */
export async function markVoided(connection: DuckDBConnection, entry: Entry): Promise<void> {
  const selected = voidOf(entry);
  if (selected === null) return;
  const bindings = new Bindings();
  const bind = (text: string): string => bindings.bind(text);
  const { messageId, agentId, meter, resourceId, source, projectId, from, to, recordedAt } = selected;
  const ofSeries = seriesConditions(
    {
      ...(meter === undefined ? {} : { meter }),
      ...(resourceId === undefined ? {} : { resourceId }),
      ...(source === undefined ? {} : { source }),
      ...(projectId === undefined ? {} : { projectIds: [projectId] }),
    },
    { bind },
  );
  const conditions = [
    'voided_at IS NULL',
    ...(messageId === undefined ? [] : [`message_key = ${keyOf(messageId)} AND message_id = ${bind(messageId)}`]),
    ...(from === undefined ? [] : [`timestamp >= ${int(from)}`]),
    ...(to === undefined ? [] : [`timestamp < ${int(to)}`]),
    ...(ofSeries.length === 0 ? [] : [`series_id IN (SELECT id FROM series WHERE ${ofSeries.join(' AND ')})`]),
    ...(agentId === undefined ? [] : [`batch_id IN (SELECT id FROM batch WHERE agent_id = ${bind(agentId)})`]),
  ];
  await connection.run(
    `UPDATE sample SET voided_at = ${int(recordedAt)} WHERE ${conditions.join(' AND ')}`,
    bindings.values,
  );
}
