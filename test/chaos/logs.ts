import { readFileSync } from 'node:fs';
import type { Lab } from './lab.ts';

/** Warnings and errors that agents and collectors wrote, of those that run now. */
export function warningsOf({ agents, side }: Lab): string[] {
  const files = [...side.collectors, ...agents.filter(({ isRunning }) => isRunning).map(({ daemon }) => daemon)];
  return files.flatMap(({ logFile }) =>
    readFileSync(logFile, 'utf8')
      .split('\n')
      .flatMap((line) => sentenceOf(line) ?? []),
  );
}

function sentenceOf(line: string): string | null {
  try {
    const { level, msg, message } = JSON.parse(line) as Record<string, string>;
    return level === 'warn' || level === 'error' ? (msg ?? message ?? line) : null;
  } catch {
    return null;
  }
}
