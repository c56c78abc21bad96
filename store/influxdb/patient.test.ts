import { StoreUnavailable } from '@nephometer/core';
import t from 'tap';
import { WriteRejected } from './client.ts';
import type { InfluxClient } from './client.ts';
import { NotNow } from './failures.ts';
import { patient } from './patient.ts';

const away = new NotNow('InfluxDB at there answered 500: timeout');

function failing(failures: number, cause: Error) {
  const tries: number[] = [];
  const write = (_lines: readonly string[], limitMs = 0): Promise<void> => {
    tries.push(limitMs);
    return tries.length <= failures ? Promise.reject(cause) : Promise.resolve();
  };
  return { tries, client: patient({ write } as Partial<InfluxClient> as InfluxClient, 2000) };
}

t.test('a write that failed for the moment is tried again, in the time that it has', async (t) => {
  const { client, tries } = failing(3, away);
  await client.write(['m f=1 1'], 1000);
  t.equal(tries.length, 4);
  t.ok(
    tries.every((limit, index) => limit > 0 && limit <= (tries[index - 1] ?? 1000)),
    tries.join(', '),
  );
});

t.test('a server that stays away is told', async (t) => {
  const { client, tries } = failing(100, away);
  await t.rejects(client.write(['m f=1 1']), away);
  t.equal(tries.length, 4);
});

t.test('nothing is tried after its time', async (t) => {
  const { client, tries } = failing(100, away);
  await t.rejects(client.write(['m f=1 1'], 15), away);
  t.equal(tries.length, 1);
});

t.test('what the server refuses for good is not tried again', async (t) => {
  const { client, tries } = failing(1, new WriteRejected(400, 'field type conflict'));
  await t.rejects(client.write(['m f=1 1']), { name: 'WriteRejected' });
  t.equal(tries.length, 1);
});

t.test('an answer that was lost is for the caller to think about', async (t) => {
  const { client, tries } = failing(1, new StoreUnavailable('InfluxDB at there did not answer within 5000 ms'));
  await t.rejects(client.write(['m f=1 1']), { code: 'MTR_STORE_UNAVAILABLE' });
  t.equal(tries.length, 1);
});
