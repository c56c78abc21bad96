import {
  BehindRetention,
  HOUR,
  merkleProof,
  parseJson,
  SignedHeader,
  toPlain,
  verifyMerkleProof,
} from '@nephometer/core';
import type { LedgerRow, SampleFilter, Store, StoredSample } from '@nephometer/core';
import { identityOf, visibleTo } from '../auth.ts';
import type { ApiOptions, Handler } from '../context.ts';
import { notFound } from '../errors.ts';
import { sendJson } from '../respond.ts';
import { strictJson } from '../strict-json.ts';
import { readParameters } from './request.ts';
import { NoQuery } from './requests.ts';
import { instantText } from './shapes.ts';

/** GET /v1/samples/{message_id}: the signed text as received, and the way from it up to the signed batch header. */
export function showEvidence({ store }: ApiOptions): Handler {
  return async (ctx) => {
    readParameters(ctx, NoQuery);
    const identity = identityOf(ctx);
    const messageId = ctx.params['message_id'] ?? '';
    const sample = await firstOf(store.samples({ ...visibleTo(identity), messageId, limit: 1 }));
    if (sample === null) throw notFound(`There is no sample ${messageId}.`);
    const row = await firstOf(store.ledger({ digest: sample.batchDigest, limit: 1 }));
    sendJson(ctx, await evidenceText(store, sample, row, identity.role === 'admin'));
  };
}

async function firstOf<T>(rows: AsyncIterable<T>): Promise<T | null> {
  for await (const row of rows) return row;
  return null;
}

/** `EvidenceAnswer`. Only admins see the header: its cycle reports name resources of every project. */
async function evidenceText(
  store: Store,
  sample: StoredSample,
  row: LedgerRow | null,
  showsHeader: boolean,
): Promise<string> {
  const headerText = row?.headerText ?? null;
  const header = headerText === null ? null : SignedHeader.parse(toPlain(parseJson(headerText)));
  const batch = {
    digest: sample.batchDigest,
    index: sample.batchIndex,
    agent_id: sample.agentId,
    epoch: sample.epoch,
    seq: sample.seq,
    merkle_root: header?.merkle_root ?? null,
    samples: header?.samples ?? null,
    proof: header === null ? null : await proofOf(store, sample, header),
    header: showsHeader ? header : null,
    header_text: showsHeader ? headerText : null,
  };
  return (
    `{"message_id":${JSON.stringify(sample.messageId)},"key_id":${JSON.stringify(sample.keyId)},` +
    `"recorded_at":${instantText(sample.recordedAt)},"slot":${instantText(sample.slot)},` +
    `"text":${JSON.stringify(sample.text)},"message":${strictJson(parseJson(sample.text))},` +
    `"batch":${JSON.stringify(batch)}}`
  );
}

/** Null where a sample of the batch is not stored (it was a duplicate, or retention removed it): its hash is gone with it. */
async function proofOf(store: Store, sample: StoredSample, header: SignedHeader): Promise<string[] | null> {
  for (const filter of [nearby(sample, header), {}]) {
    const texts = await batchTexts(store, { ...filter, batchDigest: sample.batchDigest });
    const kept = texts.filter((text) => text !== undefined);
    if (kept.length !== header.samples || texts.length !== kept.length) continue;
    const proof = merkleProof(kept, sample.batchIndex);
    return verifyMerkleProof(sample.text, sample.batchIndex, kept.length, proof, header.merkle_root) ? proof : null;
  }
  return null;
}

/** Where the samples of a batch nearly always lie: asked first, since a store may have to look through all of a time. */
function nearby({ timestamp }: StoredSample, { runs }: SignedHeader): SampleFilter {
  const times = [timestamp, ...runs.flatMap(({ slot }) => (slot === null ? [] : [slot]))];
  const from = { at: Math.min(...times) - HOUR, inclusive: true };
  return { from, to: { at: Math.max(...times) + HOUR, inclusive: true } };
}

/** By index; what is not stored is missing. Samples in conflict are evidence too. */
async function batchTexts(store: Store, filter: SampleFilter): Promise<(string | undefined)[]> {
  const texts: (string | undefined)[] = [];
  try {
    for (const rows of [store.samples(filter), store.conflicts(filter)]) {
      for await (const other of rows) texts[other.batchIndex] = other.text;
    }
  } catch (cause) {
    // The time asked for touches what retention removed of some other meter. Without a time it is no matter.
    if (!(cause instanceof BehindRetention)) throw cause;
  }
  return texts;
}
