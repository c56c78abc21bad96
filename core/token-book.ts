import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { DeclaredToken } from './config.ts';
import { ConfigError, messageOf } from './errors.ts';
import type { Store } from './ports/store.ts';
import { hashToken, identify, newToken } from './tokens.ts';
import type { Identity, TokenRecord } from './tokens.ts';
import { uuidv4 } from './uuid.ts';

const StoredToken = z.strictObject({
  name: z.string(),
  role: z.enum(['admin', 'reader', 'writer']),
  projects: z.array(z.string()).nullable(),
  userId: z.string().nullable(),
  hash: z.string(),
  revoked: z.boolean(),
});

/** How long stored tokens are remembered; a revoked one is refused everywhere after at most this. */
const CACHE_MS = 2_000;

/** Tokens declared in the configuration and tokens kept in the store. */
export class TokenBook {
  readonly #declared: readonly TokenRecord[];
  readonly #store: Store | null;
  #appended = 0;
  #cached: { at: number; records: readonly TokenRecord[] } | null = null;

  constructor(declared: readonly TokenRecord[], store: Store | null) {
    this.#declared = declared;
    this.#store = store;
  }

  /** Who a token belongs to; null when nobody. @throws StoreUnavailable when the store must be asked and is away */
  async identify(token: string): Promise<Identity | null> {
    // Declared tokens work while the store is away.
    return identify(token, this.#declared) ?? identify(token, await this.#stored());
  }

  /** Makes a token; the only moment at which it can be seen. */
  async create(identity: Identity): Promise<{ id: string; token: string }> {
    const token = newToken();
    const id = uuidv4();
    await this.#append(id, { ...identity, hash: hashToken(token), revoked: false });
    return { id, token };
  }

  /** Keeps a token that exists already (the admin token of `up`), unless it is kept. */
  async keep(token: string, identity: Identity): Promise<void> {
    if ((await this.identify(token)) === null) {
      await this.#append(uuidv4(), { ...identity, hash: hashToken(token), revoked: false });
    }
  }

  async list(): Promise<readonly TokenRecord[]> {
    return [...this.#declared, ...(await this.#load())];
  }

  /** False when there is no stored token of that id or name. */
  async revoke(idOrName: string): Promise<boolean> {
    const found = (await this.#load()).filter(
      (record) => !record.revoked && (record.id === idOrName || record.name === idOrName),
    );
    for (const { id, ...record } of found) await this.#append(id, { ...record, revoked: true });
    return found.length > 0;
  }

  async #append(id: string, record: Omit<TokenRecord, 'id'>): Promise<void> {
    if (this.#store === null)
      throw new TypeError('There is no store to keep tokens in; declare them in the configuration.');
    await this.#store.appendEntry({ kind: 'token', id, body: JSON.stringify(record) });
    this.#appended += 1;
    this.#cached = null;
  }

  async #stored(): Promise<readonly TokenRecord[]> {
    if (this.#cached !== null && Date.now() - this.#cached.at <= CACHE_MS) return this.#cached.records;
    const [at, appended] = [Date.now(), this.#appended];
    const records = await this.#load();
    // What was read before a token of ours was written may lack it.
    if (appended === this.#appended) this.#cached = { at, records };
    return records;
  }

  async #load(): Promise<readonly TokenRecord[]> {
    if (this.#store === null) return [];
    const newest = new Map<string, TokenRecord>();
    for (const entry of await this.#store.entries({ kind: 'token' })) {
      if (!newest.has(entry.id)) newest.set(entry.id, { id: entry.id, ...StoredToken.parse(JSON.parse(entry.body)) });
    }
    return [...newest.values()];
  }
}

/** Reads the tokens that the configuration declares. @throws ConfigError when a file cannot be read */
export async function declaredTokens(declared: readonly DeclaredToken[]): Promise<TokenRecord[]> {
  return Promise.all(
    declared.map(async (token, index) => ({
      id: `config:${token.name}`,
      name: token.name,
      role: token.role,
      projects: token.projects ?? null,
      userId: token.user_id ?? null,
      hash: token.hash ?? hashToken(await readToken(token.file ?? '', index)),
      revoked: false,
    })),
  );
}

async function readToken(file: string, index: number): Promise<string> {
  try {
    const token = (await readFile(file, 'utf8')).trimEnd();
    if (token.length >= 16) return token;
    throw new RangeError(`it holds ${token.length} characters; a token has at least 16`);
  } catch (cause) {
    const key = `api.tokens[${index}].file`;
    const problem = { file: 'configuration', line: null, key, message: `cannot use ${file}: ${messageOf(cause)}` };
    throw new ConfigError([problem]);
  }
}
