import { ConfigError, compare, jsonEqual, matchesPatterns, messageOf } from '@nephometer/core';
import type { ConfigProblem, Counter, Pipeline as PipelineConfig } from '@nephometer/core';
import { createTransform, TransformerProblem } from './transform/transform.ts';
import type { Transform } from './transform/transform.ts';

/** What came out of the pipeline for one cycle. */
export interface PipelineResult {
  readonly counters: readonly Counter[];
  /** Samples that a transformer could not calculate, or that came out twice with different content. */
  readonly rejected: readonly Rejection[];
}

export interface Rejection {
  readonly meter: string;
  readonly resourceId: string;
  readonly reason: string;
}

/** A source and one of its sinks: named `source:sink`, or just the name when both have the same. */
interface Route {
  readonly name: string;
  readonly meters: readonly string[];
  readonly transforms: readonly Transform[];
}

/** The only publisher so far: our bus. */
const PUBLISHERS = ['nephometer://'];

/** Which samples go where, and what is done to them on the way. Keeps the state of rates. */
export class Pipeline {
  readonly #routes: readonly Route[];

  /** @throws ConfigError */
  constructor(config: PipelineConfig) {
    const problems: ConfigProblem[] = publisherProblems(config);
    this.#routes = config.sources.flatMap((source) =>
      source.sinks.map((sinkName) => ({
        name: source.name === sinkName ? source.name : `${source.name}:${sinkName}`,
        meters: source.meters,
        transforms: transformsOf(config, sinkName, problems),
      })),
    );
    // A sink that two sources name is checked twice.
    const unique = new Map(problems.map((one) => [one.key + one.message, one]));
    if (unique.size > 0) throw new ConfigError([...unique.values()]);
  }

  /** The names that a polled meter has behind the pipeline; none when no source takes it. */
  finalNames(meter: string): string[] {
    return this.#routes
      .filter(({ meters }) => matchesPatterns(meters, meter))
      .map(({ transforms }) => transforms.reduce((name, transform) => transform.name(name), meter));
  }

  /**
   * Sends the counters of one cycle through every source and sink that takes them.
   * @param origin the polling source: rates of two sources are not mixed
   */
  runPipeline(counters: readonly Counter[], origin: string): PipelineResult {
    const outputs = new Outputs();
    for (const counter of counters) {
      for (const route of this.#routes) {
        if (matchesPatterns(route.meters, counter.meter)) outputs.take(counter, route, origin);
      }
    }
    return { counters: outputs.counters(), rejected: outputs.rejected };
  }
}

/** Collects the outputs of a cycle; two of one meter and resource would share one message_id. */
class Outputs {
  readonly #taken = new Map<string, { counter: Counter; route: string }>();
  readonly rejected: Rejection[] = [];

  take(counter: Counter, route: Route, origin: string): void {
    try {
      const output = transformed(counter, route, origin);
      if (output !== null) this.#add(output, route.name);
    } catch (cause) {
      this.#reject(counter, `pipeline ${route.name}: ${messageOf(cause)}`);
    }
  }

  counters(): Counter[] {
    return [...this.#taken.values()].map(({ counter }) => counter);
  }

  #add(counter: Counter, route: string): void {
    const key = `${counter.meter.length}:${counter.meter}${counter.resourceId}`;
    const first = this.#taken.get(key);
    if (first === undefined) {
      this.#taken.set(key, { counter, route });
    } else if (!isSame(first.counter, counter)) {
      const where = first.route === route ? `twice from ${route}` : `from ${first.route} and from ${route}`;
      this.#reject(counter, `came out ${where} with different content; the first counts, rename one of the two`);
    }
  }

  #reject({ meter, resourceId }: Counter, reason: string): void {
    this.rejected.push({ meter, resourceId, reason });
  }
}

function transformed(counter: Counter, { transforms }: Route, origin: string): Counter | null {
  let current: Counter | null = counter;
  for (const transform of transforms) {
    current = transform.apply(current, origin);
    if (current === null) return null;
  }
  return current;
}

function isSame(a: Counter, b: Counter): boolean {
  return (
    a.type === b.type &&
    a.unit === b.unit &&
    compare(a.volume, b.volume) === 0 &&
    a.projectId === b.projectId &&
    a.userId === b.userId &&
    a.timestamp === b.timestamp &&
    jsonEqual(a.metadata, b.metadata)
  );
}

function publisherProblems({ sinks }: PipelineConfig): ConfigProblem[] {
  return sinks.flatMap((sink, index) =>
    sink.publishers
      .map((publisher) => (publisher.includes('://') ? publisher : `${publisher}://`))
      .filter((publisher) => !PUBLISHERS.includes(publisher))
      .map((publisher) => ({
        file: 'configuration',
        line: null,
        key: `pipeline.sinks[${index}].publishers`,
        message: `names the publisher "${publisher}", which is not there; publishers here: ${PUBLISHERS.join(', ')}`,
      })),
  );
}

function transformsOf(config: PipelineConfig, name: string, problems: ConfigProblem[]): Transform[] {
  const index = config.sinks.findIndex((sink) => sink.name === name);
  const transforms: Transform[] = [];
  for (const [step, transformer] of (config.sinks[index]?.transformers ?? []).entries()) {
    try {
      transforms.push(createTransform(transformer));
    } catch (cause) {
      const path = cause instanceof TransformerProblem ? cause.path.map((part) => `.${String(part)}`).join('') : '';
      problems.push({
        file: 'configuration',
        line: null,
        key: `pipeline.sinks[${index}].transformers[${step}].parameters${path}`,
        message: messageOf(cause),
      });
    }
  }
  return transforms;
}
