import type { StoredSample } from '@nephometer/core';
import { identityOf } from '../auth.ts';
import type { ApiOptions, Handler } from '../context.ts';
import { streamJson } from '../respond.ts';
import { sampleQuery } from './filter.ts';
import { encodeCursor, readParameters, rowLimit } from './request.ts';
import { SamplesQuery } from './requests.ts';
import { sampleText } from './shapes.ts';

/** GET /v1/samples */
export function listSamples({ store, config }: ApiOptions): Handler {
  return async (ctx) => {
    const asked = readParameters(ctx, SamplesQuery);
    const limit = rowLimit(asked.limit, config.api);
    const query = sampleQuery(asked, identityOf(ctx));
    await streamJson(ctx, samplesPage(store.samples({ ...query, limit: limit + 1 }), limit));
  };
}

/** One sample more than the page holds tells whether there is a next page. */
async function* samplesPage(samples: AsyncIterable<StoredSample>, limit: number): AsyncGenerator<string> {
  let last: StoredSample | null = null;
  let next: string | null = null;
  let count = 0;
  yield '{"samples":[';
  for await (const sample of samples) {
    if (count === limit) {
      next = last === null ? null : placeCursor(last);
      break;
    }
    yield `${count > 0 ? ',' : ''}${sampleText(sample)}`;
    last = sample;
    count += 1;
  }
  yield `],"next":${JSON.stringify(next)}}`;
}

function placeCursor({ timestamp, messageId }: StoredSample): string {
  return encodeCursor([timestamp, messageId]);
}

/** GET /v1/conflicts: every version of the samples whose message_id came with different contents. */
export function listConflicts({ store, config }: ApiOptions): Handler {
  return async (ctx) => {
    const asked = readParameters(ctx, SamplesQuery);
    const limit = rowLimit(asked.limit, config.api);
    const query = sampleQuery(asked, identityOf(ctx));
    await streamJson(ctx, conflictsPage(store.conflicts(query), limit));
  };
}

/** Versions that stand side by side are one conflict; of a page the last one's place is the cursor. */
async function* conflictsPage(versions: AsyncIterable<StoredSample>, limit: number): AsyncGenerator<string> {
  let group: StoredSample[] = [];
  let next: string | null = null;
  let count = 0;
  yield '{"conflicts":[';
  for await (const version of versions) {
    const [first] = group;
    if (first !== undefined && !isSamePlace(first, version)) {
      yield `${count > 0 ? ',' : ''}${conflictText(group)}`;
      count += 1;
      group = [];
      if (count === limit) {
        next = placeCursor(first);
        break;
      }
    }
    group.push(version);
  }
  if (group.length > 0) yield `${count > 0 ? ',' : ''}${conflictText(group)}`;
  yield `],"next":${JSON.stringify(next)}}`;
}

function isSamePlace(a: StoredSample, b: StoredSample): boolean {
  return a.messageId === b.messageId && a.timestamp === b.timestamp;
}

function versionText(version: StoredSample): string {
  return `${sampleText(version).slice(0, -1)},"batch_digest":${JSON.stringify(version.batchDigest)}}`;
}

function conflictText(versions: readonly StoredSample[]): string {
  const messageId = JSON.stringify(versions[0]?.messageId ?? '');
  return `{"message_id":${messageId},"versions":[${versions.map(versionText).join(',')}]}`;
}
