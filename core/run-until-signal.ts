import { BusUnavailable, messageOf } from './errors.ts';
import { EXIT_CODES, exitCodeOf } from './exit-codes.ts';
import type { Service } from './lifecycle.ts';
import type { Logger } from './log.ts';

/** How long a drain may take; below the TimeoutStopSec of a service manager (90 s by default). */
const DRAIN_DEADLINE_MS = 60_000;

export interface RunHooks {
  /** Before the start: is given what ends the process for a reason of its own. */
  readonly onReady?: (stop: (cause: Error) => void) => void;
  /** After the start. */
  readonly onStarted?: () => void | Promise<void>;
}

/** What a daemon writes holds tenants' data and secrets: whatever makes a file here, others cannot read it. */
export function keepFilesPrivate(): void {
  process.umask(0o077);
}

/**
 * Starts a service and ends with the process: on SIGTERM or SIGINT it drains and exits 0, on a second signal, or when
 * the drain takes too long, it exits at once. What no retry heals, and a programming error, drain too and exit non-zero.
 */
export async function runUntilSignal(
  service: Service,
  log: Logger,
  { onReady, onStarted }: RunHooks = {},
): Promise<never> {
  const code = await new Promise<number>((resolve, reject) => {
    let stopping = false;
    const stop = (exitCode: number): void => {
      if (stopping) return;
      stopping = true;
      drain(service, log).then((clean) => resolve(clean || exitCode !== 0 ? exitCode : EXIT_CODES.failed.code), reject);
    };
    const onSignal = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(EXIT_CODES.failed.code);
      log.info({ signal }, 'Stopping; a second signal exits at once.');
      stop(EXIT_CODES.ok.code);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    const die = (cause: unknown): void => {
      const stack = cause instanceof Error ? cause.stack : undefined;
      log.error({ cause: messageOf(cause), stack }, 'A programming error; exiting.');
      // The state is not known any more: what is spooled is safe on disk, nothing else is tried.
      process.exit(EXIT_CODES.failed.code);
    };
    process.on('uncaughtException', die);
    process.on('unhandledRejection', die);
    onReady?.((cause) => {
      // A connection that was closed by our own stop is no failure.
      if (stopping && cause instanceof BusUnavailable) return;
      log.error({ cause: messageOf(cause) }, 'Exiting: trying again does not help.');
      stop(exitCodeOf(cause));
    });
    const started = service.start().then(() => (stopping ? undefined : onStarted?.()));
    started.catch((cause: unknown) => {
      stopping = true;
      drain(service, log).then(() => reject(cause), reject);
    });
  }).catch((cause: unknown) => {
    process.stderr.write(`${messageOf(cause)}\n`);
    return exitCodeOf(cause);
  });
  process.exit(code);
}

/** Whether it ended within the deadline. */
async function drain(service: Service, log: Logger): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), DRAIN_DEADLINE_MS);
  });
  const stopped = service.stop().then(
    () => true,
    (cause: unknown) => {
      log.error({ cause: messageOf(cause) }, 'The drain failed; what is unsent stays in the spool.');
      return false;
    },
  );
  const clean = await Promise.race([stopped, late]).finally(() => clearTimeout(timer));
  if (!clean) log.error({ seconds: DRAIN_DEADLINE_MS / 1000 }, 'The drain was cut; what is unsent stays in the spool.');
  return clean;
}
