import { decimal, divide, multiply, subtract } from '@nephometer/core';
import type { Counter, Decimal, Micros } from '@nephometer/core';
import { Conversion } from './conversion.ts';
import type { ConversionParameters } from './conversion.ts';
import type { Transform } from './transform.ts';

/** Digits behind the point of a rate, before it is scaled. */
const RATE_DIGITS = 18;
const MICROS_PER_SECOND = decimal(1_000_000);
/** Series not seen for this long, or beyond this number (the longest unseen first), are forgotten. */
const FORGET_AFTER: Micros = 24 * 3600 * 1_000_000;
const MOST_SERIES = 500_000;

interface Last {
  readonly volume: Decimal;
  readonly timestamp: Micros;
  readonly monotonicTime: number | null;
}

/**
 * Change per second between two samples of a series (name and resource, within one polling source).
 *
 * | the sample                             | gives                                          |
 * |----------------------------------------|------------------------------------------------|
 * | is the first                           | nothing                                        |
 * | is older than the last                 | nothing, and the last stays                    |
 * | has the time of the last               | rate 0                                         |
 * | is cumulative and lower than the last  | the new volume over the time: it was reset     |
 * | else                                   | the difference over the time                   |
 *
 * Time is that of the steady clock where both samples have it: a clock that was set makes no rate.
 */
export class RateOfChange implements Transform {
  readonly #conversion: Conversion;
  readonly #last = new Map<string, Last>();

  constructor(parameters: ConversionParameters) {
    this.#conversion = new Conversion(parameters);
  }

  name(name: string): string {
    return this.#conversion.name(name);
  }

  apply(counter: Counter, origin: string): Counter | null {
    if (!this.#conversion.applies(counter)) return counter;
    const rate = this.#rate(counter, origin);
    if (rate === null) return null;
    return this.#conversion.result(counter, multiply(rate, this.#conversion.factor(counter)));
  }

  #rate(counter: Counter, origin: string): Decimal | null {
    const key = JSON.stringify([origin, counter.meter, counter.unit, counter.resourceId]);
    const last = this.#last.get(key);
    const elapsed = last === undefined ? null : elapsedBetween(last, counter);
    if (elapsed !== null && elapsed < 0) return null;
    // Set anew, so that the map's order is that of the last sight.
    this.#last.delete(key);
    this.#last.set(key, { ...counter });
    this.#forget(counter.timestamp);
    if (last === undefined || elapsed === null) return null;
    if (elapsed === 0) return decimal(0);
    const difference = subtract(counter.volume, last.volume);
    const reset = counter.type === 'cumulative' && difference.coefficient < 0n;
    const change = reset ? counter.volume : difference;
    return divide(multiply(change, MICROS_PER_SECOND), decimal(elapsed), RATE_DIGITS);
  }

  #forget(now: Micros): void {
    for (const [key, { timestamp }] of this.#last) {
      if (this.#last.size <= MOST_SERIES && now - timestamp < FORGET_AFTER) return;
      this.#last.delete(key);
    }
  }
}

/** In microseconds. */
function elapsedBetween(last: Last, counter: Counter): Micros {
  if (last.monotonicTime !== null && counter.monotonicTime !== null) {
    return Math.round((counter.monotonicTime - last.monotonicTime) * 1e6);
  }
  return counter.timestamp - last.timestamp;
}
