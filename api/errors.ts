import { STATUS_CODES } from 'node:http';
import { BehindRetention, MeteringError, Refusal } from '@nephometer/core';

/** What the API itself answers in `code`, beside the codes of errors from below. Stable. */
export const API_ERRORS = {
  MTR_BAD_REQUEST: { status: 400, meaning: 'The request says something wrong; the detail names the place.' },
  MTR_UNAUTHENTICATED: { status: 401, meaning: 'No token, or one that is unknown or revoked.' },
  MTR_NOT_AUTHORIZED: { status: 401, meaning: "Another project's or user's data were asked for under /v2." },
  MTR_FORBIDDEN: {
    status: 403,
    meaning: 'The role of the token may not do this, or the token may not see what was asked for.',
  },
  MTR_NOT_FOUND: { status: 404, meaning: 'There is no such path or thing, or the token may not see it.' },
  MTR_METHOD: { status: 405, meaning: 'The path takes other methods; see Allow.' },
  MTR_NOT_ACCEPTABLE: { status: 406, meaning: 'Answers are application/json, and Accept leaves it out.' },
  MTR_TOKEN_DECLARED: { status: 409, meaning: 'A token of the configuration is removed there, not over the API.' },
  MTR_KEY_NOT_DERIVED: {
    status: 409,
    meaning: 'Only derived keys have generations; others change in the configuration.',
  },
  MTR_QUARANTINE_CUT: {
    status: 409,
    meaning: 'Only the beginning of the refused message was kept, so it cannot be replayed.',
  },
  MTR_PERIOD_OPEN: { status: 409, meaning: 'The period is not over at the moment that it is to be closed as of.' },
  MTR_NOT_SETTLED: {
    status: 409,
    meaning: 'The moment can still change, where several processes write; ask again soon.',
  },
  MTR_COVERAGE_LOW: { status: 409, meaning: 'A line of the period is below the coverage that was asked for.' },
  MTR_AGENT_NOT_HEARD: {
    status: 409,
    meaning: 'Nothing at all was heard in the period of an agent that was expected.',
  },
  MTR_STATEMENT_EXISTS: { status: 409, meaning: 'The period is closed already, with other parameters than asked for.' },
  MTR_EXPORT_OUTDATED: {
    status: 409,
    meaning: 'This server would write other bytes than the one that the export was made with; ask for a new export.',
  },
  MTR_BODY_TOO_LARGE: { status: 413, meaning: 'The request body is larger than api.max_body.' },
  MTR_MEDIA_TYPE: { status: 415, meaning: 'The request body is compressed, or is not application/json.' },
  MTR_TOO_MUCH: { status: 422, meaning: 'The question needs more readings than can be looked at in one answer.' },
  MTR_EXPORT_DECIMAL: {
    status: 422,
    meaning: 'A figure does not fit into the DECIMAL(38, 12) of a Parquet file; CSV and NDJSON take any.',
  },
  MTR_INTERNAL: { status: 500, meaning: 'The server failed; its log says why.' },
  MTR_EVIDENCE_DIFFERS: {
    status: 500,
    meaning: 'A statement was not made: its figures do not follow from the samples that would be its evidence.',
  },
  MTR_BUSY: { status: 503, meaning: 'Too many large requests at once; ask again after Retry-After.' },
  MTR_NO_COLLECTOR: {
    status: 501,
    meaning: 'This process has neither a collector nor a bus to replay a message with.',
  },
} as const;
export type ApiErrorCode = keyof typeof API_ERRORS;

export interface HttpErrorOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Under /v2 the whole `error_message` is the text, as the old router answered what it had no route for. */
  readonly isPlain?: boolean;
}

/** An answer other than success. The message is shown to the client, so it holds nothing of the inside. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly isPlain: boolean;
  override name = 'HttpError';

  constructor(status: number, code: string, detail: string, options: HttpErrorOptions = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.headers = options.headers ?? {};
    this.isPlain = options.isPlain ?? false;
  }

  get title(): string {
    return STATUS_CODES[this.status] ?? 'Error';
  }
}

export function httpError(code: ApiErrorCode, detail: string, options?: HttpErrorOptions): HttpError {
  return new HttpError(API_ERRORS[code].status, code, detail, options);
}

export function badRequest(detail: string): HttpError {
  return httpError('MTR_BAD_REQUEST', detail);
}

export function notFound(detail: string): HttpError {
  return httpError('MTR_NOT_FOUND', detail);
}

const RETRY_AFTER_SECONDS = '5';

export function unavailable(code: string, detail: string): HttpError {
  return new HttpError(503, code, detail, { headers: { 'Retry-After': RETRY_AFTER_SECONDS } });
}

/** What a client may know of anything that was thrown. Messages of unknown errors stay inside. */
export function toHttpError(cause: unknown): HttpError {
  if (cause instanceof HttpError) return cause;
  if (cause instanceof BehindRetention) return new HttpError(410, cause.code, cause.message);
  if (cause instanceof Refusal) {
    return new HttpError(cause.reason === 'oversized' ? 413 : 400, cause.code, `${cause.reason}: ${cause.message}`);
  }
  if (cause instanceof MeteringError) return ofMeteringError(cause);
  return httpError('MTR_INTERNAL', 'The server failed on this request; its log says why.');
}

function ofMeteringError({ code, message }: MeteringError): HttpError {
  switch (code) {
    case 'MTR_STORE_UNAVAILABLE':
    case 'MTR_STORE_LOCKED':
      return unavailable(code, 'The store does not answer now. Ask again later.');
    case 'MTR_BUS_UNAVAILABLE':
    case 'MTR_BUS_REFUSED':
      return unavailable(code, 'The message bus did not take the samples. Send them again later, or with direct=true.');
    case 'MTR_KEY_MISSING':
      return unavailable(code, 'This server holds no shared key to sign samples with.');
    case 'MTR_MESSAGE_TOO_LARGE':
      return new HttpError(413, code, 'The samples do not fit into one message; send them in smaller lists.');
    case 'MTR_STORE_REFUSED':
      return new HttpError(422, code, message);
    default:
      return new HttpError(500, code, 'The server failed on this request; its log says why.');
  }
}

/** RFC 9457. */
export function problemBody(error: HttpError, instance: string): string {
  const { title, status, message: detail, code } = error;
  return JSON.stringify({ type: 'about:blank', title, status, detail, instance, code });
}

/** As Ceilometer's middleware wraps every error under /v2. */
export function faultBody(error: HttpError): string {
  if (error.isPlain) return JSON.stringify({ error_message: error.message });
  const faultcode = error.status >= 500 ? 'Server' : 'Client';
  return JSON.stringify({ error_message: { debuginfo: null, faultcode, faultstring: error.message } });
}

/** Paths whose errors have Ceilometer's form. */
export function isV2(path: string): boolean {
  return path === '/v2' || path.startsWith('/v2/');
}
