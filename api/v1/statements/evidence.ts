import { Readable } from 'node:stream';
import { Statement } from '@nephometer/core';
import type { EvidenceRecord } from '@nephometer/core';
import type { ApiOptions, Handler } from '../../context.ts';
import { readParameters } from '../request.ts';
import { NoQuery } from '../requests.ts';
import { statementsOf } from './close.ts';
import type { Gathered } from './gather.ts';
import { SamplePaths } from './paths.ts';
import { wantedHead } from './show.ts';

/** GET /v1/statements/{id}/evidence: the statement, and all that it stands on, a line of JSON each. */
export function showStatementEvidence(options: ApiOptions): Handler {
  const desk = statementsOf(options);
  return async (ctx) => {
    readParameters(ctx, NoQuery);
    const head = await wantedHead(ctx, desk);
    const text = await desk.book.text(head);
    const statement = Statement.parse(JSON.parse(text));
    const gathered = await desk.gather(statement);
    const paths = await readPaths(options, gathered, statement);
    ctx.type = 'application/x-ndjson; charset=utf-8';
    ctx.attachment(`statement-${head.id}.ndjson`);
    ctx.body = Readable.from(pieces(text, gathered.records(statement.evidence.detail), paths));
  };
}

async function readPaths({ store }: ApiOptions, gathered: Gathered, statement: Statement): Promise<SamplePaths> {
  const digests = new Set<string>();
  for await (const record of gathered.records(statement.evidence.detail)) {
    if (record.kind === 'sample' || record.kind === 'version') digests.add(record.batch);
  }
  return SamplePaths.read(store, gathered, digests);
}

const CHUNK = 64 * 1024;

async function* pieces(
  statement: string,
  records: AsyncIterable<EvidenceRecord>,
  paths: SamplePaths,
): AsyncGenerator<string> {
  let text = `${statement}\n`;
  for await (const record of records) {
    if (text.length >= CHUNK) {
      yield text;
      text = '';
    }
    text += `${JSON.stringify(withPath(record, paths))}\n`;
  }
  yield text;
}

function withPath(record: EvidenceRecord, paths: SamplePaths): EvidenceRecord {
  if ((record.kind !== 'sample' && record.kind !== 'version') || !paths.hasHeader(record.batch)) return record;
  return { ...record, path: paths.of(record.batch, record.index) };
}
