import { API_ERRORS } from '../errors.ts';
import type { ApiErrorCode } from '../errors.ts';

/** Codes from below the API that its answers carry as they are: see `toHttpError`. */
export const PASSED_ERRORS = {
  MTR_BEHIND_RETENTION: { status: 410, meaning: 'The question reaches behind what retention has kept.' },
  MTR_REFUSED: { status: 400, meaning: 'The message is refused; the detail begins with the reason.' },
  MTR_MESSAGE_TOO_LARGE: { status: 413, meaning: 'What was sent does not fit into one message of the bus.' },
  MTR_STORE_REFUSED: { status: 422, meaning: 'The store refuses this content for good.' },
  MTR_STORE_UNAVAILABLE: { status: 503, meaning: 'The store does not answer now; ask again after Retry-After.' },
  MTR_BUS_UNAVAILABLE: { status: 503, meaning: 'The message bus does not answer now; send again after Retry-After.' },
} as const;

export type ErrorCode = ApiErrorCode | keyof typeof PASSED_ERRORS;

export interface ErrorMeaning {
  readonly status: number;
  readonly meaning: string;
}

export const ERROR_MEANINGS: Readonly<Record<ErrorCode, ErrorMeaning>> = { ...API_ERRORS, ...PASSED_ERRORS };
