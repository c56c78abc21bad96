import type { JsonValue, PollContext, Reading, Resource } from '@nephometer/core/plugin';
import { entriesOf, readAnswer } from './answers.ts';
import { below } from './client.ts';
import type { Client, FirstPage, Page } from './client.ts';
import type { HttpOptions } from './config.ts';
import type { Definition } from './definition.ts';
import { assertOrigin } from './fetch.ts';
import { valueAt } from './path.ts';
import { readEntry } from './readings.ts';
import type { Tally } from './tally.ts';

type Context = PollContext<HttpOptions>;

/** A definition on its way from page to page. */
export interface Walker {
  readonly definition: Definition;
  readonly resource: Resource;
  readonly endpoint: URL | null;
  /** Pages read already, for loops and the limit. */
  readonly seen: Set<string>;
}

/** A page, and the definitions that read it. */
export interface Visit extends Page {
  readonly walkers: readonly Walker[];
}

/** Definitions that begin at one page go together, so that each page is asked for once. */
export function visitsOf(starts: readonly { page: FirstPage; definition: Definition; resource: Resource }[]): Visit[] {
  const visits = new Map<string, Visit & { walkers: Walker[] }>();
  for (const { page, definition, resource } of starts) {
    const { url, auth, headers } = page;
    const key = JSON.stringify([url.href, auth, headers]);
    const visit = visits.get(key) ?? { url, auth, headers, walkers: [] };
    visit.walkers.push({ definition, resource, endpoint: page.endpoint, seen: new Set([url.href]) });
    visits.set(key, visit);
  }
  return [...visits.values()];
}

/** Reads a page and those that follow it. What fails for one definition leaves the others. */
export async function* walk(first: Visit, client: Client, context: Context, tally: Tally): AsyncGenerator<Reading> {
  const queue = [first];
  for (let visit = queue.shift(); visit !== undefined; visit = queue.shift()) {
    const text = await textOf(visit, client, context, tally);
    if (text === null) continue;
    const next = new Map<string, Visit & { walkers: Walker[] }>();
    const answers = new Map<string, JsonValue>();
    for (const walker of visit.walkers) {
      try {
        const answer = answerOf(text, walker.definition, answers);
        yield* readPage(answer, walker, tally);
        const url = nextPage(answer, walker, visit.url, context.options);
        if (url === null) continue;
        const following = next.get(url.href) ?? { ...visit, url, walkers: [] };
        next.set(url.href, { ...following, walkers: [...following.walkers, walker] });
      } catch (cause) {
        tally.failed(walker.definition, walker.resource, cause);
      }
    }
    queue.push(...next.values());
  }
}

async function textOf(visit: Visit, client: Client, context: Context, tally: Tally): Promise<string | null> {
  const timeoutMs = Math.max(...visit.walkers.map(({ definition }) => definition.timeoutMs));
  try {
    return await client.get(visit, timeoutMs, context.signal);
  } catch (cause) {
    for (const { definition, resource } of visit.walkers) tally.failed(definition, resource, cause);
    return null;
  }
}

function answerOf(text: string, { handlers }: Definition, answers: Map<string, JsonValue>): JsonValue {
  const key = handlers.join();
  const answer = answers.has(key) ? (answers.get(key) as JsonValue) : readAnswer(text, handlers);
  answers.set(key, answer);
  return answer;
}

/** Readings of all entries of an answer. @throws Error when it has no entries to read */
export function* readPage(
  answer: JsonValue,
  { definition, resource }: Pick<Walker, 'definition' | 'resource'>,
  tally: Tally,
): Generator<Reading> {
  for (const entry of entriesOf(answer, definition.entries)) {
    const result = readEntry(definition, entry, resource);
    tally.entry(definition, resource, result);
    for (const reading of result.readings) if (tally.isNew(definition, reading)) yield reading;
  }
}

/** Where the next page is; null at the last. @throws Error when it leads away, in a circle, or too far */
function nextPage(answer: JsonValue, walker: Walker, from: URL, options: HttpOptions): URL | null {
  const { next } = walker.definition;
  const link = next === null ? undefined : valueAt(next, answer);
  if (next === null || link === undefined || link === null || link === '' || link === false) return null;
  const subject = `next_sample_url_attribute ${next.text}`;
  if (typeof link !== 'string') throw new Error(`${subject} must give a URL`);
  const url = resolved(link, from, walker.endpoint);
  if (url === null) throw new Error(`${subject} gives ${JSON.stringify(link.slice(0, 200))}, which is no URL`);
  assertOrigin(url, from, options.otherOrigins, `${subject} leads`);
  if (walker.seen.has(url.href))
    throw new Error(`${subject} leads back to a page that was read already, ${url.pathname}`);
  if (walker.seen.size >= options.maxPages) {
    throw new Error(`${subject} leads beyond max_pages, ${options.maxPages}; the rest is not read`);
  }
  walker.seen.add(url.href);
  return url;
}

/** A relative link is appended to the endpoint, as url_path is, unless it repeats the endpoint's own path. */
function resolved(link: string, from: URL, endpoint: URL | null): URL | null {
  if (URL.canParse(link)) return new URL(link);
  const isPath = !link.startsWith('?') && !link.startsWith('//');
  if (endpoint !== null && isPath) {
    const path = endpoint.pathname.replace(/\/+$/, '');
    if (!link.startsWith(`${path}/`) || path === '') return below(endpoint, link);
  }
  return URL.canParse(link, from.href) ? new URL(link, from.href) : null;
}
