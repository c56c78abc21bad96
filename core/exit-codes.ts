import { BusTopologyError, BusUnavailable, ConfigError, KeyMissing, StoreLocked, StoreUnavailable } from './errors.ts';

/** What a command of ours exits with. Numbers above 63 are those of sysexits.h. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: 'Done.' },
  failed: { code: 1, meaning: 'Something went wrong that no other code names; the message says what.' },
  usage: { code: 2, meaning: 'The command line is wrong: an unknown command or option, a missing argument.' },
  data: { code: 65, meaning: 'The input or the question is wrong; asking again will not help.' },
  unavailable: {
    code: 69,
    meaning: 'The API, the broker or the store cannot be reached, or another process holds the store.',
  },
  denied: { code: 77, meaning: 'No token, a wrong token, or one whose role does not allow this.' },
  config: { code: 78, meaning: 'The configuration is wrong, or there is no signing key.' },
  interrupted: { code: 130, meaning: 'Stopped by a signal; the same command goes on where it was stopped.' },
} as const;

/** The exit code that an error asks for. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError || error instanceof KeyMissing) return EXIT_CODES.config.code;
  const away = [BusUnavailable, BusTopologyError, StoreUnavailable, StoreLocked];
  if (away.some((kind) => error instanceof kind)) return EXIT_CODES.unavailable.code;
  return EXIT_CODES.failed.code;
}
