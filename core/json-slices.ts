import { JsonSyntaxError } from './json.ts';

/**
 * Cuts JSON text into the exact texts of its parts without reading them: what a signature or a digest is over must be
 * the sender's bytes, not our spelling of them. The text is checked only as far as finding the cuts needs; parse each
 * part to check the rest.
 */

/** The exact text of each item of a JSON array. @throws JsonSyntaxError when the text is not an array */
export function sliceItems(text: string): string[] {
  const items: string[] = [];
  let at = expect(text, skipSpace(text, 0), '[');
  if (text[skipSpace(text, at)] === ']') return closing(text, skipSpace(text, at), items);
  for (;;) {
    at = skipSpace(text, at);
    const end = skipValue(text, at);
    items.push(text.slice(at, end));
    at = skipSpace(text, end);
    if (text[at] === ']') return closing(text, at, items);
    at = expect(text, at, ',');
  }
}

/** The exact text of each member's value of a JSON object, by name; of a repeated name the last. */
export function sliceMembers(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let at = expect(text, skipSpace(text, 0), '{');
  if (text[skipSpace(text, at)] === '}') return closing(text, skipSpace(text, at), members);
  for (;;) {
    at = skipSpace(text, at);
    const nameEnd = skipString(text, at);
    const name = readName(text, at, nameEnd);
    at = skipSpace(text, expect(text, skipSpace(text, nameEnd), ':'));
    const end = skipValue(text, at);
    members.set(name, text.slice(at, end));
    at = skipSpace(text, end);
    if (text[at] === '}') return closing(text, at, members);
    at = expect(text, at, ',');
  }
}

function readName(text: string, from: number, to: number): string {
  try {
    return JSON.parse(text.slice(from, to)) as string;
  } catch {
    throw new JsonSyntaxError(`The member name at offset ${from} is not a JSON string.`, from);
  }
}

function closing<T>(text: string, at: number, parts: T): T {
  const rest = skipSpace(text, at + 1);
  if (rest === text.length) return parts;
  throw new JsonSyntaxError(`Expected the end at offset ${rest}; found ${JSON.stringify(text[rest])}.`, rest);
}

function expect(text: string, at: number, char: string): number {
  if (text[at] === char) return at + 1;
  const found = at < text.length ? JSON.stringify(text[at]) : 'the end';
  throw new JsonSyntaxError(`Expected '${char}' at offset ${at}; found ${found}.`, at);
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at += 1;
  }
}

/** The end of the string that begins at `from`. */
function skipString(text: string, from: number): number {
  let at = expect(text, from, '"');
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw new JsonSyntaxError(`The string at offset ${from} has no end.`, from);
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === 0x5c) slashes += 1;
    at = quote + 1;
    if (slashes % 2 === 0) return at;
  }
}

/** The end of the value that begins at `from`; brackets are counted, not matched by kind. */
function skipValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return skipString(text, from);
  if (first === '{' || first === '[') return skipBracketed(text, from);
  let at = from;
  while (at < text.length && !',]} \n\r\t'.includes(text.charAt(at))) at += 1;
  if (at === from) throw new JsonSyntaxError(`Expected a value at offset ${from}.`, from);
  return at;
}

function skipBracketed(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = skipString(text, at);
      continue;
    }
    if (code === 0x7b || code === 0x5b) depth += 1;
    if (code === 0x7d || code === 0x5d) depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
  throw new JsonSyntaxError(`The bracket at offset ${from} is not closed.`, from);
}
