import { parseVolume, polledSampleId } from '@nephometer/core';
import type { BatchRecord, ReceivedSample, SignedHeader } from '@nephometer/core';
import t from 'tap';
import { oddIdsOf, originOf } from './origin.ts';

const AGENT = { agentId: 'agent-1', epoch: '00000000000000aa' };
const idOf = (slot: number, resourceId: string): string =>
  polledSampleId({ ...AGENT, source: 'all', meter: 'cpu', resourceId, slot });

function sampleOf(messageId: string, resourceId: string): ReceivedSample {
  const owner = { projectId: null, userId: null, metadata: new Map(), monotonicTime: null, timestamp: 0 };
  const meter = { meter: 'cpu', type: 'gauge', unit: null, volume: parseVolume('1') } as const;
  return { messageId, resourceId, source: 'openstack', signature: '', text: '', slot: null, ...owner, ...meter };
}

function batchOf(runs: SignedHeader['runs'], samples: readonly ReceivedSample[]): BatchRecord {
  const header: SignedHeader = {
    version: 1,
    agent_id: AGENT.agentId,
    epoch: AGENT.epoch,
    seq: 1,
    created: 0,
    samples: samples.length,
    merkle_root: '0'.repeat(64),
    previous: null,
    runs,
    cycles: [],
    key_id: 'shared',
    hmac: '0'.repeat(64),
  };
  return { digest: 'd', header, headerText: null, keyId: null, transport: 'bus', samples };
}

void t.test('ids follow from the tick of their run, one key a tick', async (t) => {
  const runs = [
    { source: 'all', slot: 1, samples: 2 },
    { source: 'all', slot: 2, samples: 1 },
  ];
  const batch = batchOf(runs, [sampleOf(idOf(1, 'a'), 'a'), sampleOf(idOf(1, 'b'), 'b'), sampleOf(idOf(2, 'a'), 'a')]);
  const origin = originOf(batch);
  t.strictSame(origin.follows, [true, true, true]);
  t.equal(new Set(origin.ticks).size, 2);
  t.strictSame(oddIdsOf(batch, origin), []);
});

void t.test('of another slot or resource, or not polled: odd, when it is spelled like one', async (t) => {
  const runs = [
    { source: 'all', slot: 1, samples: 3 },
    { source: 'notifications', slot: null, samples: 1 },
  ];
  const [elsewhere, stolen, notified] = [idOf(2, 'a'), idOf(1, 'b'), idOf(1, 'c')];
  const samples = [sampleOf(elsewhere, 'a'), sampleOf(stolen, 'a'), sampleOf('of-a-ceilometer', 'a')];
  const batch = batchOf(runs, [...samples, sampleOf(notified, 'c')]);
  const origin = originOf(batch);
  t.strictSame(origin, { ticks: [], follows: [false, false, false, false] });
  t.strictSame(oddIdsOf(batch, origin), [elsewhere, stolen, notified]);
});

void t.test('without a header, or beyond its runs, nothing follows', async (t) => {
  const samples = [sampleOf(idOf(1, 'a'), 'a'), sampleOf(idOf(1, 'b'), 'b')];
  t.strictSame(originOf(batchOf([{ source: 'all', slot: 1, samples: 1 }], samples)).follows, [true, false]);
  t.strictSame(originOf({ ...batchOf([], samples), header: null }), { ticks: [], follows: [false, false] });
});
