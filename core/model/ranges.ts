/** First and last, both included. */
export type Range = readonly [first: number, last: number];

/** A set of whole numbers that mostly follow each other, kept as ranges. */
export class RangeSet {
  #ranges: Range[] = [];

  add(value: number): void {
    const at = this.#placeOf(value);
    const before = this.#ranges[at - 1];
    const here = this.#ranges[at];
    if (before !== undefined && value <= before[1]) return;
    const joinsBefore = before !== undefined && before[1] === value - 1;
    const joinsHere = here !== undefined && here[0] === value + 1;
    const first = joinsBefore ? before[0] : value;
    const last = joinsHere ? here[1] : value;
    this.#ranges.splice(joinsBefore ? at - 1 : at, Number(joinsBefore) + Number(joinsHere), [first, last]);
  }

  get last(): number | null {
    return this.#ranges.at(-1)?.[1] ?? null;
  }

  get first(): number | null {
    return this.#ranges[0]?.[0] ?? null;
  }

  /** What is not in it from `start` up to its last. */
  missingFrom(start: number): Range[] {
    const missing: Range[] = [];
    let next = start;
    for (const [first, last] of this.#ranges) {
      if (first > next) missing.push([next, first - 1]);
      next = Math.max(next, last + 1);
    }
    return missing;
  }

  /** Index of the first range that begins behind `value`. */
  #placeOf(value: number): number {
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle]?.[0] ?? Infinity) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function countOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}
