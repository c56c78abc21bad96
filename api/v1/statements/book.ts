import { formatInstant, MINUTE, sha256, WINDOWS } from '@nephometer/core';
import type { Entry, Micros, Statement, Store } from '@nephometer/core';
import { z } from 'zod';

/** The entry of kind `statement`: what lists show. Its id is the statement's; the bytes are in entries of their own. */
const HeadEntry = z.strictObject({
  project_id: z.string().nullable(),
  from: z.string(),
  to: z.string(),
  tz: z.string(),
  window: z.enum(WINDOWS),
  anchor: z.string().nullable(),
  as_of: z.string(),
  min_coverage: z.string().nullable(),
  flagged: z.int(),
  warnings: z.int().prefault(0),
  lines: z.int(),
  definitions: z.array(z.strictObject({ name: z.string(), hash: z.string(), group_by: z.array(z.string()) })),
  digest: z.string(),
  key_id: z.string(),
  by: z.string(),
  /** SHA-256 of the bytes, and in how many entries they are. */
  body: z.string(),
  parts: z.int().positive(),
});

export interface StatementHead extends z.infer<typeof HeadEntry> {
  readonly id: string;
  readonly recordedAt: Micros;
}

/** Characters in one entry: stores take a statement of any size in pieces that no request limit refuses. */
const PART = 1_000_000;
/** Older entries than this cannot be joined by another that counts before them: twice the commit horizon. */
const SETTLED_AFTER: Micros = MINUTE;

/** The statements in the store. Of several with one id the one recorded first counts. */
export class StatementBook {
  readonly #store: Store;
  readonly #now: () => Micros;
  readonly #settled = new Map<string, StatementHead>();
  #settledUpTo: Micros = -1;

  constructor(store: Store, now: () => Micros) {
    this.#store = store;
    this.#now = now;
  }

  /** In order of recording. */
  async all(): Promise<StatementHead[]> {
    const upTo = this.#now() - SETTLED_AFTER;
    const fresh = await this.#store.entries({ kind: 'statement', after: this.#settledUpTo });
    const heads = fresh.flatMap((entry) => headOf(entry) ?? []).sort(compareHeads);
    for (const head of heads) {
      if (head.recordedAt <= upTo && !this.#settled.has(head.id)) this.#settled.set(head.id, head);
    }
    this.#settledUpTo = Math.max(this.#settledUpTo, upTo);
    const known = new Map(this.#settled);
    for (const head of heads) if (!known.has(head.id)) known.set(head.id, head);
    return [...known.values()];
  }

  async find(id: string): Promise<StatementHead | null> {
    const entries = await this.#store.entries({ kind: 'statement', id });
    return entries.flatMap((entry) => headOf(entry) ?? []).sort(compareHeads)[0] ?? null;
  }

  /** The bytes of a statement, as they were closed. */
  async text({ body, parts }: StatementHead): Promise<string> {
    const pieces: string[] = [];
    for (let i = 0; i < parts; i++) {
      const [entry] = await this.#store.entries({ kind: 'statement-body', id: partId(body, i), limit: 1 });
      if (entry === undefined) throw new TypeError(`The statement body ${body} lacks its part ${i}.`);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `append` writes it
      pieces.push(JSON.parse(entry.body) as string);
    }
    return pieces.join('');
  }

  /** Writes the bytes, then the entry that makes them count; gives back the one that does, which may be another's. */
  async append(statement: Statement, by: string): Promise<StatementHead> {
    const text = JSON.stringify(statement);
    const body = sha256(text);
    const parts = cut(text);
    for (const [i, part] of parts.entries()) {
      await this.#store.appendEntry({ kind: 'statement-body', id: partId(body, i), body: JSON.stringify(part) });
    }
    const { statement_id: id, project_id, from, to, tz, window, anchor, as_of, min_coverage, digest } = statement;
    const head: z.infer<typeof HeadEntry> = {
      project_id,
      from,
      to,
      tz,
      window,
      anchor,
      as_of,
      min_coverage,
      flagged: statement.flagged.length,
      warnings: statement.warnings?.length ?? 0,
      lines: statement.usage.reduce((sum, { lines }) => sum + lines.length, 0),
      definitions: statement.usage.map(({ definition, hash, group_by }) => ({
        name: definition.name,
        hash,
        group_by,
      })),
      digest,
      key_id: statement.signature.key_id,
      by,
      body,
      parts: parts.length,
    };
    const entry = await this.#store.appendEntry({ kind: 'statement', id, body: JSON.stringify(head) });
    return (await this.find(id)) ?? { ...head, id, recordedAt: entry.recordedAt };
  }
}

function partId(body: string, i: number): string {
  return `${body}/${i}`;
}

/** Never within a surrogate pair. */
function cut(text: string): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + PART, text.length);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end -= 1;
    parts.push(text.slice(at, end));
    at = end;
  }
  return parts;
}

function headOf({ id, recordedAt, body }: Entry): StatementHead | null {
  const read = HeadEntry.safeParse(JSON.parse(body));
  return read.success ? { ...read.data, id, recordedAt } : null;
}

function compareHeads(a: StatementHead, b: StatementHead): number {
  return a.recordedAt - b.recordedAt || (a.body < b.body ? -1 : 1);
}

/** `StatementHeadAnswer`. */
export function headShape(head: StatementHead, now: Micros): Record<string, unknown> {
  const { id, project_id, from, to, tz, window, as_of, recordedAt, min_coverage, flagged, warnings } = head;
  const { lines, digest, key_id, by } = head;
  return {
    statement_id: id,
    project_id,
    from,
    to,
    tz,
    window,
    as_of,
    recorded_at: formatInstant(recordedAt),
    settled: recordedAt <= now,
    definitions: head.definitions.map(({ name, hash }) => ({
      name,
      hash,
    })),
    min_coverage,
    flagged,
    warnings,
    lines,
    digest,
    key_id,
    by,
  };
}
