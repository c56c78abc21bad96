import type { Identity, Store, StoredSample } from '@nephometer/core';
import { identityOf, visibleTo } from '../auth.ts';
import type { ApiOptions, Handler } from '../context.ts';
import { badRequest } from '../errors.ts';
import { streamJson } from '../respond.ts';
import { withBeside } from './beside.ts';
import { sampleQuestion } from './filter.ts';
import type { SampleQuestion } from './filter.ts';
import { encodeCursor, readParameters, rowLimit } from './request.ts';
import { ConflictsQuery, SamplesQuery } from './requests.ts';
import { sampleText } from './shapes.ts';

/** GET /v1/samples */
export function listSamples({ store, config }: ApiOptions): Handler {
  return async (ctx) => {
    const asked = readParameters(ctx, SamplesQuery);
    const limit = rowLimit(asked.limit, config.api);
    await streamJson(ctx, samplesPage(samplesOf(store, asked, identityOf(ctx), limit + 1), limit));
  };
}

/** At least `most` of those asked for, if there are so many. @throws HttpError 400, 403 */
function samplesOf(store: Store, asked: SamplesQuery, identity: Identity, most: number): AsyncIterable<StoredSample> {
  const { query, matches } = sampleQuestion(asked, identity);
  const { beside, from, to, order } = asked;
  if (beside === undefined) {
    return matches === null ? store.samples({ ...query, limit: most }) : matching(store.samples(query), matches);
  }
  if (from === undefined || to === undefined || order !== 'oldest') {
    throw badRequest('beside: only means something with from, to and order=oldest; add them or leave it out.');
  }
  return withBeside(store, { query, matches, from, to, beside, visible: visibleTo(identity) });
}

async function* matching(
  samples: AsyncIterable<StoredSample>,
  matches: SampleQuestion['matches'],
): AsyncGenerator<StoredSample> {
  for await (const sample of samples) if (matches?.(sample) ?? true) yield sample;
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
    const asked = readParameters(ctx, ConflictsQuery);
    const limit = rowLimit(asked.limit, config.api);
    const { query, matches } = sampleQuestion(asked, identityOf(ctx));
    await streamJson(ctx, conflictsPage(matching(store.conflicts(query), matches), limit));
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
