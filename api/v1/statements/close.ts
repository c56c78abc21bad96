import {
  BehindRetention,
  compareText,
  EvidenceDigest,
  EvidenceFacts,
  formatInstant,
  frozenLine,
  parseTimestamp,
  STATEMENT_FORMAT,
  statementId,
  statementLines,
  TZDATA_VERSION,
  USAGE_RULES,
} from '@nephometer/core';
import type { Identity, Micros, Statement, StatementContent, StatementPart } from '@nephometer/core';
import type { ApiOptions } from '../../context.ts';
import { badRequest, httpError } from '../../errors.ts';
import type { Moment, UsageDesk } from '../usage/desk.ts';
import { deskOf } from '../usage/desk.ts';
import { UsageFields } from '../usage/fields.ts';
import { assertSame, fieldsOf, periodOf } from './asked.ts';
import type { StatementBook, StatementHead } from './book.ts';
import { Gathered, MOST_DETAIL } from './gather.ts';
import { signerOf } from './key.ts';
import { CoverageTooLow, linesBelow } from './low-lines.ts';
import type { StatementRequest } from './schemas.ts';
import { agentsText, PeriodWarnings } from './warnings.ts';

/** Statements are made of what the server knows, whoever asks for them. */
export const SERVER: Identity = { name: 'server', role: 'admin', projects: null, userId: null };

/** What is to be closed, with nothing left open but the project. */
export interface Closing {
  readonly from: Micros;
  readonly to: Micros;
  readonly moment: Moment;
  readonly asked: StatementRequest;
  readonly by: string;
  readonly warnings: PeriodWarnings;
}

export interface Closed {
  readonly head: StatementHead;
  readonly created: boolean;
}

/** Closes periods, and knows which are. */
export class StatementDesk {
  readonly book: StatementBook;
  readonly #options: ApiOptions;
  readonly #desk: UsageDesk;
  /** One closing at a time, so that one process never makes two of one period. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#desk = deskOf(options);
    this.book = this.#desk.statements;
  }

  /** @throws HttpError 400 for a period that is none, 409 for one that is not over or a moment that is not settled */
  closing(asked: StatementRequest, by: string): Closing {
    const { from, to } = periodOf(asked);
    const { tz, as_of } = asked;
    const moment = as_of === undefined ? this.#desk.settledNow() : this.#desk.moment(as_of, tz);
    if (!moment.settled) {
      throw httpError(
        'MTR_NOT_SETTLED',
        `as_of: ${formatInstant(moment.asOf)} can still change; ask again in a minute.`,
      );
    }
    if (to > moment.asOf) {
      const ends = `The period ends at ${formatInstant(to)}, after the moment ${formatInstant(moment.asOf)}`;
      throw httpError('MTR_PERIOD_OPEN', `${ends} that it is closed as of; a later moment would be right.`);
    }
    const { store, agents } = this.#options;
    const sources = { store, agents, inventory: this.#desk.inventory };
    const warnings = new PeriodWarnings(sources, { from, to, asOf: moment.asOf });
    return { from, to, moment, asked, by, warnings };
  }

  /** Projects with a line of any of the definitions in the period; null: nobody known. */
  async projects({ from, to, moment, asked }: Closing): Promise<(string | null)[]> {
    const found = new Set<string | null>();
    for (const name of await this.#names(asked, moment)) {
      const fields = { definition: name, from: formatInstant(from), to: formatInstant(to), group_by: 'project_id' };
      const question = await this.#desk.question(UsageFields.parse(fields), SERVER, moment.asOf);
      const { lines } = await this.#desk.answer(question, moment);
      for (const { group } of lines) found.add(group['project_id'] ?? null);
    }
    return [...found].sort((a, b) => (a === null ? -1 : b === null ? 1 : a < b ? -1 : 1));
  }

  /**
   * Projects of which nothing was measured in the period, though something should have been, and why that is thought: lists
   * name resources of them, or an agent was not heard and they had lines in as long a time before.
   */
  async unmeasured(measured: readonly (string | null)[], closing: Closing): Promise<ReadonlyMap<string, string>> {
    const why = new Map<string, string>();
    const listed = await closing.warnings.listedProjects(await this.#meters(closing));
    for (const [project, count] of listed) why.set(project, `lists name ${count} resources of it`);
    const unheard = await closing.warnings.unheard();
    if (unheard.length > 0) {
      const silent = `nothing was heard of ${agentsText(unheard)}`;
      for (const project of await this.#projectsBefore(closing)) {
        if (project !== null) why.set(project, `it had lines in the time before, and ${silent}`);
      }
    }
    for (const project of measured) if (project !== null) why.delete(project);
    return new Map([...why].sort(([a], [b]) => compareText(a, b)));
  }

  async #projectsBefore(closing: Closing): Promise<(string | null)[]> {
    const { from, to } = closing;
    try {
      return await this.projects({ ...closing, from: from - (to - from), to: from });
    } catch (cause) {
      if (cause instanceof BehindRetention) return [];
      throw cause;
    }
  }

  isClosed(projectId: string, { from, to }: Closing): Promise<boolean> {
    const id = statementId(projectId, formatInstant(from), formatInstant(to));
    return this.book.find(id).then((head) => head !== null);
  }

  /** The statement that there is, or a new one. @throws HttpError 409 */
  close(projectId: string | null, closing: Closing): Promise<Closed> {
    const closed = this.#queue.then(() => this.#close(projectId, closing));
    this.#queue = closed.catch(() => undefined);
    return closed;
  }

  async #close(projectId: string | null, closing: Closing): Promise<Closed> {
    const id = statementId(projectId, formatInstant(closing.from), formatInstant(closing.to));
    const known = await this.book.find(id);
    if (known !== null) {
      assertSame(known, closing);
      return { head: known, created: false };
    }
    if (projectId !== null) await this.#assertKnown(projectId, closing);
    const statement = await this.#make(projectId, closing);
    const head = await this.book.append(statement, closing.by);
    const isOurs = head.digest === statement.digest;
    if (!isOurs) assertSame(head, closing);
    this.#options.log.info(
      { statement: head.id, project: projectId, by: head.by, as_of: head.as_of },
      'A period was closed.',
    );
    return { head, created: isOurs };
  }

  /** A statement is for ever: one of a project that nobody heard of would be a slip of the pen. @throws HttpError 400 */
  async #assertKnown(projectId: string, closing: Closing): Promise<void> {
    for await (const _sample of this.#options.store.samples({ projectIds: [projectId], limit: 1 })) return;
    if ((await closing.warnings.listedProjects(await this.#meters(closing))).has(projectId)) return;
    const found = JSON.stringify(projectId);
    throw badRequest(
      `project_id: found ${found}, of which nothing is recorded; a project with samples would be right.`,
    );
  }

  async #make(projectId: string | null, closing: Closing): Promise<Statement> {
    const { asked, moment, from, to } = closing;
    const { tz, window, anchor, min_coverage: least = null } = asked;
    if (asked.below === 'refuse') await closing.warnings.assertHeard(projectId);
    const parts: StatementPart[] = [];
    for (const name of await this.#names(asked, moment)) parts.push(await this.#part(name, projectId, closing));
    const low = least === null ? [] : linesBelow(parts, least);
    if (least !== null && low.length > 0 && asked.below === 'refuse') throw new CoverageTooLow(projectId, least, low);
    const times = { from: formatInstant(from), to: formatInstant(to) };
    const content: Omit<StatementContent, 'evidence'> = {
      format: STATEMENT_FORMAT,
      rules: USAGE_RULES,
      statement_id: statementId(projectId, times.from, times.to),
      project_id: projectId,
      ...times,
      tz,
      tzdata: TZDATA_VERSION,
      window,
      anchor: anchor ?? null,
      as_of: formatInstant(moment.asOf),
      min_coverage: least,
      flagged: low,
      warnings: await closing.warnings.of(projectId, parts),
      usage: parts,
    };
    return signerOf(this.#options).sign({ ...content, evidence: await this.#evidence(content) });
  }

  async #names({ definitions }: StatementRequest, { asOf }: Moment): Promise<string[]> {
    if (definitions !== undefined) return [...new Set(definitions)];
    return (await this.#desk.definitions.list(asOf)).map(({ definition }) => definition.name);
  }

  async #meters({ asked, moment }: Closing): Promise<Set<string>> {
    const meters = new Set<string>();
    for (const name of await this.#names(asked, moment)) {
      meters.add((await this.#desk.definitions.find(name, moment.asOf)).definition.meter);
    }
    return meters;
  }

  async #part(name: string, projectId: string | null, closing: Closing): Promise<StatementPart> {
    const { asked, moment, from, to } = closing;
    const { definition, hash } = await this.#desk.definitions.find(name, moment.asOf);
    const { tz, window, anchor, group_by } = asked;
    const times = { from: formatInstant(from), to: formatInstant(to) };
    const fields = fieldsOf(name, group_by ?? null, {
      ...times,
      tz,
      window,
      anchor: anchor ?? null,
      project_id: projectId,
    });
    const question = await this.#desk.question(fields, SERVER, moment.asOf);
    const { lines } = await this.#desk.answer(question, moment);
    const frozen = lines.map((line) => frozenLine(line, definition, question.query));
    return { definition, hash, group_by: [...question.query.groupBy], lines: frozen };
  }

  /** Gathers what the figures stand on, and makes them anew from that alone: what a reader of the evidence will do. */
  async #evidence(content: Omit<StatementContent, 'evidence'>): Promise<StatementContent['evidence']> {
    const gathered = await this.gather(content);
    const different: string[] = [];
    for (let detail = 0; detail <= MOST_DETAIL; detail++) {
      const [digest, facts] = [new EvidenceDigest(), new EvidenceFacts()];
      for await (const record of gathered.records(detail)) {
        digest.add(record);
        facts.add(record);
      }
      const summary = { ...digest.summary(), detail };
      const whole = { ...content, evidence: summary };
      const wrong = content.usage.filter(
        (part) =>
          JSON.stringify(statementLines(whole, part, facts.of(part.definition.meter))) !== JSON.stringify(part.lines),
      );
      if (wrong.length === 0) return summary;
      different.push(...wrong.map(({ definition }) => definition.name));
    }
    this.#options.log.error(
      { statement: content.statement_id, definitions: [...new Set(different)] },
      'A statement was not made: its evidence gives other figures.',
    );
    throw httpError(
      'MTR_EVIDENCE_DIFFERS',
      `The stored samples give other figures for ${[...new Set(different)].join(', ')}.`,
    );
  }

  /** @param content a statement, or what is to become one */
  gather(content: Omit<StatementContent, 'evidence'> & Partial<Pick<StatementContent, 'evidence'>>): Promise<Gathered> {
    const meters = [...new Set(content.usage.map(({ definition }) => definition.meter))].sort();
    const { from, to, as_of: asOf } = content;
    const times = { from: parseTimestamp(from), to: parseTimestamp(to), asOf: parseTimestamp(asOf) };
    const ground = { projectId: content.project_id, ...times, meters };
    const tellsResolutions = content.evidence === undefined || content.evidence.resolutions !== undefined;
    return Gathered.read(this.#options.store, this.#desk.ledger, ground, tellsResolutions);
  }
}

const desks = new WeakMap<ApiOptions, StatementDesk>();

/** One desk an API. */
export function statementsOf(options: ApiOptions): StatementDesk {
  let desk = desks.get(options);
  if (desk === undefined) desks.set(options, (desk = new StatementDesk(options)));
  return desk;
}
