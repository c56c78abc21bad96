import { foldUsage, SECOND } from '@nephometer/core';
import type { Identity, Micros, SkippedSeries, UsageAnswer, UsageQuery } from '@nephometer/core';
import type { ApiOptions } from '../../context.ts';
import { badRequest } from '../../errors.ts';
import { StatementBook } from '../statements/book.ts';
import { DefinitionBook } from './definition-book.ts';
import { gatherFacts } from './facts.ts';
import type { GatheredFacts } from './facts.ts';
import { createFolds } from './folds/folds.ts';
import type { Folds } from './folds/folds.ts';
import { InventoryBook } from './inventory-book.ts';
import { LedgerBook } from './ledger-book.ts';
import { assertOneOfBoth, momentOf, questionOf } from './question.ts';
import type { UsageQuestion } from './question.ts';
import type { UsageFields } from './fields.ts';
import { unknownMeter, warningsOf } from './warnings.ts';
import type { UsageWarning } from './warnings.ts';

/** A write may show up this long after its `recorded_at`, where several processes write. */
const COMMIT_HORIZON: Micros = 30 * SECOND;
const MOST_ANSWERS = 16;
const MOST_KEPT_LINES = 200_000;

/** A moment that an answer is as of. */
export interface Moment {
  readonly asOf: Micros;
  /** Whether no write can change what was known at that moment any more. */
  readonly settled: boolean;
}

/** Answers questions about usage from the store, and remembers the last answers for their further pages. */
export class UsageDesk {
  readonly definitions: DefinitionBook;
  readonly ledger: LedgerBook;
  readonly statements: StatementBook;
  /** Null where they are switched off. */
  readonly folds: Folds | null;
  readonly inventory: InventoryBook;
  readonly #options: ApiOptions;
  readonly #horizon: Micros;
  readonly #answers = new Map<string, Promise<UsageAnswer>>();
  #lines = 0;

  constructor(options: ApiOptions) {
    const { store, clock, config, log } = options;
    this.#options = options;
    this.#horizon = config.store.url.startsWith('influxdb') ? COMMIT_HORIZON : 0;
    this.ledger = new LedgerBook(store, clock);
    this.statements = new StatementBook(store, () => clock.now());
    this.inventory = new InventoryBook(store, clock, config.expected_agents);
    this.definitions = new DefinitionBook(config.usage, store, () => clock.now(), log);
    const parts = {
      store,
      ledger: this.ledger,
      config,
      clock,
      log,
      metrics: options.metrics,
      horizon: 2 * this.#horizon,
    };
    this.folds = config.folds.enabled ? createFolds(parts) : null;
  }

  /** The moment asked for; now where none is, or one that has not come yet. */
  moment(text: string | undefined, tz: string, field = 'as_of'): Moment {
    return this.momentAt(text === undefined ? Infinity : momentOf(field, text, tz));
  }

  momentAt(asked: Micros): Moment {
    const now = this.#options.clock.now();
    const asOf = Math.min(asked, now);
    return { asOf, settled: asOf <= now - this.#horizon };
  }

  /** The newest moment that is settled. */
  settledNow(): Moment {
    return { asOf: this.#options.clock.now() - this.#horizon, settled: true };
  }

  async question(
    asked: Omit<UsageFields, 'as_of' | 'guard_formulas'>,
    identity: Identity,
    asOf: Micros,
  ): Promise<UsageQuestion> {
    assertOneOfBoth(asked);
    const known = asked.definition === undefined ? null : await this.definitions.find(asked.definition, asOf);
    return questionOf(asked, known, identity, asOf);
  }

  /** @throws HttpError, BehindRetention, StoreUnavailable */
  async answer(question: UsageQuestion, { asOf, settled }: Moment): Promise<UsageAnswer> {
    const key = `${asOf} ${question.definition.hash} ${question.key}`;
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const answering = this.#answer(question, asOf);
    if (settled) this.#keep(key, answering);
    return answering;
  }

  async #answer(question: UsageQuestion, asOf: Micros): Promise<UsageAnswer> {
    const kept = await this.folds?.reader.answer(question, asOf);
    if (kept != null) return kept;
    this.folds?.metrics.answered('samples');
    return fold(await this.facts(question, asOf), question.query, question.projectIds);
  }

  /** What no line can show; `isEmpty`: there is none. @throws StoreUnavailable */
  async warnings(question: UsageQuestion, identity: Identity, asOf: Micros, isEmpty: boolean): Promise<UsageWarning[]> {
    const { store, agents } = this.#options;
    const unknown = isEmpty ? await unknownMeter(store, question.meter, identity, asOf) : [];
    return [...unknown, ...(await warningsOf({ store, agents, inventory: this.inventory }, question, identity, asOf))];
  }

  facts({ meter, query, projectIds }: UsageQuestion, asOf: Micros): Promise<GatheredFacts> {
    const resourceIds = query.filter.get('resource_id')?.filter((id) => id !== null);
    const narrowed = resourceIds === undefined ? {} : { resourceIds };
    const { from, to } = query;
    return gatherFacts(this.#options.store, this.ledger, { meter, from, to, asOf, projectIds, ...narrowed });
  }

  #keep(key: string, answering: Promise<UsageAnswer>): void {
    this.#answers.set(key, answering);
    if (this.#answers.size > MOST_ANSWERS || this.#lines > MOST_KEPT_LINES) {
      this.#answers.clear();
      this.#lines = 0;
    }
    answering.then(
      ({ lines }) => (this.#lines += lines.length),
      () => this.#answers.delete(key),
    );
  }
}

/** As `foldUsage`; what is wrong with the windows is the question's fault. Of skipped series only those that may be seen. */
export function fold(facts: GatheredFacts, query: UsageQuery, projectIds: readonly string[] | null): UsageAnswer {
  const answer = folded(facts, query);
  if (projectIds === null) return answer;
  const seen = new Set(
    facts.samples
      .filter(({ projectId }) => projectId !== null && projectIds.includes(projectId))
      .map(({ source, resourceId }) => `${source} ${resourceId}`),
  );
  const isSeen = ({ series }: SkippedSeries): boolean => seen.has(`${series.source} ${series.resourceId}`);
  return { ...answer, skipped: answer.skipped.filter(isSeen) };
}

function folded(facts: GatheredFacts, query: UsageQuery): UsageAnswer {
  try {
    return foldUsage(facts, query);
  } catch (cause) {
    if (cause instanceof RangeError) throw badRequest(cause.message);
    throw cause;
  }
}

const desks = new WeakMap<ApiOptions, UsageDesk>();

/** One desk an API: its caches are shared by all its routes. */
export function deskOf(options: ApiOptions): UsageDesk {
  let desk = desks.get(options);
  if (desk === undefined) desks.set(options, (desk = new UsageDesk(options)));
  return desk;
}
