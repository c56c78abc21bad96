import { secretIn } from '@nephometer/core/plugin';
import type { Auth, HttpOptions } from './config.ts';
import type { Definition } from './definition.ts';
import { fetchText, StatusError } from './fetch.ts';
import type { HttpLimits } from './fetch.ts';
import { KeystoneSession } from './keystone.ts';
import { s3Headers } from './s3.ts';

/** A page to be asked for. */
export interface Page {
  readonly url: URL;
  /** Name of a way to authenticate. */
  readonly auth: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** A page, and the base URL that relative next pages are appended to. */
export interface FirstPage extends Page {
  readonly endpoint: URL | null;
}

const ACCEPT = 'application/json, application/xml;q=0.9, */*;q=0.8';

/** Asks servers with the secrets that the options name. Tokens are kept from poll to poll. */
export class Client {
  readonly #options: HttpOptions;
  readonly #sessions = new Map<string, KeystoneSession>();

  constructor(options: HttpOptions) {
    this.#options = options;
    for (const [name, auth] of options.auth) {
      if (auth.kind === 'keystone') this.#sessions.set(name, new KeystoneSession(auth));
    }
  }

  /** The first pages of a definition: one at each endpoint of its type. @throws Error */
  async firstPages({ origin, timeoutMs }: Definition, signal: AbortSignal): Promise<FirstPage[]> {
    if (origin.kind === 'command') return [];
    const { headers, url, endpointType } = origin;
    if (endpointType === null) return [{ url: new URL(url), auth: origin.auth, headers, endpoint: null }];
    const endpoints = await this.#endpoints(endpointType, this.#limits(timeoutMs, signal));
    return endpoints.map((endpoint) => {
      const base = new URL(endpoint.url);
      return { url: below(base, url), auth: origin.auth ?? endpoint.auth, headers, endpoint: base };
    });
  }

  /** @throws Error that names the URL and says what happened */
  async get(page: Page, timeoutMs: number, signal: AbortSignal): Promise<string> {
    const limits = this.#limits(timeoutMs, signal);
    const session = this.#sessions.get(page.auth ?? '');
    const headers = { accept: ACCEPT, ...page.headers };
    if (session === undefined) {
      const secret = await headersOf(this.#options.auth.get(page.auth ?? ''), page.url);
      return (await fetchText({ url: page.url, headers: { ...headers, ...secret } }, limits)).text;
    }
    const ask = async (token: string): Promise<string> =>
      (await fetchText({ url: page.url, headers: { ...headers, 'x-auth-token': token } }, limits)).text;
    const { token } = await session.grant(limits);
    try {
      return await ask(token);
    } catch (cause) {
      if (!(cause instanceof StatusError) || cause.status !== 401) throw cause;
      await session.refuse(token);
      return ask((await session.grant(limits)).token);
    }
  }

  async #endpoints(type: string, limits: HttpLimits): Promise<{ url: string; auth: string | null }[]> {
    const named = this.#options.endpoints.get(type);
    if (named !== undefined) return [named];
    const { catalogue } = this.#options;
    const session = this.#sessions.get(catalogue?.name ?? '');
    if (session === undefined || catalogue === null) throw new Error(`no endpoint of the type ${type} is known`);
    return (await session.endpoints(type, limits)).map((url) => ({ url, auth: catalogue.name }));
  }

  #limits(timeoutMs: number, signal: AbortSignal): HttpLimits {
    const { maxSize, otherOrigins } = this.#options;
    return { maxSize, timeoutMs, otherOrigins, signal };
  }
}

/** A path is always appended, whether or not it begins with a slash. */
export function below(base: URL, path: string): URL {
  return new URL(`${base.href.replace(/[?#].*$/, '').replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`);
}

async function headersOf(auth: Auth | undefined, url: URL): Promise<Record<string, string>> {
  switch (auth?.kind) {
    case 'bearer':
      return { authorization: `Bearer ${await secretIn(auth.token_file)}` };
    case 'basic': {
      const password = await secretIn(auth.password_file);
      return { authorization: `Basic ${Buffer.from(`${auth.username}:${password}`).toString('base64')}` };
    }
    case 'headers': {
      const entries = Object.entries(auth.files).map(async ([name, file]) => [name, await secretIn(file)] as const);
      return Object.fromEntries(await Promise.all(entries));
    }
    case 's3': {
      const [accessKey, secretKey] = [await secretIn(auth.access_key_file), await secretIn(auth.secret_key_file)];
      return s3Headers(url, { accessKey, secretKey, region: auth.region }, new Date());
    }
    case 'keystone':
    case undefined:
      return {};
  }
}
