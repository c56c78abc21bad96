import { setTimeout as sleep } from 'node:timers/promises';
import { BATCH_KEY, DAY, encodeBatch, HOUR, MINUTE } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import { claim } from '../case.ts';
import type { ChaosCase } from '../case.ts';
import type { Forged, ForgedAgent } from '../forge.ts';
import { emptied } from './messages.ts';

/** 22: every way to pass for what one is not; each has a reason of its own. */
export const forgeries: ChaosCase = {
  number: 22,
  title: 'forged signature, key, bit, algorithm',
  seconds: 120,
  quick: true,
  async run({ lab: newLab, quick }) {
    const lab = await newLab();
    await lab.start({ resendAfter: '10m' });
    const mallory = lab.forgedAgent('mallory');
    const refused: Record<string, number> = {};
    const bodies: Buffer[] = [];
    const rounds = quick ? 3 : 20;
    for (let n = 0; n < rounds; n += 1) {
      for (const { reason, body } of forgeriesOf(mallory, nowSlot() - n * MINUTE)) {
        refused[reason] = (refused[reason] ?? 0) + 1;
        bodies.push(body);
      }
    }
    await lab.publish(bodies);
    await emptied(lab);
    const fresh = await lab.healed();
    const counted = await lab.side.counter('nephometer_collector_quarantined_total');
    const own = await lab.side.counter('nephometer_collector_quarantined_total', 'agent="mallory"');
    return {
      lab,
      fresh,
      expected: { refused },
      also: [
        claim('each is counted', counted === bodies.length, `${counted} counted of ${bodies.length}`),
        claim('counted per agent', own > 0, `${own} for the agent that they name`),
      ],
    };
  },
};

function nowSlot(): Micros {
  return Math.floor((Date.now() * 1000) / MINUTE) * MINUTE - 2 * MINUTE;
}

interface Forgery {
  readonly reason: string;
  readonly body: Buffer;
}

function forgeriesOf(agent: ForgedAgent, slot: Micros): Forgery[] {
  const make = (of: Partial<Parameters<ForgedAgent['batch']>[0]> = {}): Forged =>
    agent.batch({ slot, resources: 2, unissued: true, ...of });
  const good = make();
  const text = good.body.toString();
  const rebuilt = (header: Partial<Forged['header']>, texts = good.texts): Buffer =>
    Buffer.from(encodeBatch({ ...good.header, ...header }, texts));
  const flip = (hex: string): string => (hex.startsWith('0') ? '1' : '0') + hex.slice(1);
  const otherTexts = good.texts.map((one) => one.replace('"counter_volume":', '"counter_volume":1'));
  return [
    { reason: 'signature', body: make({ secret: 'not the secret' }).body },
    { reason: 'signature', body: rebuilt({ hmac: flip(good.header.hmac) }) },
    { reason: 'signature', body: rebuilt({ agent_id: 'agent-1' }) },
    { reason: 'signature', body: rebuilt({ epoch: '0123456789abcdef' }) },
    { reason: 'key', body: make({ header: { key_id: 'nobody' } }).body },
    { reason: 'merkle', body: rebuilt({}, otherTexts) },
    { reason: 'merkle', body: rebuilt({}, good.texts.slice(1)) },
    // One byte of the envelope that nothing signs; the algorithm's version; the header taken off.
    { reason: 'malformed', body: Buffer.from(text.replace('"priority', '"priorjty').replace('priority', 'priorjty')) },
    {
      reason: 'malformed',
      body: Buffer.from(text.replace(`"${BATCH_KEY}":{"version":1`, `"${BATCH_KEY}":{"version":0`)),
    },
    { reason: 'headerless', body: Buffer.from(`${text.slice(0, text.indexOf(`,"${BATCH_KEY}"`))}}`) },
    {
      reason: 'message_id',
      body: make({ header: { runs: [{ source: 'default', slot: slot - MINUTE, samples: 6 }] } }).body,
    },
    { reason: 'past', body: make({ slot: slot - 100 * DAY }).body },
    { reason: 'future', body: make({ slot: slot + HOUR }).body },
  ];
}

/** 23: what was recorded comes again after a day; and one id with another value. */
export const replayed: ChaosCase = {
  number: 23,
  title: 'replayed; same id, other value',
  seconds: 90,
  quick: true,
  async run({ lab: newLab }) {
    const lab = await newLab();
    await lab.start({ resendAfter: '10m' });
    const agent = lab.forgedAgent('yesterday');
    const first = nowSlot() - DAY;
    const old = [0, 1, 2, 3].map((n) => agent.batch({ slot: first + n * MINUTE }));
    await lab.publish(old.map(({ body }) => body));
    await emptied(lab);
    await lab.publish(old.map(({ body }) => body));
    // The same slot again in a batch of its own, with other values: one id, two contents.
    const again = agent.batch({ slot: first + 3 * MINUTE, other: 1234, resources: 5 });
    await lab.publish([again.body]);
    await emptied(lab);
    const fresh = await lab.healed();
    const conflicts = await lab.view.conflicts();
    const versions = new Set(conflicts.map((one) => one.versions.length));
    const shown = (await lab.view.samples('&resource_id=yesterday-0')).filter(
      ({ slot }) => slot !== null && Date.parse(slot) * 1000 === first + 3 * MINUTE,
    );
    await sleep(100);
    return {
      lab,
      fresh,
      expected: { duplicates: old.length, conflicts: 15 },
      also: [
        claim('both versions are set aside', versions.size === 1 && versions.has(2), `${conflicts.length} conflicts`),
        claim('neither is shown as measured', shown.length === 0, `${shown.length} samples of the interval are shown`),
      ],
    };
  },
};
