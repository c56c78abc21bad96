/**
 * Text that passes line protocol and InfluxQL unchanged and comes back the same. Both trip over control characters and
 * backslashes (a backslash before a separator, or at the end of a tag, changes what follows), and neither keeps half a
 * surrogate pair. Such characters are written as `%0A` or `%uD800`, and `%` itself as `%25`; all else stays readable.
 */
// oxlint-disable-next-line no-control-regex
const NASTY = /[%\\\u0000-\u001f\u007f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export function encodeText(text: string): string {
  return text.replace(NASTY, (char) => {
    const code = char.charCodeAt(0);
    return code > 0xff ? `%u${hex(code, 4)}` : `%${hex(code, 2)}`;
  });
}

export function decodeText(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%u([0-9A-F]{4})|%([0-9A-F]{2})/g, (_all, wide: string | undefined, narrow: string) =>
    String.fromCharCode(Number.parseInt(wide ?? narrow, 16)),
  );
}

function hex(code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, '0');
}

/** A lone `%`, which `encodeText` never gives: InfluxDB takes an empty tag for an absent one, and absent means null. */
const EMPTY_TAG = '%';

/** The value of a tag; '' is an absent tag. */
export function tagText(value: string | null): string {
  if (value === null) return '';
  return value === '' ? EMPTY_TAG : encodeText(value);
}

/** InfluxDB keeps strings below 64 KiB; a UTF-16 unit takes at most three bytes. */
const CHUNK_UNITS = 21_000;

/**
 * Cuts a long text into what one string field holds. The first piece begins with `C` when it is the only one, with `P`
 * when more follow.
 */
export function chunkText(text: string): string[] {
  const encoded = encodeText(text);
  if (encoded.length <= CHUNK_UNITS) return [`C${encoded}`];
  const chunks: string[] = [];
  for (let at = 0; at < encoded.length;) {
    let end = Math.min(at + CHUNK_UNITS, encoded.length);
    if (end < encoded.length && isHighSurrogate(encoded.charCodeAt(end - 1))) end -= 1;
    chunks.push(encoded.slice(at, end));
    at = end;
  }
  return chunks.map((chunk, i) => (i === 0 ? `P${chunk}` : chunk));
}

export function isWhole(firstChunk: string): boolean {
  return firstChunk.startsWith('C');
}

export function joinChunks(chunks: readonly string[]): string {
  return decodeText(chunks.join('').slice(1));
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
