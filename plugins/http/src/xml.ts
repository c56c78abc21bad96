import type { JsonObject, JsonValue } from '@nephometer/core/plugin';

const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<!DOCTYPE|<\/([^\s<>/]+)\s*>|<([^\s<>/!?]+)((?:\s+[^\s=<>/]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/gy;
const ATTRIBUTE = /([^\s=<>/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const DEEPEST = 64;

interface Element {
  readonly name: string;
  readonly members: JsonObject;
  text: string;
}

/**
 * Reads XML as an object: elements are members, several of one name a list, attributes begin with `@`, text beside them is
 * `#text`; an element with nothing but text is that text, an empty one null. Values stay texts. A DOCTYPE is refused.
 * @throws Error with the offset and what was found there
 */
export function parseXml(source: string): JsonValue {
  const root: Element = { name: '', members: new Map(), text: '' };
  const open = [root];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < source.length; at = TOKEN.lastIndex) {
    const token = TOKEN.exec(source);
    const wrong = (problem: string): Error =>
      new Error(`XML: ${problem} at offset ${at}: ${JSON.stringify(source.slice(at, at + 20))}`);
    if (token === null || token[0] === '<!DOCTYPE') throw wrong('found what is not taken');
    const [, cdata, closed, name, attributes = '', empty, text] = token;
    const top = open.at(-1) as Element;
    if (name !== undefined) {
      if (open.length === 1 && root.members.size > 0) throw wrong('found a second root');
      const element: Element = { name, members: attributesOf(attributes), text: '' };
      if (empty === '/') put(top.members, name, valueOf(element));
      else if (open.push(element) > DEEPEST) throw wrong(`found more than ${DEEPEST} levels`);
    } else if (closed !== undefined) {
      if (top.name !== closed || open.length === 1) throw wrong(`expected the end of ${top.name || 'the text'}; found`);
      open.pop();
      put((open.at(-1) as Element).members, closed, valueOf(top));
    } else top.text += cdata ?? unescaped(text ?? '');
  }
  if (open.length > 1) throw new Error(`XML: ${open.at(-1)?.name ?? ''} has no end`);
  if (root.members.size === 0 || root.text.trim() !== '') throw new Error('XML: there must be one root element');
  return root.members;
}

function attributesOf(text: string): JsonObject {
  return new Map(
    [...text.matchAll(ATTRIBUTE)].map(([, name, one, other]) => [`@${name}`, unescaped(one ?? other ?? '')]),
  );
}

function valueOf({ members, text }: Element): JsonValue {
  const own = text.trim();
  if (members.size === 0) return own === '' ? null : own;
  return own === '' ? members : new Map([...members, ['#text', own]]);
}

function put(members: JsonObject, name: string, value: JsonValue): void {
  const known = members.get(name);
  if (known === undefined) members.set(name, value);
  else if (Array.isArray(known)) known.push(value);
  else members.set(name, [known, value]);
}

function unescaped(text: string): string {
  return text.replace(/&(#x[\da-f]+|#\d+|\w+);/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return ENTITIES[name] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : whole;
  });
}
