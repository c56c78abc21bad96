import { listAgents } from '../agents.ts';
import { listKeys, revokeKey, rotateKey } from '../keys.ts';
import { listLedger } from '../ledger.ts';
import type { Route } from '../route.ts';
import { AgentsAnswer, KeyChangeAnswer, KeysAnswer, LedgerAnswer } from '../answers.ts';
import { AgentsQuery, LedgerQuery, NoQuery, RevokeRequest, RotateRequest } from '../requests.ts';

const LIST_LEDGER: Route = {
  method: 'get',
  path: '/v1/ledger',
  operationId: 'listLedger',
  tag: 'ledger',
  summary: 'What was recorded, in the order of recording',
  roles: ['admin'],
  query: LedgerQuery,
  answer: {
    schema: LedgerAnswer,
    example: {
      batches: [
        {
          digest: '9b74c9897bac770ffc029102a200c5de66b3f7a1c0f3d6b0e2d3c7a5f4e1d2c3',
          recorded_at: '2026-03-01T12:00:03.104Z',
          agent_id: 'node-1',
          epoch: '0123456789abcdef',
          seq: 17,
          key_id: 'm1',
          transport: 'bus',
          samples: 24,
          duplicates: 0,
        },
      ],
      next: null,
    },
  },
  pages: { items: 'batches', cursor: 'after', each: 'eachBatch' },
  example: { query: 'agent_id=node-1&limit=10' },
  handle: listLedger,
};

const LIST_AGENTS: Route = {
  method: 'get',
  path: '/v1/agents',
  operationId: 'listAgents',
  tag: 'agents',
  summary: 'Every agent, and those expected that never reported',
  roles: ['admin'],
  query: AgentsQuery,
  answer: { schema: AgentsAnswer },
  example: { query: 'state=silent' },
  handle: listAgents,
};

const LIST_KEYS: Route = {
  method: 'get',
  path: '/v1/keys',
  operationId: 'listKeys',
  tag: 'agents',
  summary: 'Keys, and how each stands; never a key itself',
  roles: ['admin'],
  query: NoQuery,
  answer: { schema: KeysAnswer },
  handle: listKeys,
};

const ROTATE_KEY: Route = {
  method: 'post',
  path: '/v1/keys',
  operationId: 'rotateKey',
  tag: 'agents',
  summary: "The next generation of an agent's derived key",
  description: 'The one before is refused after `retire_after`.',
  roles: ['admin'],
  body: RotateRequest,
  answer: { status: 201, schema: KeyChangeAnswer },
  errors: ['MTR_KEY_NOT_DERIVED'],
  example: { body: { agent_id: 'node-1', retire_after: '7d', why: 'Yearly.' } },
  handle: rotateKey,
};

const REVOKE_KEY: Route = {
  method: 'post',
  path: '/v1/keys/:key_id/revoke',
  operationId: 'revokeKey',
  tag: 'agents',
  summary: 'Refuses a key from a moment on, in every collector',
  roles: ['admin'],
  params: { key_id: 'As `GET /v1/keys` names it.' },
  body: RevokeRequest,
  answer: { schema: KeyChangeAnswer },
  example: { params: { key_id: 'm1' }, body: { agent_id: 'node-1', why: 'The node was lost.' } },
  handle: revokeKey,
};

export const AGENT_ROUTES = [LIST_LEDGER, LIST_AGENTS, LIST_KEYS, ROTATE_KEY, REVOKE_KEY];
