import { isJsonObject, parseJson } from '@nephometer/core/plugin';
import type { JsonValue } from '@nephometer/core/plugin';
import type { HandlerName } from './definition.ts';
import { valueAt } from './path.ts';
import type { Path } from './path.ts';
import { shown } from './expression/values.ts';
import { parseXml } from './xml.ts';

const HANDLERS: Readonly<Record<HandlerName, (text: string) => JsonValue>> = {
  json: (text) => parseJson(text),
  xml: (text) => parseXml(text),
  text: (text) => [new Map([['out', text]])],
};

/** Reads an answer by the first handler that can. @throws Error that tells why none of them could */
export function readAnswer(text: string, handlers: readonly HandlerName[]): JsonValue {
  const reasons: string[] = [];
  for (const name of handlers) {
    try {
      return HANDLERS[name](text);
    } catch (cause) {
      reasons.push(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  throw new Error(`the answer cannot be read as ${handlers.join(' or ')}; ${reasons.join('; ')}`);
}

/**
 * The entries of an answer: what stands at the path; else the answer itself if it is a list, else its first member that
 * is one. What is not a list is a single entry. @throws Error when nothing stands at the path
 */
export function entriesOf(answer: JsonValue, path: Path | null): readonly JsonValue[] {
  if (Array.isArray(answer) && path === null) return answer;
  if (path !== null) {
    const found = valueAt(path, answer);
    if (found === undefined) throw new Error(`response_entries_key: there is no ${path.text} in ${shown(answer)}`);
    return Array.isArray(found) ? found : found === null ? [] : [found];
  }
  if (!isJsonObject(answer)) throw new Error(`the answer is ${shown(answer)}; a list or an object would be right`);
  const members = [...answer.values()];
  const list = members.find((member) => Array.isArray(member));
  if (list !== undefined) return list;
  return members.slice(0, 1).filter((member) => member !== null);
}
