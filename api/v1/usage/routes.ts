import type { Route } from '../route.ts';
import { listChanges } from './changes.ts';
import { showCoverage } from './coverage.ts';
import { listDefinitions } from './definitions.ts';
import { showDiff } from './diff.ts';
import { listInventory, postInventory } from './inventory.ts';
import {
  FINDINGS,
  FindingsAnswer,
  FindingsFields,
  InventoryAnswer,
  InventoryListAnswer,
  InventoryQuery,
  InventoryRequest,
} from './inventory-schemas.ts';
import { listFindings } from './list-findings.ts';
import {
  ChangesAnswer,
  CoverageAnswer,
  DefinitionsAnswer,
  DiffAnswer,
  QuarantineUsageAnswer,
  UsageAnswer,
  NewVoidAnswer,
  VoidsAnswer,
} from './answers.ts';
import {
  ChangesFields,
  CoverageFields,
  DefinitionsQuery,
  DiffFields,
  UsageFields,
  VoidRequest,
  VoidsQuery,
} from './fields.ts';
import { showQuarantineUsage } from './quarantine-usage.ts';
import { showUsage, USAGE_TYPES } from './usage.ts';
import { createVoid, listVoids } from './voids.ts';

const LINE_TYPES = {
  [USAGE_TYPES.ndjson]: 'One line of JSON a usage line, without the frame; as_of and next are in headers.',
  [USAGE_TYPES.csv]: 'RFC 4180, with a header row.',
};

const SHOW_USAGE: Route = {
  method: 'get',
  path: '/v1/usage',
  operationId: 'showUsage',
  tag: 'usage',
  summary: 'What was used in a period, as it was known at a moment',
  description:
    'Name a `definition`, or a `meter` and a `kind`. The same question with the same `as_of` has the same bytes once it ' +
    'is `settled`. Without `limit`, NDJSON and CSV hold all lines.',
  roles: ['admin', 'reader'],
  query: UsageFields,
  answer: { schema: UsageAnswer, types: LINE_TYPES },
  errors: ['MTR_NOT_ACCEPTABLE', 'MTR_BEHIND_RETENTION', 'MTR_TOO_MUCH'],
  pages: { items: 'lines', cursor: 'cursor', each: 'eachUsageLine' },
  example: { query: 'definition=instance_hours&from=2026-03-01&to=2026-04-01&tz=Europe/Berlin&window=day' },
  handle: showUsage,
};

const ASK_USAGE: Route = {
  method: 'post',
  path: '/v1/usage',
  operationId: 'askUsage',
  tag: 'usage',
  summary: 'The same with the fields in the body, for long questions',
  roles: ['admin', 'reader'],
  body: UsageFields,
  answer: { schema: UsageAnswer, types: LINE_TYPES },
  errors: ['MTR_NOT_ACCEPTABLE', 'MTR_BEHIND_RETENTION', 'MTR_TOO_MUCH'],
  example: { body: { definition: 'instance_hours', from: '2026-03-01', to: '2026-04-01', group_by: ['project_id'] } },
  handle: showUsage,
};

const SHOW_QUARANTINE_USAGE: Route = {
  method: 'get',
  path: '/v1/usage/quarantine',
  operationId: 'showQuarantineUsage',
  tag: 'usage',
  summary: 'What the lines would come to with the messages that were refused',
  description:
    'A what-if, by the reason of the refusal: no other figure has any of it. What cannot be read is told by its number. Refused ' +
    'messages are as true as the word of whoever sent them.',
  roles: ['admin'],
  query: UsageFields,
  answer: { schema: QuarantineUsageAnswer },
  errors: ['MTR_BEHIND_RETENTION', 'MTR_TOO_MUCH'],
  pages: { items: 'lines', cursor: 'cursor', each: 'eachQuarantineLine' },
  handle: showQuarantineUsage,
};

const SHOW_DIFF: Route = {
  method: 'get',
  path: '/v1/usage/diff',
  operationId: 'showUsageDiff',
  tag: 'usage',
  summary: 'Which lines changed between two moments, and why',
  description:
    '`late`: samples or reports arrived after the first moment; `void`: samples were voided; `conflict`: one arose or was ' +
    'resolved; `definition`: the named quantity changed.',
  roles: ['admin', 'reader'],
  query: DiffFields,
  answer: { schema: DiffAnswer },
  errors: ['MTR_BEHIND_RETENTION', 'MTR_TOO_MUCH'],
  pages: { items: 'changes', cursor: 'cursor', each: 'eachUsageChange' },
  handle: showDiff,
};

const LIST_CHANGES: Route = {
  method: 'get',
  path: '/v1/changes',
  operationId: 'listChanges',
  tag: 'usage',
  summary: 'Lines that changed since the cursor, for those who keep a copy',
  description:
    'Begin without a cursor; go on with the `cursor` of the answer, at once while there is `more`, else later.',
  roles: ['admin', 'reader'],
  query: ChangesFields,
  answer: { schema: ChangesAnswer },
  errors: ['MTR_BEHIND_RETENTION', 'MTR_TOO_MUCH'],
  handle: listChanges,
};

const SHOW_COVERAGE: Route = {
  method: 'get',
  path: '/v1/coverage',
  operationId: 'showCoverage',
  tag: 'usage',
  summary: 'What was measured, what was not, and why',
  description:
    'By `agent` and `source` for admins. An expected agent that was never seen is a gap as long as the period.',
  roles: ['admin', 'reader'],
  query: CoverageFields,
  answer: { schema: CoverageAnswer },
  errors: ['MTR_BEHIND_RETENTION', 'MTR_TOO_MUCH'],
  handle: showCoverage,
};

const LIST_DEFINITIONS: Route = {
  method: 'get',
  path: '/v1/definitions',
  operationId: 'listDefinitions',
  tag: 'usage',
  summary: 'The named quantities, as they stood at a moment',
  roles: ['admin', 'reader'],
  query: DefinitionsQuery,
  answer: { schema: DefinitionsAnswer },
  handle: listDefinitions,
};

const CREATE_VOID: Route = {
  method: 'post',
  path: '/v1/voids',
  operationId: 'createVoid',
  tag: 'usage',
  summary: 'Takes samples out of every figure from now on',
  description:
    'Of samples recorded so far, all that match the selector; `samples` says how many. Nothing is removed: earlier ' +
    'moments keep them.',
  roles: ['admin'],
  body: VoidRequest,
  answer: { status: 201, schema: NewVoidAnswer },
  example: {
    body: {
      selector: { meter: 'cpu', resource_id: 'vm-7', from: '2026-03-01T10:00:00Z', to: '2026-03-01T11:00:00Z' },
      reason: 'The clock of the node was wrong.',
    },
  },
  handle: createVoid,
};

const LIST_VOIDS: Route = {
  method: 'get',
  path: '/v1/voids',
  operationId: 'listVoids',
  tag: 'usage',
  summary: 'What was voided, by whom and why, newest first',
  roles: ['admin'],
  query: VoidsQuery,
  answer: { schema: VoidsAnswer },
  pages: { items: 'voids', cursor: 'before', each: 'eachVoid' },
  handle: listVoids,
};

const POST_INVENTORY: Route = {
  method: 'post',
  path: '/v1/inventory',
  operationId: 'postInventory',
  tag: 'inventory',
  summary: 'What was there at a moment: agents that must be heard, resources that must be sampled',
  description:
    'Append-only; post a list of the same `name` as often as it is made, say once a day. `expected_agents` of the ' +
    'configuration is a list, too. What it shows is in `warnings` of GET /v1/usage, and in GET /v1/findings.',
  roles: ['admin'],
  body: InventoryRequest,
  answer: { status: 201, schema: InventoryListAnswer },
  example: {
    body: {
      name: 'instances',
      at: '2026-03-05T00:00:00Z',
      meters: ['vcpus', 'memory'],
      resources: [{ resource_id: 'vm-7', project_id: 'p1' }, 'vm-8'],
    },
  },
  handle: postInventory,
};

const LIST_INVENTORY: Route = {
  method: 'get',
  path: '/v1/inventory',
  operationId: 'listInventory',
  tag: 'inventory',
  summary: 'Which lists there are, newest moment first',
  roles: ['admin'],
  query: InventoryQuery,
  answer: { schema: InventoryAnswer },
  handle: listInventory,
};

const LIST_FINDINGS: Route = {
  method: 'get',
  path: '/v1/findings',
  operationId: 'listFindings',
  tag: 'inventory',
  summary: 'What was there and is not sampled, and what is sampled and was not there',
  description: Object.entries(FINDINGS)
    .map(([finding, meaning]) => `\`${finding}\`: ${meaning}`)
    .join(' '),
  roles: ['admin'],
  query: FindingsFields,
  answer: { schema: FindingsAnswer },
  errors: ['MTR_BEHIND_RETENTION'],
  pages: { items: 'findings', cursor: 'cursor', each: 'eachFinding' },
  handle: listFindings,
};

export const USAGE_ROUTES: readonly Route[] = [
  SHOW_USAGE,
  ASK_USAGE,
  SHOW_QUARANTINE_USAGE,
  SHOW_DIFF,
  LIST_CHANGES,
  SHOW_COVERAGE,
  LIST_DEFINITIONS,
  CREATE_VOID,
  LIST_VOIDS,
  POST_INVENTORY,
  LIST_INVENTORY,
  LIST_FINDINGS,
];
