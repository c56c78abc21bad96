import type { Logger, Service } from '@nephometer/core';
import { EXIT_CODES, messageOf } from '@nephometer/core';

/** How long a drain may take; below the TimeoutStopSec of a service manager (90 s by default). */
const DRAIN_DEADLINE_MS = 60_000;

/**
 * Runs until SIGTERM or SIGINT, then drains. A second signal, or the deadline, exits at once. A programming error
 * exits non-zero after a last log line: going on in an unknown state could lose samples.
 */
export async function runUntilSignal(
  service: Service,
  log: Logger,
  onStarted: () => void | Promise<void>,
): Promise<never> {
  const stopped = new Promise<number>((resolve) => handleSignals(service, log, resolve));
  process.on('uncaughtException', (cause) => die(log, cause));
  process.on('unhandledRejection', (cause) => die(log, cause));
  await service.start();
  await onStarted();
  process.exit(await stopped);
}

function handleSignals(service: Service, log: Logger, done: (code: number) => void): void {
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (signals > 1) process.exit(EXIT_CODES.failed.code);
    log.info({ signal }, 'Stopping; a second signal exits at once.');
    const deadline = setTimeout(() => {
      log.error({ seconds: DRAIN_DEADLINE_MS / 1000 }, 'The drain took too long; what is unsent stays in the spool.');
      done(EXIT_CODES.failed.code);
    }, DRAIN_DEADLINE_MS);
    service.stop().then(
      () => {
        clearTimeout(deadline);
        log.info({}, 'Stopped.');
        done(EXIT_CODES.ok.code);
      },
      (cause: unknown) => die(log, cause),
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

function die(log: Logger, cause: unknown): never {
  const stack = cause instanceof Error ? cause.stack : undefined;
  log.error({ cause: messageOf(cause), stack }, 'A programming error; exiting.');
  process.exit(EXIT_CODES.failed.code);
}
