import { clientFault, invalidInput, unknownArgument } from './faults.ts';

/** The arguments of one URL; every name must be one that the route knows. */
export class UrlArguments {
  readonly #values: URLSearchParams;

  /** @throws HttpError 400 `Unknown argument: "x"` */
  constructor(querystring: string, known: readonly string[]) {
    this.#values = new URLSearchParams(querystring);
    for (const name of this.#values.keys()) if (!known.includes(name)) throw unknownArgument(name);
  }

  all(name: string): string[] {
    return this.#values.getAll(name);
  }

  /** Null when it is not given. */
  integer(name: string): number | null {
    const [text, ...more] = this.all(name);
    if (text === undefined) return null;
    if (more.length === 0 && /^\s*[+-]?\d+\s*$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
    const given = more.length === 0 ? text : [text, ...more].join(', ');
    const problem = `unable to convert to int. Error: invalid literal for int() with base 10: '${given}'`;
    throw invalidInput(name, given, problem);
  }

  boolean(name: string): boolean {
    const text = this.all(name).at(-1)?.trim().toLowerCase() ?? '';
    if (['true', 't', '1', 'yes', 'y', 'on'].includes(text)) return true;
    if (['', 'false', 'f', '0', 'no', 'n', 'off'].includes(text)) return false;
    throw invalidInput(name, text, 'unable to convert to bool');
  }

  /** Rows to answer. @throws HttpError 400 when it is not positive, or more than may be asked for */
  limit({ default_limit, max_limit }: { readonly default_limit: number; readonly max_limit: number }): number {
    const limit = this.integer('limit') ?? default_limit;
    if (limit <= 0) throw clientFault('Limit must be positive');
    if (limit > max_limit) throw clientFault(`Limit must be at most ${max_limit}`);
    return limit;
  }
}
