export type Labels = Readonly<Record<string, string>>;

export interface CounterMetric {
  add(by?: number, labels?: Labels): void;
}
export interface GaugeMetric {
  set(value: number, labels?: Labels): void;
  /** Forgets one labelled value: the thing is gone. */
  remove(labels: Labels): void;
}
export interface HistogramMetric {
  observe(value: number, labels?: Labels): void;
}

/** One metric as the reference page lists it. */
export interface MetricDescription {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
}

interface Metric extends MetricDescription {
  readonly values: Map<string, number>;
  readonly buckets: readonly number[];
}

/**
 * Self-metrics of one process in OpenMetrics text. Names end in their unit, counters in `_total`.
 * Asking twice for one name gives the same metric.
 * @see https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export class MetricRegistry {
  readonly #metrics = new Map<string, Metric>();
  readonly #collectors: (() => void)[] = [];

  /** `name` ends in `_total`. */
  counter(name: string, help: string): CounterMetric {
    const { values } = this.#register({ name, type: 'counter', help }, []);
    return { add: (by = 1, labels = {}) => increase(values, labelText(labels), by) };
  }

  gauge(name: string, help: string): GaugeMetric {
    const { values } = this.#register({ name, type: 'gauge', help }, []);
    return {
      set: (value, labels = {}) => void values.set(labelText(labels), value),
      remove: (labels) => void values.delete(labelText(labels)),
    };
  }

  histogram(name: string, help: string, buckets: readonly number[]): HistogramMetric {
    const { values } = this.#register({ name, type: 'histogram', help }, buckets);
    return { observe: (value, labels = {}) => observe(values, buckets, value, labels) };
  }

  /** Called before every exposition, to set gauges that are read rather than counted. */
  onCollect(collect: () => void): void {
    this.#collectors.push(collect);
  }

  describe(): MetricDescription[] {
    return [...this.#metrics.values()].map(({ name, type, help }) => ({ name, type, help }));
  }

  /** OpenMetrics 1.0 text. */
  expose(): string {
    for (const collect of this.#collectors) collect();
    return `${[...this.#metrics.values()].map(exposeMetric).join('')}# EOF\n`;
  }

  /** The same as JSON, for /varz: `{name: value | {labels: value}}`. */
  toJSON(): Record<string, unknown> {
    for (const collect of this.#collectors) collect();
    return Object.fromEntries([...this.#metrics.values()].map(({ name, values }) => [name, plainValues(values)]));
  }

  #register(description: MetricDescription, buckets: readonly number[]): Metric {
    const known = this.#metrics.get(description.name);
    if (known !== undefined && known.type === description.type) return known;
    if (known !== undefined) throw new TypeError(`${description.name} is a ${known.type} already.`);
    const metric = { ...description, buckets, values: new Map<string, number>() };
    // A counter without labels shows its zero from the start, so that a rate over it never misses the first step.
    if (description.type === 'counter') metric.values.set('', 0);
    this.#metrics.set(description.name, metric);
    return metric;
  }
}

function increase(values: Map<string, number>, key: string, by: number): void {
  if (!(by >= 0)) throw new RangeError(`A counter only grows; asked to add ${by}.`);
  if (key !== '' && values.get('') === 0) values.delete('');
  values.set(key, (values.get(key) ?? 0) + by);
}

function observe(values: Map<string, number>, buckets: readonly number[], value: number, labels: Labels): void {
  for (const bound of [...buckets, Infinity]) {
    const key = labelText({ ...labels, le: bound === Infinity ? '+Inf' : String(bound) });
    values.set(`_bucket${key}`, (values.get(`_bucket${key}`) ?? 0) + (value <= bound ? 1 : 0));
  }
  const key = labelText(labels);
  values.set(`_count${key}`, (values.get(`_count${key}`) ?? 0) + 1);
  values.set(`_sum${key}`, (values.get(`_sum${key}`) ?? 0) + value);
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

function exposeMetric({ name, type, help, values }: Metric): string {
  // OpenMetrics names a counter's family without the suffix that its samples carry.
  const family = type === 'counter' ? name.replace(/_total$/, '') : name;
  const lines = [...values].map(([key, value]) => `${name}${key} ${value}\n`);
  return `# TYPE ${family} ${type}\n# HELP ${family} ${help}\n${lines.join('')}`;
}

function plainValues(values: ReadonlyMap<string, number>): unknown {
  const [only] = values;
  return values.size === 1 && only !== undefined && only[0] === '' ? only[1] : Object.fromEntries(values);
}
