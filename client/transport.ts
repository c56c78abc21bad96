import { errorOf } from './problem.ts';

export interface ClientOptions {
  /** Where the API is: `http://127.0.0.1:8777`. A path before `/v1` is kept. */
  readonly url: string;
  /** The token, or where to get it at each request. */
  readonly token: string | (() => string | Promise<string>);
  /** Used instead of the global `fetch`. */
  readonly fetch?: typeof fetch;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How an operation is asked. The generated `OPERATIONS` has one of each. */
export interface OperationShape {
  readonly method: string;
  /** `/v1/samples/{message_id}` */
  readonly path: string;
  readonly query: readonly string[];
  /** Parameters that are objects, each key sent with this before it. */
  readonly prefixed?: Readonly<Record<string, string>>;
  readonly pages?: { readonly items: string; readonly cursor: string };
}

type Given = Readonly<Record<string, unknown>>;

/** What the generated methods stand on. */
export class Transport {
  readonly #url: string;
  readonly #token: ClientOptions['token'];
  readonly #fetch: typeof fetch;

  constructor({ url, token, fetch: fetcher = globalThis.fetch }: ClientOptions) {
    this.#url = url.replace(/\/+$/, '');
    this.#token = token;
    this.#fetch = fetcher;
  }

  /**
   * The answer as it comes, for other media types than JSON: `headers: { Accept: 'text/csv' }`.
   * @throws NephometerError
   */
  async request(operation: OperationShape, parameters: object = {}, options: CallOptions = {}): Promise<Response> {
    const given = parameters as Given;
    const token = typeof this.#token === 'string' ? this.#token : await this.#token();
    const body = given['body'];
    const response = await this.#fetch.call(
      undefined,
      this.#url + pathOf(operation, given) + queryOf(operation, given),
      {
        method: operation.method,
        headers: {
          Accept: 'application/json',
          Authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...options.headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      },
    );
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  /** @throws NephometerError */
  protected async call<Answer>(operation: OperationShape, parameters: object, options?: CallOptions): Promise<Answer> {
    const response = await this.request(operation, parameters, options);
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as Answer;
  }

  /**
   * The bytes of an answer that is a file, as they come; what breaks off is an error of the stream.
   * `new Response(stream).arrayBuffer()` gathers them.
   * @throws NephometerError
   */
  protected async bytes(
    operation: OperationShape,
    parameters: object,
    options: CallOptions = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const headers = { Accept: '*/*', ...options.headers };
    const { body } = await this.request(operation, parameters, { ...options, headers });
    return body ?? new Blob([]).stream();
  }

  /** Every row of a list, page after page; the next page is asked for when its first row is wanted. @throws NephometerError */
  protected async *each<Row>(
    operation: OperationShape,
    parameters: object,
    options?: CallOptions,
  ): AsyncGenerator<Row, void, undefined> {
    const { items = '', cursor = '' } = operation.pages ?? {};
    let asked: Given = { ...parameters };
    for (;;) {
      const page = await this.call<Given>(operation, asked, options);
      yield* page[items] as Row[];
      const next = page['next'];
      if (typeof next !== 'string') return;
      asked = { ...asked, [cursor]: next };
    }
  }
}

function pathOf({ path }: OperationShape, given: Given): string {
  return path.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(textOf(given[name])));
}

function queryOf({ query, prefixed = {} }: OperationShape, given: Given): string {
  const search = new URLSearchParams();
  for (const name of query) {
    const prefix = prefixed[name];
    const named = prefix === undefined ? { [name]: given[name] } : withPrefix(prefix, given[name]);
    for (const [key, value] of Object.entries(named)) {
      for (const one of [value].flat()) if (one !== undefined) search.append(key, textOf(one));
    }
  }
  return search.size === 0 ? '' : `?${search.toString()}`;
}

function withPrefix(prefix: string, value: unknown): Given {
  return Object.fromEntries(Object.entries(value ?? {}).map(([key, one]) => [prefix + key, one as unknown]));
}

function textOf(value: unknown): string {
  if (value === null) return '';
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'string' ? value : `${value as number | boolean}`;
}
