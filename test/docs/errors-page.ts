import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFUSAL_REASONS } from '@nephometer/core';
import { GENERATED_NOTE, markdownTable } from './page.ts';

/** One class of errors as its source declares it. */
export interface DeclaredError {
  readonly file: string;
  readonly name: string;
  readonly code: string;
  readonly retryable: string;
  readonly meaning: string;
}

const CLASS = /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*)?export class (\w+) extends MeteringError \{([\s\S]*?)\n\}/g;

/** Reads every class that extends MeteringError from the sources, so that none can be left out of the reference. */
export function declaredErrors(root: string): DeclaredError[] {
  return sourceFiles(root).flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return [...text.matchAll(CLASS)].map(([, comment = '', name = '', body = '']) => ({
      file,
      name,
      code: /code\b[^']*'(\w+)'/.exec(body)?.[1] ?? '',
      retryable: /retryable\b[^=]*= (\w+)/.exec(body)?.[1] ?? '',
      meaning: comment
        .replace(/^\s*\/?\*+\/?/gm, '')
        .replace(/\*\/\s*$/, '')
        .replace(/\s+/g, ' ')
        .trim(),
    }));
  });
}

const SKIPPED = /^(node_modules|dist|data|fixtures|\..*)$/;

/** Tests, what they alone build on, and declarations. */
const FOR_TESTS = /^fixture|\.(test|d)\.(\w+\.)?ts$/;

/** TypeScript sources of the packages, without tests and builds. */
export function sourceFiles(root: string, below = ''): string[] {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry) => {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) return SKIPPED.test(entry.name) ? [] : sourceFiles(root, path);
    return entry.name.endsWith('.ts') && !FOR_TESTS.test(entry.name) ? [path] : [];
  });
}

export function errorsPage(root: string): string {
  const errors = declaredErrors(root).sort((a, b) => (a.code < b.code ? -1 : 1));
  const rows = errors.map(({ code, retryable, meaning }) => [
    `\`${code}\``,
    retryable === 'true' ? 'yes' : 'no',
    meaning,
  ]);
  const reasons = Object.entries(REFUSAL_REASONS).map(([reason, meaning]) => [`\`${reason}\``, meaning]);
  return `${GENERATED_NOTE}

# Errors

Codes are stable. "Again" says whether the same thing may succeed when it is tried again.

${markdownTable(['code', 'again', 'meaning'], rows)}

## Why messages are refused

A refused message is in the quarantine with one of these reasons (\`nephometer quarantine list\`).

${markdownTable(['reason', 'meaning'], reasons)}
`;
}
