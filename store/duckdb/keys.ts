/** 64-bit key of a text, signed as DuckDB's BIGINT. Not cryptographic: whoever finds a key compares the text too. */
export function keyOf(text: string): bigint {
  let high = 0x2c1b3c6d;
  let low = 0x297a2d39;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x85ebca77);
  }
  high = scramble(high ^ (low >>> 13));
  low = scramble(low ^ (high >>> 16));
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

function scramble(word: number): number {
  const mixed = Math.imul(word ^ (word >>> 16), 0xc2b2ae35);
  return mixed ^ (mixed >>> 13);
}

const BITS_PER_KEY = 20;
const PROBES = 8;

/**
 * A Bloom filter over the keys of everything stored: tells in memory that an id is surely new, so that the table is only
 * looked through for those that may be known (less than one new id in 5000).
 */
export class KnownKeys {
  readonly capacity: number;
  #count = 0;
  readonly #bits: Uint32Array;
  readonly #size: number;

  /** @param expected keys; when more than twice that come, make a new one */
  constructor(expected: number) {
    this.capacity = Math.max(2 * expected, 100_000);
    this.#size = this.capacity * BITS_PER_KEY;
    this.#bits = new Uint32Array(Math.ceil(this.#size / 32));
  }

  get isFull(): boolean {
    return this.#count > this.capacity;
  }

  add(key: bigint): void {
    this.#count += 1;
    const [start, step] = startOf(key);
    for (let probe = 0, place = start; probe < PROBES; probe++, place += step) {
      const bit = place % this.#size;
      const word = Math.floor(bit / 32);
      this.#bits[word] = (this.#bits[word] ?? 0) | (1 << (bit % 32));
    }
  }

  mayHave(key: bigint): boolean {
    const [start, step] = startOf(key);
    for (let probe = 0, place = start; probe < PROBES; probe++, place += step) {
      const bit = place % this.#size;
      if (((this.#bits[Math.floor(bit / 32)] ?? 0) & (1 << (bit % 32))) === 0) return false;
    }
    return true;
  }
}

/** First place and distance to the next. Below 2^53, so exact; the factor spreads the start over large filters too. */
function startOf(key: bigint): [place: number, step: number] {
  const high = Number(BigInt.asUintN(32, key >> 32n));
  const low = Number(BigInt.asUintN(32, key));
  return [high * 4099, low + 1];
}
