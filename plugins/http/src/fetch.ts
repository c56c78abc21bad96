import { boundedText } from '@nephometer/core/plugin';

/** One request; only GET for pollsters, POST for tokens. */
export interface HttpRequest {
  readonly url: URL;
  readonly method?: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpLimits {
  readonly maxSize: number;
  readonly timeoutMs: number;
  /** Origins that a redirect may lead to, beside the one asked. */
  readonly otherOrigins: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly text: string;
  readonly headers: Headers;
}

/** The server answered, but not with 2xx. */
export class StatusError extends Error {
  override name = 'StatusError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const MOST_REDIRECTS = 5;
const SECRET_PARAMETER = /(key|token|secret|password|signature|auth)/i;

/** Sends a request and reads the whole answer. @throws Error that names the URL and says what happened */
export async function fetchText(request: HttpRequest, limits: HttpLimits): Promise<HttpAnswer> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(limits.signal.reason);
  const timer = setTimeout(() => controller.abort('timeout'), limits.timeoutMs);
  limits.signal.addEventListener('abort', abort, { once: true });
  if (limits.signal.aborted) abort();
  try {
    return await followed(request, limits, controller.signal);
  } catch (cause) {
    if (controller.signal.reason === 'timeout') {
      throw new Error(`${shownUrl(request.url)} did not answer within ${limits.timeoutMs / 1000} s (timeout)`, {
        cause,
      });
    }
    throw limits.signal.aborted ? new Error(`${shownUrl(request.url)}: the poll's time was over`, { cause }) : cause;
  } finally {
    clearTimeout(timer);
    limits.signal.removeEventListener('abort', abort);
  }
}

/** Redirects are followed here, since the secrets of a request must not follow them anywhere. */
async function followed(request: HttpRequest, limits: HttpLimits, signal: AbortSignal): Promise<HttpAnswer> {
  let { url } = request;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const response = await send({ ...request, url }, signal);
    if (response.status < 300 || response.status >= 400) return readAnswer(response, url, limits.maxSize);
    await response.body?.cancel();
    url = redirectOf(response, url, limits.otherOrigins);
  }
  throw new Error(`${shownUrl(request.url)} redirects more than ${MOST_REDIRECTS} times`);
}

async function send({ url, method = 'GET', headers, body }: HttpRequest, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { method, headers, signal, redirect: 'manual', body: body ?? null });
  } catch (cause) {
    // The reason of a failed fetch stands in its cause.
    const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    const code = inner instanceof AggregateError ? String((inner as { code?: unknown }).code) : null;
    const reason = code ?? (inner instanceof Error ? inner.message : String(inner));
    throw new Error(`${shownUrl(url)} cannot be reached: ${reason}`, { cause });
  }
}

function redirectOf(response: Response, from: URL, otherOrigins: ReadonlySet<string>): URL {
  const location = response.headers.get('location');
  if (location === null || !URL.canParse(location, from.href)) {
    throw new Error(`${shownUrl(from)} answered ${response.status} without a place to go to`);
  }
  const url = new URL(location, from.href);
  assertOrigin(url, from, otherOrigins, `${shownUrl(from)} redirects`);
  return url;
}

/** Secrets go to the server that was asked, and to those that the operator named. @throws Error */
export function assertOrigin(url: URL, from: URL, otherOrigins: ReadonlySet<string>, subject: string): void {
  if (url.origin === from.origin || otherOrigins.has(url.origin)) return;
  throw new Error(`${subject} to ${url.origin}; list it in plugins.http.other_origins if it is to be asked too`);
}

async function readAnswer(response: Response, url: URL, maxSize: number): Promise<HttpAnswer> {
  if (!response.ok) {
    const body = await boundedText(response, shownUrl(url), maxSize).catch(() => '');
    const said = body.replace(/\s+/g, ' ').trim().slice(0, 200);
    const status = `${response.status} ${response.statusText}`.trimEnd();
    throw new StatusError(response.status, `${shownUrl(url)} answered ${status}${said === '' ? '' : `: ${said}`}`);
  }
  return { text: await boundedText(response, shownUrl(url), maxSize), headers: response.headers };
}

/** A URL for messages, without what may be a secret. */
function shownUrl(url: URL): string {
  const shown = new URL(url);
  for (const name of new Set(shown.searchParams.keys())) {
    if (SECRET_PARAMETER.test(name)) shown.searchParams.set(name, '***');
  }
  return shown.href;
}
