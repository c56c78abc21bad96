import { isDeepStrictEqual } from 'node:util';
import type { Asked, Asking } from './api.ts';

/**
 * One documented request: `GET /v1/...`, or `POST /v1/...` with its body below, in a block `request`, and what it is answered
 * in the block `answer` behind it. `{id}` is the id of the last answer to a POST. In the block `command` before it, the command
 * that asks the same.
 */
export interface Documented {
  readonly command: string | null;
  readonly request: string;
  readonly body: string;
  readonly answer: string;
}

const BLOCK =
  /(?:```command\n(.+)\n```\n\n)?```request\n((?:GET|POST) \S+)\n([\s\S]*?)```\n\n```answer\n([\s\S]*?)```/g;

export function documentedRequests(page: string): Documented[] {
  return [...page.matchAll(BLOCK)].map(([, command = null, request = '', body = '', answer = '']) => {
    return { command, request, body, answer };
  });
}

/** What a documented command is given, behind its name. */
export function wordsOf(command: string): string[] {
  const [, ...words] = command.match(/'[^']*'|\S+/g) ?? [];
  return words.map((word) => word.replace(/^'(.*)'$/, '$1'));
}

/** Where an answer has its rows. */
const ROWS = ['lines', 'changes', 'coverage', 'findings', 'samples', 'statements', 'adjustments'] as const;

/**
 * Whether a command, which follows all pages, printed what the request was answered, which may be the first page: the whole
 * answer, or its rows.
 */
export function saysTheSame(answer: string, printed: string): boolean {
  const whole = JSON.parse(answer) as Record<string, unknown> & { readonly next?: string | null };
  const found: unknown = JSON.parse(printed);
  const name = ROWS.find((one) => Array.isArray(whole[one])) ?? null;
  // A statement, or whether a month is final.
  if (name === null || 'state' in whole) return isDeepStrictEqual(found, whole);
  const rows = whole[name] as readonly unknown[];
  const all = Array.isArray(found) ? found : (found as Record<string, unknown>)[name];
  const hasMore = typeof whole.next === 'string' || whole['more'] === true;
  if (!Array.isArray(all) || (hasMore ? all.length <= rows.length : all.length !== rows.length)) return false;
  if (!Array.isArray(found) && !hasMore) return isDeepStrictEqual(found, whole);
  return isDeepStrictEqual(all.slice(0, rows.length), rows);
}

/** Asks what the page documents, in its order. */
export class Reader {
  readonly #api: Asking;
  #id = '{id}';

  constructor(api: Asking) {
    this.#api = api;
  }

  /** @returns the answer, and as the page shows it */
  async ask({ request, body }: Documented): Promise<Pick<Asked, 'status' | 'text'> & { readonly shown: string }> {
    const [method, path = ''] = request.split(' ');
    const asked =
      method === 'POST'
        ? await this.#api.post(path, JSON.parse(body))
        : await this.#api.get(path.replace('{id}', this.#id));
    if (method === 'POST' && asked.status < 300) this.#id = (asked.json as { readonly id?: string }).id ?? '{id}';
    const shown = asked.status < 300 ? excerpt(asked.text, path.startsWith('/v1/exports')) : asked.text;
    return { status: asked.status, text: asked.text, shown: shown.replaceAll(this.#id, '{id}') };
  }
}

/** Rows of a list that the page shows. */
const SHOWN = 2;

/**
 * The answer as the page shows it: the first rows, and how many follow; versions of the machine's own are left out.
 * @param isDeep lists within lists are cut, too
 */
function excerpt(text: string, isDeep: boolean): string {
  if (!text.startsWith('{')) return cut(text.trimEnd().split('\n')).join('\n').concat('\n');
  const answer: unknown = JSON.parse(text);
  return `${JSON.stringify(isDeep ? deep(answer) : shallow(answer), withoutDigest, 1)}\n`;
}

/** Depend on the version of this program, or of the zone rules that this machine has. */
const OWN = ['tzdata', 'digest', 'signature', 'generator', 'sha256', 'DataGeneratorVersion'];

function withoutDigest(name: string, value: unknown): unknown {
  return name === 'digest' ? undefined : value;
}

function shallow(answer: unknown): unknown {
  const shown = Object.entries(answer as Record<string, unknown>).flatMap(([name, value]): [string, unknown][] => {
    if (OWN.includes(name)) return [];
    return [[name, Array.isArray(value) ? cut(value as unknown[]) : value]];
  });
  return Object.fromEntries(shown);
}

function deep(value: unknown): unknown {
  if (Array.isArray(value)) return cut((value as unknown[]).map(deep));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !OWN.includes(name));
  return Object.fromEntries(kept.map(([name, inner]) => [name, deep(inner)]));
}

function cut(list: readonly unknown[]): readonly unknown[] {
  return list.length <= SHOWN ? list : [...list.slice(0, SHOWN), `... and ${list.length - SHOWN} more`];
}

/** The page with the answers as they are. */
export async function withAnswers(page: string, api: Asking): Promise<string> {
  const reader = new Reader(api);
  let filled = page;
  for (const documented of documentedRequests(page)) {
    const { request, body, answer } = documented;
    const { status, text, shown } = await reader.ask(documented);
    if (status >= 300) throw new Error(`${request}: ${status} ${text}`);
    const block = `\`\`\`request\n${request}\n${body}\`\`\`\n\n\`\`\`answer\n`;
    filled = filled.replace(`${block}${answer}\`\`\``, () => `${block}${shown}\`\`\``);
  }
  return filled;
}
