import { derivedKeyId, formatInstant, generationOf, parseDuration, SHARED_KEY_ID } from '@nephometer/core';
import type { KeyChange, KeyState, Micros } from '@nephometer/core';
import { identityOf } from '../auth.ts';
import type { ApiOptions, Handler } from '../context.ts';
import { badRequest, httpError, notFound } from '../errors.ts';
import { sendJson } from '../respond.ts';
import { readParameters, readRequest } from './request.ts';
import { NoQuery, RevokeRequest, RotateRequest } from './requests.ts';

const LARGEST_REQUEST = 64 * 1024;

interface KeyRow {
  readonly key_id: string;
  readonly agent_id: string | null;
  readonly kind: 'shared' | 'derived' | 'listed';
  state: 'valid' | 'not-yet' | 'retiring' | 'revoked';
  valid_from: string | null;
  valid_until: string | null;
  /** When a batch that it signed was recorded last. */
  last_used: string | null;
  by: string | null;
  why: string | null;
}

/** GET /v1/keys: those of the configuration, those that batches were signed with, and those that were changed. Never a secret. */
export function listKeys(options: ApiOptions): Handler {
  return async (ctx) => {
    readParameters(ctx, NoQuery);
    sendJson(ctx, JSON.stringify({ keys: await keyRows(options) }));
  };
}

async function keyRows({ keyring, agents, config, clock }: ApiOptions): Promise<KeyRow[]> {
  const rows = new Map<string, KeyRow>();
  const row = (keyId: string, agentId: string | null): KeyRow => {
    const name = JSON.stringify([keyId, agentId]);
    const known = rows.get(name) ?? emptyRow(keyId, agentId);
    rows.set(name, known);
    return known;
  };
  for (const { keyId } of keyring.sharedKeys()) row(keyId, null);
  for (const { key_id: id, agent_id: agentId, valid_from: from, valid_until: until } of config.signing.keys) {
    const listed = row(id, agentId);
    listed.valid_from = instant(from ?? null);
    setUntil(listed, until ?? null, clock.now());
    if (from !== undefined && from > clock.now()) listed.state = 'not-yet';
  }
  for (const { agentId, history } of await agents.list()) {
    for (const [keyId, at] of history?.keys ?? []) {
      const used = row(keyId, keyId === SHARED_KEY_ID ? null : agentId);
      const seen = formatInstant(at);
      if (used.last_used === null || used.last_used < seen) used.last_used = seen;
    }
  }
  for (const state of await keyring.states()) applyState(row(state.keyId, state.agentId), state, rows, clock.now());
  return [...rows.values()].sort((a, b) => orderOf(a).localeCompare(orderOf(b), 'en'));
}

function emptyRow(keyId: string, agentId: string | null): KeyRow {
  const kind = keyId === SHARED_KEY_ID ? 'shared' : generationOf(keyId) === null ? 'listed' : 'derived';
  const nothing = { valid_from: null, valid_until: null, last_used: null, by: null, why: null };
  return { key_id: keyId, agent_id: agentId, kind, state: 'valid', ...nothing };
}

/** A change that is for all agents shows in each one's row too. */
function applyState(row: KeyRow, state: KeyState, rows: ReadonlyMap<string, KeyRow>, now: Micros): void {
  const concerned = state.agentId === null ? [...rows.values()].filter(({ key_id: id }) => id === state.keyId) : [row];
  for (const one of concerned) {
    if (one.valid_until !== null && state.validUntil !== null && one.valid_until <= formatInstant(state.validUntil)) {
      continue;
    }
    setUntil(one, state.validUntil, now);
    one.by = state.change.by;
    one.why = state.change.why;
  }
}

function setUntil(row: KeyRow, until: Micros | null, now: Micros): void {
  if (until === null) return;
  row.valid_until = formatInstant(until);
  row.state = until <= now ? 'revoked' : 'retiring';
}

function orderOf({ agent_id: agentId, key_id: keyId }: KeyRow): string {
  return `${agentId ?? ''} ${String(generationOf(keyId) ?? 0).padStart(9, '0')} ${keyId}`;
}

/** POST /v1/keys: the next generation of an agent's derived key; the one before is refused after a while. */
export function rotateKey({ keyring, agents, clock, log }: ApiOptions): Handler {
  return async (ctx) => {
    const asked = await readRequest(ctx, RotateRequest, LARGEST_REQUEST);
    const { agent_id: agentId, retire_after: overlap, why } = asked;
    const { name: by } = identityOf(ctx);
    const known = (await agents.list()).find((agent) => agent.agentId === agentId)?.history?.keys.keys() ?? [];
    const used = [...known].map((id) => generationOf(id) ?? 0);
    if (used.length > 0 && Math.max(...used) === 0) {
      const detail = `Agent ${agentId} signs with a key that is listed or shared, which is changed in the configuration (signing).`;
      throw httpError('MTR_KEY_NOT_DERIVED', detail);
    }
    const now = clock.now();
    const change = await keyring.rotate(agentId, Math.max(1, ...used), now + spanOf(overlap), { by, why, now });
    log.warn({ agent: agentId, key: change.next_key_id, replaces: change.key_id, by }, 'A key was rotated.');
    ctx.status = 201;
    sendJson(ctx, JSON.stringify(changeShape(change)));
  };
}

function spanOf(text: string): Micros {
  try {
    return parseDuration(text);
  } catch {
    throw badRequest(`retire_after: found ${JSON.stringify(text)}; a duration such as 24h would be right.`);
  }
}

/** POST /v1/keys/{key_id}/revoke: refused from a moment on, by every collector. */
export function revokeKey(options: ApiOptions): Handler {
  const { keyring, clock, log } = options;
  return async (ctx) => {
    const keyId = ctx.params['key_id'] ?? '';
    assertKnown(keyId, options);
    const {
      agent_id: agentId = null,
      all_agents: all,
      at,
      why,
    } = await readRequest(ctx, RevokeRequest, LARGEST_REQUEST);
    const now = clock.now();
    if (at !== undefined && at < now)
      throw badRequest('at: found a moment that has passed; now, or one to come, would be right.');
    if (agentId !== null && all === true) {
      throw badRequest('agent_id, all_agents: name the agent, or say all_agents, not both.');
    }
    if (agentId === null && all !== true && keyId === derivedKeyId(generationOf(keyId) ?? 0)) {
      throw badRequest(`agent_id: ${keyId} is the name of a key of each agent; name the agent, or say all_agents.`);
    }
    const { name: by } = identityOf(ctx);
    const change = await keyring.revoke(keyId, agentId, at ?? now, { by, why, now });
    log.warn({ key: keyId, agent: agentId ?? 'all', by, why }, 'A key was revoked.');
    sendJson(ctx, JSON.stringify(changeShape(change)));
  };
}

/** A slip of the pen must not look like a revocation. */
function assertKnown(keyId: string, { config, keyring }: ApiOptions): void {
  const isListed = config.signing.keys.some(({ key_id: id }) => id === keyId);
  if (isListed || generationOf(keyId) !== null || keyring.sharedKeys().some((key) => key.keyId === keyId)) return;
  throw notFound(`There is no key ${keyId}; see GET /v1/keys.`);
}

/** `KeyChangeAnswer`. */
function changeShape({ action, key_id, agent_id, next_key_id, valid_until, by, why }: KeyChange) {
  return { action, key_id, agent_id, next_key_id, valid_until: instant(valid_until), by, why };
}

function instant(at: Micros | null): string | null {
  return at === null ? null : formatInstant(at);
}
