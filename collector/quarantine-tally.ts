import { formatInstant, HOUR, NEPHOMETER_NAMESPACE, uuidv4, uuidv5 } from '@nephometer/core';
import type { Micros, QuarantinedMessage, Store } from '@nephometer/core';

/** A message that is counted and not kept: what an entry would say of it, without its bytes. */
export interface Counted {
  /** Beginning of its UTC day. */
  readonly day: Micros;
  readonly message: QuarantinedMessage;
}

interface Tally {
  readonly id: string;
  readonly day: Micros;
  readonly last: QuarantinedMessage;
  readonly messages: number;
  readonly size: number;
  readonly samples: number;
  readonly from: Micros | null;
  readonly to: Micros | null;
  /** How often the span had to grow. */
  readonly growths: number;
  /** Messages that the entry in the store tells of, and when it was appended. */
  readonly told: number;
  readonly toldAt: Micros;
}

/** A span grows by whole hours; one that goes on growing does so by more each time, so that the entries stay few. */
const STEADY_GROWTHS = 48;
/** An entry whose number is behind is brought up to date so often at least, when another message comes. */
const TELL_EVERY: Micros = HOUR;

/**
 * Messages that are not kept one by one: one entry for each day, sender, agent and reason says how many there were, and of
 * which time. The time is in the store before a message is given up, so no gap vanishes with it; the number may be behind by
 * half until the day or the process ends.
 */
export class QuarantineTally {
  readonly #store: Store;
  /** Entries of this process: those of another, or of one before, count for themselves. */
  readonly #run = uuidv4();
  readonly #tallies = new Map<string, Tally>();
  #day: Micros = -Infinity;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The span of the message is durable when it resolves. @throws StoreUnavailable */
  async add({ day, message }: Counted, now: Micros): Promise<void> {
    await this.turnTo(day);
    const key = JSON.stringify([day, message.transport, message.sender, message.agent_id, message.reason]);
    const known = this.#tallies.get(key);
    const next = counted(known ?? empty(uuidv5(NEPHOMETER_NAMESPACE, this.#run + key), day, message), message);
    const isDue = next.messages >= 2 * next.told || now - next.toldAt >= TELL_EVERY;
    const told = isDue || next.from !== known?.from || next.to !== known.to ? await this.#tell(next, now) : next;
    this.#tallies.set(key, told);
  }

  /** Brings every entry up to date. @throws StoreUnavailable */
  async flush(now: Micros): Promise<void> {
    for (const [key, tally] of this.#tallies) {
      if (tally.messages > tally.told) this.#tallies.set(key, await this.#tell(tally, now));
    }
  }

  /** A day began: the entries of those before get their last word. @throws StoreUnavailable */
  async turnTo(day: Micros): Promise<void> {
    if (day === this.#day) return;
    for (const [key, tally] of this.#tallies) {
      if (tally.day >= day) continue;
      if (tally.messages > tally.told) await this.#tell(tally, tally.toldAt);
      this.#tallies.delete(key);
    }
    this.#day = day;
  }

  async #tell(tally: Tally, now: Micros): Promise<Tally> {
    await this.#store.appendEntry({ kind: 'quarantine', id: tally.id, body: JSON.stringify(bodyOf(tally)) });
    return { ...tally, told: tally.messages, toldAt: now };
  }
}

function empty(id: string, day: Micros, last: QuarantinedMessage): Tally {
  const none = { messages: 0, size: 0, samples: 0, from: null, to: null, growths: 0, told: 0, toldAt: day };
  return { id, day, last, ...none };
}

function counted(tally: Tally, message: QuarantinedMessage): Tally {
  const { from, to, growths } = spanOf(tally, message);
  return {
    ...tally,
    last: message,
    messages: tally.messages + 1,
    size: tally.size + message.size,
    samples: tally.samples + message.samples,
    from,
    to,
    growths,
  };
}

/** The span with that of another message in it, rounded outwards. */
function spanOf(tally: Tally, { from, to }: QuarantinedMessage): Pick<Tally, 'from' | 'to' | 'growths'> {
  const { growths } = tally;
  if (from === null) return { from: tally.from, to: tally.to, growths };
  const last = Math.max(from, to ?? from);
  if (tally.from !== null && tally.to !== null && from >= tally.from && last <= tally.to) return tally;
  const grain = HOUR * 2 ** Math.max(0, growths - STEADY_GROWTHS);
  return {
    from: within(Math.floor(Math.min(from, tally.from ?? from) / grain) * grain),
    to: within(Math.ceil(Math.max(last, tally.to ?? last) / grain) * grain),
    growths: growths + 1,
  };
}

function within(at: Micros): Micros {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, at));
}

function bodyOf({ day, last, messages, size, samples, from, to }: Tally): QuarantinedMessage {
  const date = formatInstant(day).slice(0, 10);
  const detail =
    `On ${date} (UTC) at least ${messages} more came of one sender than are kept one by one (quarantine.max_per_sender, ` +
    `quarantine.max_per_day); their bytes are gone. The last: ${last.detail}`;
  return { ...last, detail, message_id: null, from, to, samples, messages, size, bytes: '', state: 'refused' };
}
