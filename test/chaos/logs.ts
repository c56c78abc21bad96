import { readFileSync } from 'node:fs';
import type { Lab } from './lab.ts';

export interface LogLine {
  readonly level: 'warn' | 'error';
  readonly sentence: string;
}

/** Warnings and errors that agents and collectors wrote, of those that run now. */
export function warningsOf({ agents, side }: Lab): LogLine[] {
  const running = agents.filter(({ isRunning }) => isRunning).map(({ daemon }) => daemon);
  return linesOf([...side.collectors, ...running].map(({ logFile }) => logFile));
}

/** Warnings and errors of some logs. */
export function linesOf(files: readonly string[]): LogLine[] {
  return files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => logLine(line) ?? []),
  );
}

/** Different sentences, those of errors first. */
export function sentencesOf(lines: readonly LogLine[], level?: LogLine['level']): string[] {
  const chosen = lines.filter((line) => level === undefined || line.level === level);
  const sorted = chosen.toSorted((a, b) => Number(b.level === 'error') - Number(a.level === 'error'));
  return [...new Set(sorted.map(({ sentence }) => sentence))];
}

function logLine(line: string): LogLine | null {
  try {
    const { level, msg, message } = JSON.parse(line) as Record<string, string>;
    return level === 'warn' || level === 'error' ? { level, sentence: msg ?? message ?? line } : null;
  } catch {
    return null;
  }
}
