import {
  BehindRetention,
  compareText,
  formatInstant,
  LOOKAHEAD,
  LOOKBACK,
  usageSampleOf,
  voidOf,
  voidsSample,
} from '@nephometer/core';
import type {
  Entry,
  EvidenceRecord,
  LedgerRow,
  LostSpan,
  Micros,
  SampleFilter,
  Store,
  StoredSample,
  UsageSample,
  SignedHeader,
} from '@nephometer/core';
import { gatherFacts } from '../usage/facts.ts';
import type { GatheredFacts } from '../usage/facts.ts';
import type { LedgerBook } from '../usage/ledger-book.ts';
import { batchesOf, headerOf } from './batches.ts';
import { isOfGround, resolutionRecords, resolutionsOf } from './resolutions.ts';
import type { Resolved } from './resolutions.ts';
import { compareInSeries, lineageOf, lostText, otherRecord, seriesOf } from './others.ts';

/** Whose figures, of which time, as of when. */
export interface Ground {
  readonly projectId: string | null;
  readonly from: Micros;
  readonly to: Micros;
  readonly asOf: Micros;
  /** Names, each once. */
  readonly meters: readonly string[];
}

/**
 * How much is told of readings that belong to others, on series that changed hands. The least that gives the figures to
 * the byte is taken.
 *
 * | detail | which readings                          | what of them                                            |
 * |--------|-----------------------------------------|---------------------------------------------------------|
 * | 0      | next before and after one of our own    | when; whether the resource went; of a counter its value |
 * | 1      | all of the series                       | the same                                                |
 * | 2      | all of the series                       | also every value                                        |
 */
export const MOST_DETAIL = 2;

/** Half-open; of one resource, or of all. */
interface Stretch {
  readonly resourceId: string | null;
  readonly first: Micros;
  readonly last: Micros;
}

/** All that the figures of one project stand on, read once; its records can be walked again and again. */
export class Gathered {
  readonly #store: Store;
  readonly ground: Ground;
  readonly #facts: ReadonlyMap<string, GatheredFacts>;
  readonly #voids: readonly Entry[];
  readonly #rows: readonly LedgerRow[];
  /** Null: not told, as in statements that were made before they were. */
  readonly #resolved: readonly Resolved[] | null;

  private constructor(
    store: Store,
    ground: Ground,
    facts: ReadonlyMap<string, GatheredFacts>,
    voids: readonly Entry[],
    rows: readonly LedgerRow[],
    resolved: readonly Resolved[] | null,
  ) {
    this.#store = store;
    this.ground = ground;
    this.#facts = facts;
    this.#voids = voids;
    this.#rows = rows;
    this.#resolved = resolved;
  }

  /** @throws BehindRetention, StoreUnavailable */
  static async read(store: Store, ledger: LedgerBook, ground: Ground, tellsResolutions: boolean): Promise<Gathered> {
    const { projectId, from, to, asOf } = ground;
    const facts = new Map<string, GatheredFacts>();
    for (const meter of ground.meters) {
      const projectIds = projectId === null ? null : [projectId];
      facts.set(meter, ofProject(await gatherFacts(store, ledger, { meter, from, to, asOf, projectIds }), projectId));
    }
    const voids = await store.entries({ kind: 'void', before: asOf + 1 });
    const resolved = tellsResolutions ? await resolutionsOf(store, ground) : null;
    const versions = (resolved ?? []).flatMap((one) => one.versions.filter((version) => isOfGround(version, ground)));
    const samples = [...facts.values()].flatMap((one) => one.samples);
    const cycles = [...facts.values()].flatMap((one) => one.cycles);
    const rows = await batchesOf(store, ground, [...samples, ...versions.map(usageSampleOf)], cycles);
    return new Gathered(store, ground, facts, voids, rows, resolved);
  }

  /** Headers by digest. */
  headers(): Map<string, SignedHeader> {
    return new Map(this.#rows.map(({ digest, headerText }) => [digest, headerOf(headerText)]));
  }

  /** Without Merkle paths. Batches first; the same in the same order every time. */
  async *records(detail: number): AsyncGenerator<EvidenceRecord> {
    for (const { digest, recordedAt, headerText } of this.#rows) {
      yield { kind: 'batch', digest, recorded_at: formatInstant(recordedAt), header: headerText ?? '' };
    }
    yield* this.#losses();
    for (const { id, recordedAt, body } of this.#bearingVoids()) {
      yield { kind: 'void', id, recorded_at: formatInstant(recordedAt), body };
    }
    yield* resolutionRecords(this.#resolved ?? [], this.ground);
    yield* this.#others(detail);
    for (const meter of this.ground.meters) {
      for await (const { batchDigest, batchIndex, recordedAt, text } of this.#ownSamples(meter)) {
        const recorded_at = formatInstant(recordedAt);
        yield { kind: 'sample', batch: batchDigest, index: batchIndex, recorded_at, text };
      }
    }
  }

  /** Stored samples of the project, voided ones too. */
  async *#ownSamples(meter: string): AsyncGenerator<StoredSample> {
    const facts = this.#facts.get(meter);
    const wanted = new Set(facts?.samples.filter((sample) => this.#isOwn(sample)).map(keyOf));
    const { projectId, asOf } = this.ground;
    const filter: SampleFilter = projectId === null ? { meter } : { meter, projectIds: [projectId] };
    for (const stretch of [this.#around(), ...this.#silences(facts)]) {
      const narrowed = { ...filter, ...(stretch.resourceId === null ? {} : { resourceId: stretch.resourceId }) };
      for await (const sample of this.shown(narrowed, asOf, stretch)) {
        if (wanted.delete(keyOf(sample))) yield sample;
      }
      if (wanted.size === 0) return;
      for await (const sample of this.voided(narrowed, stretch)) if (wanted.delete(keyOf(sample))) yield sample;
    }
  }

  #around(): Stretch {
    const { from, to } = this.ground;
    return { resourceId: null, first: from - LOOKBACK, last: to + LOOKAHEAD };
  }

  /** Where own readings lie that a silence began or ended with, longer ago or later than the others. */
  #silences(facts: GatheredFacts | undefined): Stretch[] {
    const { first, last } = this.#around();
    const spans = new Map<string, { resourceId: string; first: Micros; last: Micros }>();
    for (const sample of facts?.samples ?? []) {
      const { timestamp, resourceId } = sample;
      if ((timestamp >= first && timestamp < last) || !this.#isOwn(sample)) continue;
      const key = JSON.stringify([timestamp < first, resourceId]);
      const known = spans.get(key) ?? { resourceId, first: timestamp, last: timestamp + 1 };
      known.first = Math.min(known.first, timestamp);
      known.last = Math.max(known.last, timestamp + 1);
      spans.set(key, known);
    }
    return [...spans.values()];
  }

  /** Samples of the period and around it, as far as retention has kept them. */
  async *shown(
    filter: SampleFilter,
    asOf: Micros,
    { first, last }: Omit<Stretch, 'resourceId'> = this.#around(),
  ): AsyncGenerator<StoredSample> {
    const query = { ...filter, to: { at: last, inclusive: false }, order: 'oldest', asOf } as const;
    try {
      yield* this.#store.samples({ ...query, from: { at: first, inclusive: true } });
    } catch (cause) {
      if (!(cause instanceof BehindRetention)) throw cause;
      for await (const sample of this.#store.samples(query)) if (sample.timestamp >= first) yield sample;
    }
  }

  /** What voids have taken out, each sample once: as of the moment before each void. */
  async *voided(
    filter: SampleFilter,
    stretch: Omit<Stretch, 'resourceId'> = this.#around(),
  ): AsyncGenerator<StoredSample> {
    for (const entry of this.#voids.toReversed()) {
      const made = voidOf(entry);
      if (made === null || (filter.meter !== undefined && (made.meter ?? filter.meter) !== filter.meter)) continue;
      const narrowed = {
        ...filter,
        ...(made.meter === undefined ? {} : { meter: made.meter }),
        ...(made.resourceId === undefined ? {} : { resourceId: made.resourceId }),
        ...(made.messageId === undefined ? {} : { messageId: made.messageId }),
      };
      for await (const sample of this.shown(narrowed, entry.recordedAt - 1, stretch)) {
        if (voidsSample(made, usageSampleOf(sample))) yield sample;
      }
    }
  }

  /** Versions that resolutions have set aside, of any project. */
  setAside(): StoredSample[] {
    return (this.#resolved ?? []).flatMap(({ versions }) => versions);
  }

  #isOwn({ projectId }: UsageSample): boolean {
    return projectId === this.ground.projectId;
  }

  /** Oldest first. */
  #bearingVoids(): Entry[] {
    const own = [...this.#facts.values()].flatMap(({ samples }) => samples.filter((sample) => this.#isOwn(sample)));
    return this.#voids.toReversed().filter((entry) => {
      const made = voidOf(entry);
      return made !== null && own.some((sample) => voidsSample(made, sample));
    });
  }

  /** Those that bear on what is carried, in a fixed order. */
  *#losses(): Generator<EvidenceRecord> {
    const all = [...this.#facts.values()].flatMap(({ samples }) => samples);
    const agents = new Set(all.map(({ agentId }) => agentId));
    const resources = new Set(all.map(({ resourceId }) => resourceId));
    const bears = ({ agentId, resourceId }: LostSpan): boolean =>
      (resourceId === null ? agents.has(agentId) : resources.has(resourceId)) &&
      (agentId === null || agents.has(agentId));
    const spans = [...this.#facts.values()].flatMap(({ lost }) => lost.filter(bears));
    const voided = [...this.#facts.values()].flatMap((facts) => this.#voidedOthers(facts));
    const texts = [...spans, ...voided].flatMap((span) => lostText(span) ?? []);
    for (const text of [...new Set(texts)].sort(compareText)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `lostText` writes it
      yield JSON.parse(text) as EvidenceRecord;
    }
  }

  #voidedOthers({ samples, voids }: GatheredFacts): LostSpan[] {
    return samples.flatMap((sample): LostSpan[] => {
      if (this.#isOwn(sample)) return [];
      const at = voids.filter((one) => voidsSample(one, sample)).map(({ recordedAt }) => recordedAt);
      if (at.length === 0) return [];
      const { timestamp, agentId, source, meter, resourceId } = sample;
      const recordedAt = Math.min(...at);
      return [{ reason: 'voided', from: timestamp, to: timestamp, agentId, source, meter, resourceId, recordedAt }];
    });
  }

  *#others(detail: number): Generator<EvidenceRecord> {
    let order = 0;
    for (const facts of this.#facts.values()) {
      const counting = facts.samples.filter(
        (sample) => this.#isOwn(sample) || !facts.voids.some((one) => voidsSample(one, sample)),
      );
      const inOrder = counting.toSorted(compareInSeries);
      for (const [i, sample] of inOrder.entries()) {
        if (this.#isOwn(sample)) continue;
        const isNext = [inOrder[i - 1], inOrder[i + 1]].some(
          (beside) => beside !== undefined && this.#isOwn(beside) && seriesOf(beside) === seriesOf(sample),
        );
        if (isNext || detail > 0) yield otherRecord(sample, ++order, detail);
      }
    }
  }
}

/** Of series that had a sample of the project. */
function ofProject(facts: GatheredFacts, projectId: string | null): GatheredFacts {
  const own = new Set(facts.samples.filter((sample) => sample.projectId === projectId).map(lineageOf));
  return { ...facts, samples: facts.samples.filter((sample) => own.has(lineageOf(sample))) };
}

function keyOf({ messageId, recordedAt }: Pick<UsageSample, 'messageId' | 'recordedAt'>): string {
  return `${recordedAt} ${messageId}`;
}
