import { STATUS_CODES } from 'node:http';
import { BehindRetention, MeteringError, Refusal } from '@nephometer/core';

export interface HttpErrorOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Under /v2 the whole `error_message` is the text, as the old router answered what it had no route for. */
  readonly isPlain?: boolean;
}

/** An answer other than success. The detail is shown to the client, so it holds nothing of the inside. */
export class HttpError extends MeteringError {
  readonly code: string;
  readonly retryable: boolean;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly isPlain: boolean;

  constructor(status: number, code: string, detail: string, options: HttpErrorOptions = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.retryable = status === 503;
    this.headers = options.headers ?? {};
    this.isPlain = options.isPlain ?? false;
  }

  get title(): string {
    return STATUS_CODES[this.status] ?? 'Error';
  }
}

export function badRequest(detail: string): HttpError {
  return new HttpError(400, 'MTR_BAD_REQUEST', detail);
}

export function notFound(detail: string): HttpError {
  return new HttpError(404, 'MTR_NOT_FOUND', detail);
}

const RETRY_AFTER_SECONDS = '5';

function unavailable(code: string, detail: string): HttpError {
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
  return new HttpError(500, 'MTR_INTERNAL', 'The server failed on this request; its log says why.');
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
