import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BATCH_KEY,
  DAY,
  encodeBatch,
  formatInstant,
  HOUR,
  MINUTE,
  parseTimestamp,
  readMeteringEnvelope,
} from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import { temporaryFolder } from '../../servers/index.ts';
import { claim } from '../case.ts';
import type { ChaosCase } from '../case.ts';
import type { Forged, ForgedAgent } from '../forge.ts';
import type { Lab } from '../lab.ts';
import { emptied, refusedSoFar } from './messages.ts';

/** 22: every way to pass for what one is not; each has a reason of its own. */
export const forgeries: ChaosCase = {
  number: 22,
  title: 'forged signature, key, bit, algorithm',
  seconds: 300,
  quick: true,
  async run({ lab: newLab, quick }) {
    const keys = rotatedKeys();
    const lab = await newLab({ side: { yaml: [keys.yaml] } });
    await lab.start({ resendAfter: '10m' });
    const mallory = lab.forgedAgent('mallory');
    const rotating = lab.forgedAgent(ROTATING, keys.secretOf.next);
    lab.secrets.add(keys.secretOf.last);
    const rounds = quick ? 3 : 20;
    const forged = Array.from({ length: rounds }, (_, n) => forgeriesOf(mallory, nowSlot() - n * MINUTE)).flat();
    const captured = mallory.batch({ slot: nowSlot(), resources: 1, unissued: true }).body;
    const flipped = flippedBits(captured, quick ? 40 : 600);
    const wrongKeys = keyForgeries(mallory, rotating, keys);
    const refused: Record<string, number> = {};
    for (const { reason } of [...forged, ...wrongKeys]) refused[reason] = (refused[reason] ?? 0) + 1;
    await lab.publish([...forged, ...wrongKeys].map(({ body }) => body));
    // Both keys of an agent sign in turns while they overlap.
    const first = nowSlot() - HOUR;
    const both = Array.from({ length: 6 }, (_, n) => rotating.batch({ slot: first + n * MINUTE, ...keys.signed(n) }));
    await lab.publish(both.map(({ body }) => body));
    const sent = forged.length + wrongKeys.length;
    await refusedSoFar(lab, sent);
    await emptied(lab);
    const counted = await lab.side.counter('nephometer_collector_quarantined_total');
    const own = await lab.side.counter('nephometer_collector_quarantined_total', 'agent="mallory"');
    const isNamed = ({ reason, body }: Forgery): boolean => reason === 'headerless' || agentOf(body) === 'mallory';
    const named = [...forged, ...wrongKeys].filter(isNamed).length;
    const before = (await lab.view.quarantine()).length;
    await lab.publish(flipped);
    await refusedSoFar(lab, before + flipped.length);
    const fresh = await lab.healed();
    const quarantine = await lab.view.quarantine();
    for (const { reason } of quarantine.slice(0, quarantine.length - before))
      refused[reason] = (refused[reason] ?? 0) + 1;
    const taken = (await lab.view.ledger()).filter(({ agent_id }) => agent_id === ROTATING).length;
    return {
      lab,
      fresh,
      expected: { refused },
      also: [
        claim('each is counted', counted === sent, `${counted} counted of ${sent}`),
        claim('counted by the agent that it names', own === named && own > 0, `${own} of ${named} that name mallory`),
        claim(
          'any bit that is changed is refused',
          quarantine.length - before === flipped.length,
          `${quarantine.length - before} of ${flipped.length} bits of one batch`,
        ),
        claim('two valid keys pass in a rotation', taken === both.length, `${taken} batches by two keys in turns`),
      ],
    };
  },
};

const ROTATING = 'rotating';

interface RotatedKeys {
  readonly yaml: string;
  readonly secretOf: { readonly past: string; readonly last: string; readonly next: string };
  /** Key and key id of a batch, in turns. */
  signed(n: number): { readonly secret: string; readonly header: { readonly key_id: string } };
}

/** Three keys of one agent: one that is no longer valid, and two that overlap. */
function rotatedKeys(): RotatedKeys {
  const folder = temporaryFolder('nephometer-chaos-keys');
  const secretOf = { past: '', last: '', next: '' };
  const listed = (['past', 'last', 'next'] as const).map((name) => {
    secretOf[name] = randomBytes(24).toString('base64url');
    const file = join(folder, name);
    writeFileSync(file, secretOf[name], { mode: 0o600 });
    const until = { past: -DAY, last: DAY, next: null }[name];
    const limit = until === null ? '' : `, valid_until: ${JSON.stringify(formatInstant(Date.now() * 1000 + until))}`;
    return `{key_id: ${name}, agent_id: ${ROTATING}, secret_file: ${JSON.stringify(file)}${limit}}`;
  });
  return {
    yaml: `signing: {accept_shared_batches: true, keys: [${listed.join(', ')}]}`,
    secretOf,
    signed: (n) => {
      const name = n % 2 === 0 ? 'last' : 'next';
      return { secret: secretOf[name], header: { key_id: name } };
    },
  };
}

/** A good key in the wrong hands, and one that was good once. */
function keyForgeries(mallory: ForgedAgent, rotating: ForgedAgent, { secretOf }: RotatedKeys): Forgery[] {
  const slot = nowSlot();
  const by = (agent: ForgedAgent, secret: string, key_id: string): Buffer =>
    agent.batch({ slot, resources: 2, unissued: true, secret, header: { key_id } }).body;
  return [
    { reason: 'agent', body: by(mallory, secretOf.next, 'next') },
    { reason: 'revoked', body: by(rotating, secretOf.past, 'past') },
    // A key id that is not the key's.
    { reason: 'signature', body: by(rotating, secretOf.last, 'next') },
  ];
}

/** The body again and again, each time with one other bit changed. */
function flippedBits(body: Buffer, count: number): Buffer[] {
  // Whole bits from one share to the next: the same one twice would be the same message.
  const share = (n: number): number => Math.floor((n * body.length * 8) / count);
  return Array.from({ length: count }, (_, n) => {
    const bit = share(n) + Math.floor(Math.random() * (share(n + 1) - share(n)));
    const copy = Buffer.from(body);
    copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return copy;
  });
}

/** Whom a message names in its header, if it has one that can be read; without one its envelope names the sender. */
function agentOf(body: Buffer): string | null {
  try {
    const envelope = readMeteringEnvelope(body);
    return envelope.kind === 'batch' ? envelope.header.agent_id : null;
  } catch {
    return null;
  }
}

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
    const gaps = await gapsOf(lab, 'yesterday-0', first, first + 10 * MINUTE);
    const conflict = gaps.find(({ reason }) => reason === 'conflict');
    const isOfSlot = parseTimestamp(conflict?.from ?? '1970-01-01') <= first + 3 * MINUTE;
    return {
      lab,
      fresh,
      expected: { duplicates: old.length, conflicts: 15 },
      also: [
        claim('both versions are set aside', versions.size === 1 && versions.has(2), `${conflicts.length} conflicts`),
        claim(
          'its interval is a gap that says why',
          conflict !== undefined && isOfSlot,
          gaps
            .map(({ from, to, reason }) => `${reason} for ${(Date.parse(to) - Date.parse(from)) / 1000} s`)
            .join(', '),
        ),
        claim('neither is shown as measured', shown.length === 0, `${shown.length} samples of the interval are shown`),
      ],
    };
  },
};

interface Gap {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

/** What is not known of a resource, as the usage of it says. */
async function gapsOf(lab: Lab, resource: string, from: Micros, to: Micros): Promise<readonly Gap[]> {
  const period = `from=${encodeURIComponent(formatInstant(from))}&to=${encodeURIComponent(formatInstant(to))}`;
  const question = `/v1/usage?meter=chaos.level&kind=integral&resource_id=${resource}&${period}&gaps=true`;
  const { lines } = (await lab.view.get(question)) as { lines: { gaps: Gap[] }[] };
  return lines.flatMap(({ gaps }) => gaps);
}
