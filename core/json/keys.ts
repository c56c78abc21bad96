/**
 * The same twenty keys stand in every message. A small table of keys already seen spares a new string (and its hash)
 * for each. Misses only cost a slice; a table full of foreign keys is only slower.
 */
const SLOTS = 1024;
const LONGEST = 48;
const table: (string | undefined)[] = Array.from<string | undefined>({ length: SLOTS });

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The key that starts at `start` (behind its opening quote) and ends before the next quote, or undefined when it is no
 * plain one: long, not ASCII, with an escape or a control character. The parser reads those the long way.
 */
export function keyOf(text: string, start: number): string | undefined {
  let hash = 0;
  let end = start;
  for (; ; end++) {
    const code = text.charCodeAt(end);
    if (code === QUOTE) break;
    // The comparison is also false for NaN, the end of the text.
    if (!(code >= 0x20 && code < 0x7f) || code === BACKSLASH || end - start > LONGEST) return undefined;
    hash = (Math.imul(hash, 31) + code) | 0;
  }
  const slot = (hash ^ (hash >>> 10)) & (SLOTS - 1);
  const known = table[slot];
  if (known !== undefined && known.length === end - start && text.startsWith(known, start)) return known;
  // Through bytes: a slice would keep the whole text alive for as long as it stands in the table.
  const key = Buffer.from(text.slice(start, end), 'latin1').toString('latin1');
  table[slot] = key;
  return key;
}
