import { showEvidence } from '../evidence.ts';
import { postMessages } from '../messages.ts';
import { resolveConflict } from '../resolve.ts';
import type { Route } from '../route.ts';
import { listConflicts, listSamples } from '../samples.ts';
import {
  ConflictsAnswer,
  EvidenceAnswer,
  MessagesAnswer,
  MessagesRequest,
  ResolutionAnswer,
  SamplesAnswer,
} from '../answers.ts';
import { ConflictsQuery, NoQuery, ResolveRequest, SamplesQuery } from '../requests.ts';

const CEILOMETER_FIELDS = {
  message_id: '3f0c9a52-6a1f-5d0e-9b58-0f6a3f3d7c11',
  source: 'openstack',
  counter_name: 'volume.size',
  counter_type: 'gauge',
  counter_unit: 'GiB',
  counter_volume: '40',
  user_id: 'u1',
  project_id: 'p1',
  resource_id: 'vol-7',
  timestamp: '2026-03-01T12:00:00Z',
  resource_metadata: { flavor: { id: '1' } },
};

const SAMPLE = {
  ...CEILOMETER_FIELDS,
  recorded_at: '2026-03-01T12:00:03.104Z',
  slot: '2026-03-01T12:00:00Z',
  agent_id: 'node-1',
  epoch: '0123456789abcdef',
  seq: 17,
  key_id: 'm1',
};

const LIST_SAMPLES: Route = {
  method: 'get',
  path: '/v1/samples',
  operationId: 'listSamples',
  tag: 'samples',
  summary: 'Samples, page by page',
  description: 'A reader sees those of its own projects; asking for another project is 403.',
  roles: ['admin', 'reader'],
  query: SamplesQuery,
  answer: { schema: SamplesAnswer, example: { samples: [SAMPLE], next: 'WzE3NzIzNjY0MDAwMDAwMDAsInMxIl0' } },
  errors: ['MTR_BEHIND_RETENTION'],
  pages: { items: 'samples', cursor: 'cursor', each: 'eachSample' },
  example: { query: 'meter=volume.size&from=2026-03-01T00:00:00Z&limit=10' },
  handle: listSamples,
};

const SHOW_EVIDENCE: Route = {
  method: 'get',
  path: '/v1/samples/:message_id',
  operationId: 'showEvidence',
  tag: 'samples',
  summary: 'The evidence for one sample',
  description:
    'The signed text byte for byte as received, its key and times, and the Merkle path up to the signed batch header: all that is needed to check it elsewhere. Only admins see the header itself.',
  roles: ['admin', 'reader'],
  params: { message_id: 'Of the sample.' },
  query: NoQuery,
  answer: { schema: EvidenceAnswer },
  errors: ['MTR_NOT_FOUND'],
  example: { params: { message_id: SAMPLE.message_id } },
  handle: showEvidence,
};

const POST_MESSAGES: Route = {
  method: 'post',
  path: '/v1/messages',
  operationId: 'postMessages',
  tag: 'samples',
  summary: 'Whole metering messages, verified and recorded',
  description:
    "What Ceilometer's `http://` publisher sends: an array, one object, or the oslo envelope. Every field is kept as sent. Answered once all is stored and readable, with one result a message, in order. Served where a collector runs in the same process, as in `nephometer up`; elsewhere it is 404.",
  roles: ['admin', 'writer'],
  query: NoQuery,
  body: MessagesRequest,
  answer: {
    schema: MessagesAnswer,
    example: {
      results: [
        { message_id: '3f0c9a52-6a1f-5d0e-9b58-0f6a3f3d7c11', outcome: 'accepted' },
        { message_id: '8d1b6f3e-0c55-5b8b-a3b1-6c2f9c6f2a02', outcome: 'refused', reason: 'signature' },
      ],
    },
  },
  errors: ['MTR_REFUSED', 'MTR_STORE_REFUSED'],
  example: {
    body: [
      {
        ...CEILOMETER_FIELDS,
        message_signature: 'b9a36d0c5c1f1c0a0d5de1d25e4a7d0d2a8b2b0d9f9a5f6f2b6a0c7ce0b1f0aa',
      },
    ],
  },
  handle: ({ ingest, config }) => (ingest === null ? null : postMessages(ingest, config.api.max_body)),
};

const LIST_CONFLICTS: Route = {
  method: 'get',
  path: '/v1/conflicts',
  operationId: 'listConflicts',
  tag: 'samples',
  summary: 'Message ids that came with two contents',
  description: 'Every version of each, side by side. Until one is chosen their interval is a gap.',
  roles: ['admin'],
  query: ConflictsQuery,
  answer: { schema: ConflictsAnswer },
  errors: ['MTR_BEHIND_RETENTION'],
  pages: { items: 'conflicts', cursor: 'cursor', each: 'eachConflict' },
  handle: listConflicts,
};

const RESOLVE_CONFLICT: Route = {
  method: 'post',
  path: '/v1/conflicts/:message_id/resolve',
  operationId: 'resolveConflict',
  tag: 'samples',
  summary: 'Says which version of a conflict counts, or that none does',
  roles: ['admin'],
  params: { message_id: 'Of the samples in conflict.' },
  body: ResolveRequest,
  answer: { schema: ResolutionAnswer },
  errors: ['MTR_NOT_FOUND'],
  example: {
    params: { message_id: SAMPLE.message_id },
    body: {
      keep: '9b74c9897bac770ffc029102a200c5de66b3f7a1c0f3d6b0e2d3c7a5f4e1d2c3',
      why: 'The other came from a restored image.',
    },
  },
  handle: resolveConflict,
};

export const SAMPLE_ROUTES = [LIST_SAMPLES, SHOW_EVIDENCE, POST_MESSAGES, LIST_CONFLICTS, RESOLVE_CONFLICT];
