/** What the server says went wrong, as RFC 9457 has it, with a stable code. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What was found, where, and what would be right. */
  readonly detail: string;
  /** The path that was asked. */
  readonly instance: string;
  /** Stable, for programs: `MTR_NOT_FOUND`. */
  readonly code: string;
}

/** An answer other than success. What never became an answer (no connection, an abort) is thrown as `fetch` throws it. */
export class NephometerError extends Error {
  override name = 'NephometerError';
  readonly status: number;
  /** Null where something between answered instead of the server. */
  readonly problem: ProblemBody | null;
  /** Seconds to wait before the same may succeed; null where the server does not say so. */
  readonly retryAfter: number | null;

  constructor(status: number, problem: ProblemBody | null, text: string, retryAfter: number | null) {
    super(problem === null ? `${status}: ${text}` : `${problem.code}: ${problem.detail}`);
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  get code(): string | null {
    return this.problem?.code ?? null;
  }
}

const MOST_TEXT = 500;

export async function errorOf(response: Response): Promise<NephometerError> {
  const text = await response.text();
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfter = Number.isFinite(seconds) ? seconds : null;
  return new NephometerError(response.status, problemOf(text), text.slice(0, MOST_TEXT), retryAfter);
}

function problemOf(text: string): ProblemBody | null {
  try {
    const body = JSON.parse(text) as Partial<ProblemBody> | null;
    return typeof body?.code === 'string' && typeof body.detail === 'string' ? (body as ProblemBody) : null;
  } catch {
    return null;
  }
}
