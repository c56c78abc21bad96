import { StatementKey } from '@nephometer/core';
import type { ApiOptions, Handler } from '../../context.ts';
import { sendJson } from '../../respond.ts';

const own = new WeakMap<ApiOptions, StatementKey>();

export function signerOf(options: ApiOptions): StatementKey {
  if (options.statementKey !== undefined) return options.statementKey;
  let key = own.get(options);
  if (key === undefined) own.set(options, (key = new StatementKey(StatementKey.make())));
  return key;
}

/** GET /v1/statements/key: who wants to check a signature needs no token for it. */
export function showStatementKey(options: ApiOptions): Handler {
  const { keyId: key_id, base64: public_key, pem } = signerOf(options).publicKey;
  const text = JSON.stringify({ algorithm: 'Ed25519', key_id, public_key, pem });
  return async (ctx) => sendJson(ctx, text);
}
