import { allow } from '../auth.ts';
import { listAgents } from './agents.ts';
import { listKeys, revokeKey, rotateKey } from './keys.ts';
import { resolveConflict } from './resolve.ts';
import type { ApiOptions, ApiRouter } from '../context.ts';
import { showEvidence } from './evidence.ts';
import { listLedger } from './ledger.ts';
import { postMessages } from './messages.ts';
import { listQuarantine, showQuarantined } from './quarantine.ts';
import { replayQuarantined } from './replay.ts';
import { listConflicts, listSamples } from './samples.ts';
import { createToken, listTokens, revokeToken, whoAmI } from './tokens.ts';

/** Our own API. */
export function addV1(router: ApiRouter, options: ApiOptions): void {
  const readers = allow('admin', 'reader');
  const admins = allow('admin');
  router.get('/v1/whoami', whoAmI);
  router.get('/v1/samples', readers, listSamples(options));
  router.get('/v1/samples/:id', readers, showEvidence(options));
  router.get('/v1/ledger', admins, listLedger(options));
  router.get('/v1/agents', admins, listAgents(options));
  router.get('/v1/keys', admins, listKeys(options));
  router.post('/v1/keys', admins, rotateKey(options));
  router.post('/v1/keys/:key_id/revoke', admins, revokeKey(options));
  router.get('/v1/conflicts', admins, listConflicts(options));
  router.post('/v1/conflicts/:message_id/resolve', admins, resolveConflict(options));
  router.get('/v1/quarantine', admins, listQuarantine(options));
  router.get('/v1/quarantine/:id', admins, showQuarantined(options));
  router.post('/v1/quarantine/:id/replay', admins, replayQuarantined(options));
  router.get('/v1/tokens', admins, listTokens(options));
  router.post('/v1/tokens', admins, createToken(options));
  router.delete('/v1/tokens/:id', admins, revokeToken(options));
  if (options.ingest !== null) {
    router.post('/v1/messages', allow('admin', 'writer'), postMessages(options.ingest, options.config.api.max_body));
  }
}
