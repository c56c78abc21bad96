import { createHmac } from 'node:crypto';
import { defaultConfig, readMeteringEnvelope, systemClock } from '@nephometer/core';
import { verifyBatch } from '@nephometer/collector';
import type { VerifyContext } from '@nephometer/collector';
import { keyring, makeBatches, SAMPLES_A_BATCH, scaled, SECRET } from './batches.ts';
import type { Bench } from './measure.ts';

/** What a collector does with a batch before it records it, beside the least that anybody would do. */
export const verifyBench: Bench = {
  name: 'verify',
  title: 'read and verify a batch in the collector, beside JSON.parse, one HMAC and an append',
  unit: 'sample',
  async prepare(scale) {
    const bodies = (await makeBatches(scaled(30, scale))).map(({ body }) => body);
    const { signing } = defaultConfig();
    const context: VerifyContext = { keyring, signing, now: systemClock.now(), transport: 'bus' };
    return {
      units: bodies.length * SAMPLES_A_BATCH,
      subjects: [
        { name: 'JSON.parse, one HMAC, append', run: () => readPlainly(bodies) },
        { name: 'envelope, header, Merkle root, each sample', run: () => readVerified(bodies, context) },
      ],
      close: async () => undefined,
    };
  },
};

/** No check of anything but the bytes as a whole, and volumes as doubles. */
function readPlainly(bodies: readonly Uint8Array[]): number {
  const rows: unknown[] = [];
  const digests = new Set<string>();
  for (const body of bodies) {
    const outer = JSON.parse(Buffer.from(body).toString()) as { 'oslo.message': string };
    const { payload } = JSON.parse(outer['oslo.message']) as { payload: unknown[] };
    digests.add(createHmac('sha256', SECRET).update(body).digest('hex'));
    rows.push(...payload);
  }
  return digests.size === bodies.length ? rows.length : 0;
}

function readVerified(bodies: readonly Uint8Array[], context: VerifyContext): number {
  const rows: unknown[] = [];
  for (const body of bodies) {
    const envelope = readMeteringEnvelope(body);
    if (envelope.kind !== 'batch') throw new Error('The body is no batch.');
    const verdict = verifyBatch(envelope, context);
    if (!verdict.accepted) throw verdict.refusal;
    rows.push(...verdict.record.samples);
  }
  return rows.length;
}
