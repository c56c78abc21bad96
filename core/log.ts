import { messageOf } from './errors.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured log: fields first, then a constant sentence. `error` data lost or a human needed, `warn` odd but nothing
 * lost, `info` start, stop, reload. Never a line per sample, never a secret.
 */
export interface Logger {
  debug(fields: LogFields, sentence: string): void;
  info(fields: LogFields, sentence: string): void;
  warn(fields: LogFields, sentence: string): void;
  error(fields: LogFields, sentence: string): void;
  /** A logger that adds these fields to every line. */
  child(fields: LogFields): Logger;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** json: one object a line; text: for a person at a terminal. */
  readonly format: 'json' | 'text';
  readonly write: (line: string) => void;
}

export function createLogger(options: LogOptions, bound: LogFields = {}): Logger {
  const threshold = LOG_LEVELS.indexOf(options.level);
  const at = (level: LogLevel) => (fields: LogFields, sentence: string) => {
    if (LOG_LEVELS.indexOf(level) < threshold) return;
    options.write(`${format(options.format, level, { ...bound, ...fields }, sentence)}\n`);
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => createLogger(options, { ...bound, ...fields }),
  };
}

/** Discards everything; for tests and one-shot commands. */
export const silentLogger: Logger = createLogger({ level: 'error', format: 'json', write: () => undefined });

function format(as: 'json' | 'text', level: LogLevel, fields: LogFields, sentence: string): string {
  const time = new Date().toISOString();
  if (as === 'json') return JSON.stringify({ time, level, message: sentence, ...fields }, loggable);
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${textOf(value)}`);
  return [time.slice(11, 23), level.toUpperCase().padEnd(5), sentence, ...rest].join(' ');
}

function loggable(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return { error: value.name, message: value.message };
  return value;
}

function textOf(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(messageOf(value));
  return typeof value === 'string' && /^[\w.:/@-]+$/.test(value)
    ? value
    : (JSON.stringify(value, loggable) ?? 'undefined');
}
