/** Kind of a metric family as its TYPE line says; `unknown` without one. */
export type FamilyType =
  'counter' | 'gauge' | 'histogram' | 'gaugehistogram' | 'summary' | 'info' | 'stateset' | 'unknown';

/** One sample line with what its family says about it. */
export interface ExposedSample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** The value as it was spelled: a decimal, `NaN`, `+Inf` or `-Inf`. */
  readonly value: string;
  readonly type: FamilyType;
  /** From the UNIT line; null without one. */
  readonly unit: string | null;
  readonly help: string | null;
}

/** The text is not an exposition: says the line, what was found and what would be right. */
export class ExpositionError extends Error {
  override name = 'ExpositionError';
  readonly line: number;
  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`);
    this.line = line;
  }
}

interface Family {
  readonly type: FamilyType;
  readonly unit: string | null;
  readonly help: string | null;
}

const NO_FAMILY: Family = { type: 'unknown', unit: null, help: null };

/** Suffixes that the samples of a family add to its name. */
const SUFFIXES = ['_total', '_created', '_bucket', '_count', '_sum', '_gcount', '_gsum', '_info'];

const TYPES: Readonly<Record<string, FamilyType>> = {
  counter: 'counter',
  gauge: 'gauge',
  histogram: 'histogram',
  gaugehistogram: 'gaugehistogram',
  summary: 'summary',
  info: 'info',
  stateset: 'stateset',
  unknown: 'unknown',
  untyped: 'unknown',
};

/**
 * Reads the Prometheus text format 0.0.4 and OpenMetrics 1.0, quoted UTF-8 names included. Exemplars and timestamps are
 * read over: what is metered is the value now.
 * @throws ExpositionError at the first line that is neither
 * @see https://prometheus.io/docs/specs/om/open_metrics_spec/
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function* parseExposition(text: string): Generator<ExposedSample> {
  const families = new Map<string, Family>();
  let number = 0;
  for (const line of text.split('\n')) {
    number += 1;
    const trimmed = line.replace(/\r$/, '').trimStart();
    if (trimmed === '# EOF') return;
    if (trimmed === '') continue;
    if (trimmed.startsWith('#')) readComment(trimmed, number, families);
    else yield readSample(new Cursor(trimmed, number), families);
  }
}

function readComment(line: string, number: number, families: Map<string, Family>): void {
  const match = /^#\s+(TYPE|HELP|UNIT)\s+(?:"((?:[^"\\]|\\.)*)"|(\S+))(?:\s+(.*))?$/.exec(line);
  if (match === null) return;
  const [, keyword, quoted, plain, rest = ''] = match;
  const name = quoted === undefined ? (plain ?? '') : unescape(quoted);
  const family = families.get(name) ?? NO_FAMILY;
  if (keyword === 'HELP') families.set(name, { ...family, help: unescape(rest) });
  if (keyword === 'UNIT') families.set(name, { ...family, unit: rest.trim() === '' ? null : rest.trim() });
  if (keyword !== 'TYPE') return;
  const type = TYPES[rest.trim()];
  if (type === undefined) {
    throw new ExpositionError(
      number,
      `"${rest.trim()}" is not a metric type; known are ${Object.keys(TYPES).join(', ')}`,
    );
  }
  families.set(name, { ...family, type });
}

function readSample(cursor: Cursor, families: ReadonlyMap<string, Family>): ExposedSample {
  const labels = new Map<string, string>();
  let name = cursor.takeName();
  if (cursor.take('{')) name = readLabels(cursor, labels) ?? name;
  if (name === '') throw cursor.error('a metric name');
  return { name, labels, value: cursor.takeValue(), ...familyOf(name, families) };
}

/** Reads up to the closing brace; returns the metric name where it stands quoted among the labels. */
function readLabels(cursor: Cursor, labels: Map<string, string>): string | null {
  let metric: string | null = null;
  while (!cursor.take('}')) {
    const quoted = cursor.takeQuoted();
    const label = quoted ?? cursor.takeLabelName();
    if (cursor.take('=')) {
      const value = cursor.takeQuoted();
      if (value === null) throw cursor.error('a label value in double quotes');
      if (labels.has(label)) throw cursor.error(`each label once; "${label}" stands twice`);
      labels.set(label, value);
    } else if (quoted !== null && metric === null) metric = quoted;
    else throw cursor.error("'='");
    if (!cursor.take(',') && !cursor.sees('}')) throw cursor.error("',' or '}'");
  }
  return metric;
}

function familyOf(name: string, families: ReadonlyMap<string, Family>): Family {
  const own = families.get(name);
  if (own !== undefined) return own;
  const suffix = SUFFIXES.find((one) => name.endsWith(one) && families.has(name.slice(0, -one.length)));
  return (suffix === undefined ? undefined : families.get(name.slice(0, -suffix.length))) ?? NO_FAMILY;
}

/** Backslash escapes of label values, quoted names and help texts. */
function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_all, char: string) => (char === 'n' ? '\n' : char));
}

const NAME = /[A-Za-z_:][\w:]*/y;
const LABEL = /[A-Za-z_]\w*/y;
const QUOTED = /"((?:[^"\\\n]|\\.)*)"/y;
const VALUE = /([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf(?:inity)?|nan)(?=\s|$)/iy;

/** A place in one line. */
class Cursor {
  readonly #text: string;
  readonly #line: number;
  #at = 0;

  constructor(text: string, line: number) {
    this.#text = text;
    this.#line = line;
  }

  takeName(): string {
    return this.#match(NAME)?.[0] ?? '';
  }

  takeLabelName(): string {
    const label = this.#match(LABEL)?.[0];
    if (label === undefined) throw this.error('a label name');
    return label;
  }

  takeQuoted(): string | null {
    const match = this.#match(QUOTED);
    return match === null ? null : unescape(match[1] ?? '');
  }

  takeValue(): string {
    const match = this.#match(VALUE);
    if (match === null) throw this.error('a number, NaN or Inf');
    return normalise(match[0]);
  }

  take(char: string): boolean {
    if (!this.sees(char)) return false;
    this.#at += 1;
    return true;
  }

  sees(char: string): boolean {
    this.#skipSpace();
    return this.#text[this.#at] === char;
  }

  error(wanted: string): ExpositionError {
    const rest = this.#text.slice(this.#at, this.#at + 40);
    return new ExpositionError(
      this.#line,
      `expected ${wanted} at column ${this.#at + 1}; found ${rest === '' ? 'the end' : `"${rest}"`}`,
    );
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    this.#skipSpace();
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #skipSpace(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at += 1;
  }
}

/** A decimal in the spelling that JSON has: no plus sign, digits on both sides of the point, no leading zeros. */
function normalise(text: string): string {
  if (/nan$/i.test(text)) return 'NaN';
  if (/inf/i.test(text)) return text.startsWith('-') ? '-Inf' : '+Inf';
  const [, sign = '', whole = '', fraction = '', exponent = ''] = /^([+-]?)(\d*)\.?(\d*)(.*)$/.exec(text) ?? [];
  const digits = whole.replace(/^0+(?=\d)/, '') || '0';
  return `${sign === '-' ? '-' : ''}${digits}${fraction === '' ? '' : `.${fraction}`}${exponent}`;
}
