import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { KeyMissing, messageOf } from '../errors.ts';
import { sha256 } from '../model/identity.ts';
import { statementText } from '../model/statement/statement.ts';
import type { Statement, StatementContent } from '../model/statement/statement.ts';

const ALGORITHM = 'Ed25519';
/** SubjectPublicKeyInfo of an Ed25519 key is this and the key's 32 bytes (RFC 8410). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_BYTES = 32;
const HOW = 'Make one with `nephometer key statement --out FILE`; API servers on one store share it';

/** The key that statements are signed with. */
export class StatementKey {
  readonly #key: KeyObject;
  readonly publicKey: StatementPublicKey;

  /** @throws KeyMissing for what is no private Ed25519 key in PEM */
  constructor(pem: string, file = 'the text') {
    try {
      this.#key = createPrivateKey(pem);
    } catch {
      throw new KeyMissing(`The statement key in ${file} is no private key in PEM. ${HOW}.`);
    }
    if (this.#key.asymmetricKeyType !== 'ed25519') {
      throw new KeyMissing(
        `The statement key in ${file} is of type ${this.#key.asymmetricKeyType}, not Ed25519. ${HOW}.`,
      );
    }
    this.publicKey = new StatementPublicKey(createPublicKey(this.#key));
  }

  /** A new one, PKCS #8 in PEM. */
  static make(): string {
    return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  }

  /** @throws KeyMissing */
  static async read(file: string): Promise<StatementKey> {
    return new StatementKey(await readKey(file), file);
  }

  sign(content: StatementContent): Statement {
    const text = statementText(content);
    const { keyId: key_id, base64: public_key } = this.publicKey;
    const value = sign(null, Buffer.from(text), this.#key).toString('base64');
    return { ...content, digest: sha256(text), signature: { algorithm: ALGORITHM, key_id, public_key, value } };
  }
}

/** The half of a statement key that everybody may know. */
export class StatementPublicKey {
  readonly #key: KeyObject;
  /** The 32 bytes. */
  readonly base64: string;
  readonly pem: string;
  /** The first 16 hex digits of the SHA-256 of the 32 bytes. */
  readonly keyId: string;

  constructor(key: KeyObject) {
    const der = key.export({ type: 'spki', format: 'der' });
    const bytes = der.subarray(SPKI.length);
    if (key.asymmetricKeyType !== 'ed25519' || bytes.length !== KEY_BYTES) {
      throw new KeyMissing(`Found a public key of type ${key.asymmetricKeyType}; an Ed25519 key would be right.`);
    }
    this.#key = key;
    this.base64 = bytes.toString('base64');
    this.pem = key.export({ type: 'spki', format: 'pem' }).toString();
    this.keyId = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  }

  /** @throws KeyMissing for what are not 32 bytes in base64 */
  static fromBase64(text: string): StatementPublicKey {
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length !== KEY_BYTES) {
      throw new KeyMissing(`Found a public key of ${bytes.length} bytes; ${KEY_BYTES} in base64 would be right.`);
    }
    return new StatementPublicKey(createPublicKey({ key: Buffer.concat([SPKI, bytes]), format: 'der', type: 'spki' }));
  }

  /** A file with PEM, or the 32 bytes in base64. @throws KeyMissing */
  static async read(file: string): Promise<StatementPublicKey> {
    const text = await readKey(file);
    if (!text.includes('-----BEGIN')) return StatementPublicKey.fromBase64(text.trim());
    try {
      return new StatementPublicKey(createPublicKey(text));
    } catch (cause) {
      if (cause instanceof KeyMissing) throw cause;
      throw new KeyMissing(`The public key in ${file} cannot be read: ${messageOf(cause)}.`);
    }
  }

  verify(statement: Statement): boolean {
    const value = Buffer.from(statement.signature.value, 'base64');
    return verify(null, Buffer.from(statementText(statement)), this.#key, value);
  }
}

async function readKey(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new KeyMissing(`The key file ${file} cannot be read: ${messageOf(cause)}. ${HOW}.`);
  }
}
