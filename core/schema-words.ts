import type { z } from 'zod';

/* What schemas find wrong, in words of whoever wrote it: of the configuration's file, or of a request. */

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys to values',
  record: 'a mapping of keys to values',
};

/** zod's own messages in plain words; messages of our schemas stay as they are. */
export function plainMessage(issue: z.core.$ZodIssue): string {
  if (!/^(Invalid|Too)/.test(issue.message)) return issue.message;
  if (issue.code === 'invalid_type') return `must be ${KINDS[issue.expected] ?? issue.expected}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  if (issue.code === 'too_small') {
    return issue.origin === 'string' || issue.origin === 'array'
      ? 'must not be empty'
      : `must be at least ${issue.minimum}`;
  }
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`;
  const [first] = issue.code === 'invalid_union' ? (issue.errors[0] ?? []) : [];
  return first === undefined ? issue.message : plainMessage(first);
}

const MOST_WORDS = 3;

/** What is wrong, in one line: the first of it. */
export function wordsOf({ issues }: z.ZodError): string {
  const words = issues.slice(0, MOST_WORDS).map((issue) => {
    if (issue.code === 'unrecognized_keys') return `${issue.keys.join(', ')}: not known here`;
    const message = plainMessage(issue).replace(/^Invalid discriminator value\. Expected /, 'must be one of ');
    return `${keyText(issue.path)} ${message}`.trimStart();
  });
  return [...words, ...(issues.length > MOST_WORDS ? ['...'] : [])].join('; ');
}

/** The keys that a schema knows at a path. */
export function knownKeys(schema: unknown, path: readonly PropertyKey[]): string[] {
  return Object.keys(shapeOf(schemaAt(schema, path)));
}

/** What the schema says of what is at a path; null when nothing. */
export function describedAt(schema: unknown, path: readonly PropertyKey[]): string | null {
  const at = schemaAt(schema, path) as { readonly description?: string } | undefined;
  return at?.description ?? null;
}

function schemaAt(schema: unknown, path: readonly PropertyKey[]): unknown {
  let at = schema;
  for (const step of path) at = typeof step === 'number' ? unwrapped(at).element : shapeOf(at)[String(step)];
  return at;
}

interface SchemaDef {
  readonly innerType?: unknown;
  readonly in?: unknown;
  readonly element?: unknown;
  readonly shape?: Record<string, unknown>;
}

function unwrapped(schema: unknown): SchemaDef {
  let def = (schema as { def?: SchemaDef } | undefined)?.def ?? {};
  while (def.shape === undefined && def.element === undefined && (def.innerType ?? def.in) !== undefined) {
    def = ((def.innerType ?? def.in) as { def: SchemaDef }).def;
  }
  return def;
}

function shapeOf(schema: unknown): Record<string, unknown> {
  return unwrapped(schema).shape ?? {};
}

/** Longer ones are no slip of the pen, and take long to compare. */
const LONGEST_NAME = 80;

/** Of known names those that the name may have been meant for, the nearest first. */
export function namesNear(name: string, known: Iterable<string>): string[] {
  if (name.length > LONGEST_NAME) return [];
  const most = Math.max(2, name.length / 3);
  return [...known]
    .filter((one) => Math.abs(one.length - name.length) <= most)
    .map((one) => [distance(one, name), one] as const)
    .filter(([far]) => far <= most)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** `usage.definitions[0].name` */
export function keyText(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
}

/** What stands at a path of what was given. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Record<PropertyKey, unknown> | null | undefined)?.[step],
    root,
  );
}
