import { isJsonObject, parseJson, secretIn } from '@nephometer/core/plugin';
import type { JsonValue } from '@nephometer/core/plugin';
import type { KeystoneAuth } from './config.ts';
import { fetchText } from './fetch.ts';
import type { HttpLimits } from './fetch.ts';

/** What Keystone gave: a token and where the services answer. */
export interface Grant {
  readonly token: string;
  readonly expires: number;
  readonly catalogue: readonly JsonValue[];
}

/** A token this close to its end is renewed. */
const MARGIN_MS = 60_000;
/** Where an answer tells no end of its token. */
const USUAL_LIFE_MS = 600_000;

/** One account at one Keystone: the token is fetched when first needed, kept, and renewed at its end or when refused. */
export class KeystoneSession {
  readonly #auth: KeystoneAuth;
  #grant: Promise<Grant> | null = null;

  constructor(auth: KeystoneAuth) {
    this.#auth = auth;
  }

  async grant(limits: HttpLimits): Promise<Grant> {
    const known = this.#grant;
    if (known !== null && (await known).expires - MARGIN_MS > Date.now()) return known;
    // Several definitions at once ask for one token; a failed attempt is not kept.
    if (this.#grant === known) this.#grant = this.#fetch(limits);
    const grant = this.#grant ?? this.#fetch(limits);
    try {
      return await grant;
    } catch (cause) {
      if (this.#grant === grant) this.#grant = null;
      throw cause;
    }
  }

  /** The token was refused: the next one is fetched anew. */
  async refuse(token: string): Promise<void> {
    const grant = this.#grant;
    if (grant !== null && (await grant.catch(() => null))?.token === token && this.#grant === grant) this.#grant = null;
  }

  /** URLs of a service, in the interface and region that the options name. @throws Error that tells what there is */
  async endpoints(type: string, limits: HttpLimits): Promise<string[]> {
    const { catalogue } = await this.grant(limits);
    const urls = catalogue
      .filter((service) => member(service, 'type') === type)
      .flatMap((service) => listAt(service, 'endpoints'))
      .filter((one) => this.#isWanted(one))
      .flatMap((one) => member(one, 'url') ?? []);
    if (urls.length > 0) return [...new Set(urls)];
    const types = catalogue.map((service) => member(service, 'type')).join(', ') || 'no service at all';
    const where = this.#auth.region === undefined ? '' : ` in region ${this.#auth.region}`;
    throw new Error(
      `the catalogue of ${this.#auth.url} has no ${this.#auth.interface} endpoint of the type ${type}${where}; it has ${types}`,
    );
  }

  #isWanted(endpoint: JsonValue): boolean {
    const { region } = this.#auth;
    const regions = [member(endpoint, 'region'), member(endpoint, 'region_id')];
    return member(endpoint, 'interface') === this.#auth.interface && (region === undefined || regions.includes(region));
  }

  async #fetch(limits: HttpLimits): Promise<Grant> {
    const base = this.#auth.url.replace(/\/+$/, '');
    const url = new URL(`${base.endsWith('/v3') ? base : `${base}/v3`}/auth/tokens`);
    const body = JSON.stringify({ auth: await this.#credentials() });
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const answer = await fetchText({ url, method: 'POST', headers, body }, limits);
    const token = answer.headers.get('x-subject-token');
    if (token === null) throw new Error(`${url.href} gave no X-Subject-Token; is it a Keystone?`);
    const root = parseJson(answer.text);
    const about = isJsonObject(root) ? (root.get('token') ?? null) : null;
    const expires = Date.parse(member(about, 'expires_at') ?? '');
    return {
      token,
      expires: Number.isNaN(expires) ? Date.now() + USUAL_LIFE_MS : expires,
      catalogue: listAt(about, 'catalog'),
    };
  }

  async #credentials(): Promise<unknown> {
    const auth = this.#auth;
    if (auth.application_credential_id !== undefined) {
      const secret = await secretIn(auth.application_credential_secret_file ?? '');
      const credential = { id: auth.application_credential_id, secret };
      return { identity: { methods: ['application_credential'], application_credential: credential } };
    }
    const user = {
      name: auth.username,
      domain: { name: auth.user_domain },
      password: await secretIn(auth.password_file ?? ''),
    };
    return {
      identity: { methods: ['password'], password: { user } },
      scope: { project: { name: auth.project, domain: { name: auth.project_domain } } },
    };
  }
}

function member(value: JsonValue, key: string): string | null {
  const found = isJsonObject(value) ? value.get(key) : undefined;
  return typeof found === 'string' ? found : null;
}

function listAt(value: JsonValue, key: string): readonly JsonValue[] {
  const found = isJsonObject(value) ? value.get(key) : undefined;
  return Array.isArray(found) ? found : [];
}
