/**
 * The order in which a 64-bit Python 2.7 lists a dict of byte strings, filled in the order given. Ceilometer on Python 2
 * signed objects inside arrays (nova's `fixed_ips`) in this order, so a receiver has to know it. It follows from three facts
 * about that interpreter: its string hash (multiplicative, not randomised unless asked for), its open addressing with
 * perturbation, and its growth to four times the used slots when two thirds are full.
 */
export function python2Order(keys: readonly string[]): string[] {
  if (keys.length < 2) return [...keys];
  let slots = emptySlots(8);
  let used = 0;
  for (const key of keys) {
    insert(slots, { key, hash: hashOf(key) });
    used++;
    if (used * 3 >= slots.length * 2) slots = grown(slots, used);
  }
  return slots.flatMap((entry) => (entry === undefined ? [] : [entry.key]));
}

/** 64 bits as two halves of 32: exact in doubles, and much faster than BigInt. */
interface Hash {
  readonly high: number;
  readonly low: number;
}

interface Entry {
  readonly key: string;
  readonly hash: Hash;
}

type Slots = (Entry | undefined)[];

const TWO_32 = 0x1_0000_0000;
const FACTOR = 1_000_003;

function emptySlots(length: number): Slots {
  return Array.from<Entry | undefined>({ length });
}

function grown(slots: Slots, used: number): Slots {
  const wanted = used * (used > 50_000 ? 2 : 4);
  let length = 8;
  while (length <= wanted) length *= 2;
  const larger = emptySlots(length);
  for (const entry of slots) if (entry !== undefined) insert(larger, entry);
  return larger;
}

function insert(slots: Slots, entry: Entry): void {
  const mask = slots.length - 1;
  let { high, low } = entry.hash;
  let i = low & mask;
  while (slots[i & mask] !== undefined) {
    // Only the low bits of the index count, so 32 bits are enough for it, but not for what perturbs it.
    i = (Math.imul(i, 5) + low + 1) | 0;
    low = ((low >>> 5) | (high << 27)) >>> 0;
    high >>>= 5;
  }
  slots[i & mask] = entry;
}

function hashOf(key: string): Hash {
  const bytes = Buffer.from(key, 'utf8');
  if (bytes.length === 0) return { high: 0, low: 0 };
  let high = 0;
  let low = ((bytes[0] ?? 0) << 7) >>> 0;
  for (const byte of bytes) {
    const product = low * FACTOR;
    high = (high * FACTOR + Math.floor(product / TWO_32)) % TWO_32;
    low = ((product % TWO_32) ^ byte) >>> 0;
  }
  low = (low ^ bytes.length) >>> 0;
  // -1 marks an error in that interpreter, so no string has it.
  return high === TWO_32 - 1 && low === TWO_32 - 1 ? { high, low: low - 1 } : { high, low };
}
