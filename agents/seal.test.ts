import t from 'tap';
import { CycleReport, fromPlain, ManualClock, parseVolume, readMeteringEnvelope, verifyHeader } from '@nephometer/core';
import type { BatchEnvelope, Counter, DroppedSamples, JsonObject } from '@nephometer/core';
import { jsonBytes } from './draft.ts';
import { fitReport, mergeDropped } from './report.ts';
import { newEpoch, Sealer } from './seal.ts';
import type { Epoch } from './seal.ts';
import { openMemorySpool } from './spool-memory.ts';
import { keyring, NEVER, recordingLogger, SECRET } from './test-kit.ts';

function counters(count: number, filler = ''): Counter[] {
  return Array.from({ length: count }, (_, n) => ({
    meter: 'level',
    type: 'gauge',
    unit: 'B',
    volume: parseVolume(String(n)),
    resourceId: `r${n}`,
    projectId: null,
    userId: null,
    timestamp: 1_000_000,
    metadata: fromPlain({ filler }) as JsonObject,
    monotonicTime: 1,
  }));
}

function report(fields: Partial<CycleReport> = {}): CycleReport {
  return {
    source: 'default',
    interval: 10_000_000,
    scheduled: 0,
    started: 0,
    finished: 1,
    outcome: 'ran',
    meters: ['level'],
    discovery_complete: true,
    pollsters: [],
    dropped: [],
    ...fields,
  };
}

interface Rig {
  readonly sealer: Sealer;
  readonly epoch: Epoch;
  readonly dropped: DroppedSamples[];
  /** How often the spool was told that its losses are. */
  readonly told: () => number;
  readonly sealed: () => Promise<BatchEnvelope[]>;
  readonly sizes: () => Promise<number[]>;
}

async function rig({
  maxSamples = 500,
  maxMessage = 262_144,
  maxBytes = 2 ** 26,
  clock = new ManualClock(),
} = {}): Promise<Rig> {
  const spool = await openMemorySpool({ maxBytes, whenFull: 'refuse-new' });
  const dropped: DroppedSamples[] = [];
  let told = 0;
  spool.lossesTold = () => void (told += 1);
  const sealer = new Sealer({
    agentId: 'agent-1',
    sampleSource: 'openstack',
    keyring,
    spool,
    clock,
    log: recordingLogger().log,
    maxSamples,
    maxMessage,
    onAppended: () => undefined,
    onDropped: (one) => void dropped.push(one),
  });
  const bodies = async (): Promise<Uint8Array[]> => (await spool.due(NEVER, 10_000)).map(({ body }) => body);
  const sealed = async (): Promise<BatchEnvelope[]> =>
    (await bodies()).map((body) => {
      const envelope = readMeteringEnvelope(body);
      if (envelope.kind !== 'batch') throw new Error('A batch was expected.');
      return envelope;
    });
  return {
    sealer,
    epoch: newEpoch(),
    dropped,
    told: () => told,
    sealed,
    sizes: async () => (await bodies()).map((body) => body.byteLength),
  };
}

t.test('a cycle is split by samples; its report goes with the last batch; batches chain', async (t) => {
  const { sealer, epoch, sealed } = await rig({ maxSamples: 4 });
  await sealer.seal({ epoch, slot: 7, counters: counters(10), report: report() });
  const batches = await sealed();
  t.same(
    batches.map(({ header }) => [header.seq, header.samples, header.cycles.length]),
    [
      [1, 4, 0],
      [2, 4, 0],
      [3, 2, 1],
    ],
  );
  for (const [index, { header }] of batches.entries()) {
    t.equal(header.previous, batches[index - 1]?.digest ?? null);
    t.ok(verifyHeader(header, SECRET));
    t.same(header.runs, [{ source: 'default', slot: 7, samples: header.samples }]);
  }
  t.ok(CycleReport.safeParse(batches[2]?.header.cycles[0]).success);
});

t.test('a cycle is split by bytes, close to the limit and never over it', async (t) => {
  const maxMessage = 20_000;
  const { sealer, epoch, sealed, sizes } = await rig({ maxMessage });
  await sealer.seal({ epoch, slot: 7, counters: counters(200, 'with "quotes" and \\ in it'), report: report() });
  const all = await sizes();
  t.ok(
    all.every((size) => size <= maxMessage),
    String(all),
  );
  t.ok(
    all.slice(0, -1).every((size) => size > maxMessage - 2500),
    String(all),
  );
  t.equal(
    (await sealed()).reduce((sum, { header }) => sum + header.samples, 0),
    200,
  );
});

t.test('a sample that alone is too large is dropped and told; the others go', async (t) => {
  const { sealer, epoch, sealed, dropped } = await rig({ maxMessage: 20_000 });
  const huge = counters(1, 'x'.repeat(30_000)).map((one) => ({ ...one, resourceId: 'huge' }));
  await sealer.seal({ epoch, slot: 7, counters: [...counters(2), ...huge, ...counters(4).slice(2)], report: report() });
  const batches = await sealed();
  t.equal(
    batches.reduce((sum, { header }) => sum + header.samples, 0),
    4,
  );
  const told = batches.flatMap(({ header }) => header.cycles.flatMap((cycle) => cycle.dropped));
  t.same(told, [{ reason: 'oversized', samples: 1, from: 7, to: 7 }]);
  t.same(dropped, told);
});

t.test('a sample that cannot be signed is dropped and told', async (t) => {
  const { sealer, epoch, sealed } = await rig();
  const broken = counters(1, '\ud800');
  await sealer.seal({ epoch, slot: 7, counters: [...broken, ...counters(2).slice(1)], report: report() });
  const [batch] = await sealed();
  t.match(batch?.header, { samples: 1, cycles: [{ dropped: [{ reason: 'invalid', samples: 1 }] }] });
});

t.test('a cycle without samples still has its report; a skipped slot goes with the next cycle', async (t) => {
  const { sealer, epoch, sealed } = await rig();
  sealer.tellReport(report({ scheduled: 1, outcome: 'skipped' }));
  await sealer.seal({ epoch, slot: 2, counters: [], report: report({ scheduled: 2 }) });
  const [batch] = await sealed();
  t.match(batch?.header, {
    seq: 1,
    samples: 0,
    runs: [],
    cycles: [{ scheduled: 1, outcome: 'skipped' }, { scheduled: 2 }],
  });
});

t.test('two epochs are numbered each for itself', async (t) => {
  const { sealer, epoch, sealed } = await rig();
  const next = newEpoch();
  for (const one of [epoch, next, epoch])
    await sealer.seal({ epoch: one, slot: 1, counters: counters(1), report: report() });
  const batches = await sealed();
  t.same(
    batches.map(({ header }) => [header.epoch, header.seq]),
    [
      [epoch.id, 1],
      [next.id, 1],
      [epoch.id, 2],
    ],
  );
  t.equal(batches[2]?.header.previous, batches[0]?.digest);
  t.not(batches[0]?.texts[0], batches[1]?.texts[0], 'another epoch, another message_id');
});

t.test('a report of ten thousand failures is cut to size, and still a report', async (t) => {
  const failed = Array.from({ length: 10_000 }, (_, n) => ({
    resource_id: `resource-${n}`,
    reason: 'away '.repeat(90),
  }));
  const outcome = { name: 'p', asked: 10_000, answered: 0, readings: 0, failed, error: null };
  const fitted = fitReport(report({ pollsters: [outcome] }), 50_000);
  t.ok(jsonBytes(fitted) <= 50_000);
  t.ok(CycleReport.safeParse(fitted).success);
  t.match(fitted.pollsters[0]?.error, /more resources failed/);
});

t.test('losses of one reason are one entry', async (t) => {
  t.same(
    mergeDropped([
      { reason: 'spool-full', samples: 2, from: 5, to: 6 },
      { reason: 'oversized', samples: 1, from: null, to: null },
      { reason: 'spool-full', samples: 3, from: 1, to: 2 },
    ]),
    [
      { reason: 'spool-full', samples: 5, from: 1, to: 6 },
      { reason: 'oversized', samples: 1, from: null, to: null },
    ],
  );
});

t.test(
  'when sealing breaks off, only what is not spooled yet is told as lost, and the report goes later',
  async (t) => {
    class BrokenClock extends ManualClock {
      left = 2;
      override now(): number {
        if ((this.left -= 1) < 0) throw new Error('no time');
        return super.now();
      }
    }
    const clock = new BrokenClock();
    const { sealer, epoch, sealed, dropped } = await rig({ maxSamples: 4, clock });
    await sealer.seal({ epoch, slot: 7, counters: counters(10), report: report({ scheduled: 7 }) });
    t.same(dropped, [{ reason: 'invalid', samples: 2, from: 7, to: 7 }]);
    clock.left = 10;
    await sealer.seal({ epoch, slot: 8, counters: counters(1), report: report({ scheduled: 8 }) });
    const batches = await sealed();
    t.same(
      batches.map(({ header }) => header.samples),
      [4, 4, 1],
    );
    t.match(batches[2]?.header.cycles, [{ scheduled: 7 }, { scheduled: 8, dropped: [{ samples: 2 }] }]);
  },
);

t.test('the spool hears that its losses are told when the report that tells them is spooled, not before', async (t) => {
  const { sealer, epoch, told } = await rig({ maxBytes: 8000 });
  await sealer.seal({ epoch, slot: 1, counters: counters(20), report: report() });
  t.equal(told(), 0, 'the spool refused it');
  await sealer.seal({ epoch, slot: 2, counters: [], report: report() });
  t.equal(told(), 1);
});
