/** Keys by Unicode code point, as Python sorts them. JavaScript's own order differs once surrogate pairs meet U+E000..U+FFFF. */
export function sortedKeys(members: ReadonlyMap<string, unknown>): string[] {
  const keys = quicklySorted(members);
  return keys.some(hasSurrogate) ? keys.sort(byCodePoint) : keys;
}

/** The same for keys without surrogates. */
export function quicklySorted(members: ReadonlyMap<string, unknown>): string[] {
  return Array.from(members.keys()).sort();
}

/** Text by Unicode code point, for sorting. */
export function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points beyond all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

export function hasSurrogate(text: string): boolean {
  return /[\ud800-\udfff]/.test(text);
}

/** No half of a surrogate pair without its other half. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
