/**
 * Base of errors that cross a folder. `code` is stable and explained in docs/reference/errors.md; the message says
 * what was found, where, and what would be right.
 */
export abstract class MeteringError extends Error {
  abstract readonly code: string;
  /** False: the same input will fail again, so quarantine it instead of trying again. */
  abstract readonly retryable: boolean;
  override name = this.constructor.name;
}

/** One thing wrong in a configuration file: where, what was found, what would be right. */
export interface ConfigProblem {
  readonly file: string;
  /** 1-based; null when the file itself cannot be read. */
  readonly line: number | null;
  /** Dotted path of the key, `sources[0].interval`; empty for the whole file. */
  readonly key: string;
  readonly message: string;
}

/** The configuration cannot be used. Stops the start. */
export class ConfigError extends MeteringError {
  readonly code = 'MTR_CONFIG';
  readonly retryable = false;
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(formatConfigProblem).join('\n'));
    this.problems = problems;
  }
}

function formatConfigProblem(problem: ConfigProblem): string {
  const place = problem.line === null ? problem.file : `${problem.file}:${problem.line}`;
  return problem.key === '' ? `${place}: ${problem.message}` : `${place}: ${problem.key}: ${problem.message}`;
}

/** No key to sign or verify with. Nothing starts without one. */
export class KeyMissing extends MeteringError {
  readonly code = 'MTR_KEY_MISSING';
  readonly retryable = false;
}

/** The broker cannot be reached now, or the outcome of a publish is unknown. The same bytes are to be sent again. */
export class BusUnavailable extends MeteringError {
  readonly code = 'MTR_BUS_UNAVAILABLE';
  readonly retryable = true;
}

/** The broker took the message but no queue did (returned), or refused it (nack). Kept by the sender. */
export class BusRefused extends MeteringError {
  readonly code = 'MTR_BUS_REFUSED';
  readonly retryable = true;
}

/** An exchange or queue exists with other arguments, or may not be used. Trying again does not help. */
export class BusTopologyError extends MeteringError {
  readonly code = 'MTR_BUS_TOPOLOGY';
  readonly retryable = false;
}

/** A message is larger than the bus accepts. Split it. */
export class MessageTooLarge extends MeteringError {
  readonly code = 'MTR_MESSAGE_TOO_LARGE';
  readonly retryable = false;
}

/** The store cannot be reached or does not answer in time. Nothing is known to be written. */
export class StoreUnavailable extends MeteringError {
  readonly code = 'MTR_STORE_UNAVAILABLE';
  readonly retryable = true;
}

/** The store refuses this content for good. */
export class StoreRefused extends MeteringError {
  readonly code = 'MTR_STORE_REFUSED';
  readonly retryable = false;
}

/** Another process holds the embedded store's file. */
export class StoreLocked extends MeteringError {
  readonly code = 'MTR_STORE_LOCKED';
  readonly retryable = false;
}

/** The question reaches behind what retention has kept. Answered 410, never as a gap. */
export class BehindRetention extends MeteringError {
  readonly code = 'MTR_BEHIND_RETENTION';
  readonly retryable = false;
}

/** A plugin cannot be loaded: not found, made for another contract, or its options are wrong. */
export class PluginError extends MeteringError {
  readonly code = 'MTR_PLUGIN';
  readonly retryable = false;
}

/** The spool on disk cannot take more. */
export class SpoolFull extends MeteringError {
  readonly code = 'MTR_SPOOL_FULL';
  readonly retryable = true;
}

/** The text of any thrown thing, for logs and reports. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
