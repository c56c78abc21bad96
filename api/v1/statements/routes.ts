import type { Route } from '../route.ts';
import { NoQuery } from '../requests.ts';
import { USAGE_TYPES } from '../usage/usage.ts';
import { showAdjustments } from './adjustments.ts';
import { createStatements } from './create.ts';
import { showStatementEvidence } from './evidence.ts';
import { showFinality } from './finality.ts';
import { showStatementKey } from './key.ts';
import {
  AdjustmentsAnswer,
  AdjustmentsQuery,
  CloseAnswer,
  FinalityAnswer,
  FinalityQuery,
  StatementAnswer,
  StatementKeyAnswer,
  StatementRequest,
  StatementsAnswer,
  StatementsQuery,
} from './schemas.ts';
import { listStatements, showStatement } from './show.ts';

const PARAMS = { statement_id: 'Of the statement.' };

const CREATE: Route = {
  method: 'post',
  path: '/v1/statements',
  operationId: 'createStatements',
  tag: 'statements',
  summary: 'Closes a period for a project, or for each',
  description:
    'Freezes the figures and signs them: 201 when a statement is new, 200 when none is. What is closed already is answered as ' +
    'it is, and 409 says what was asked for otherwise. Of all projects at once, `refused` names those that stay open.',
  roles: ['admin'],
  body: StatementRequest,
  answer: { status: 201, schema: CloseAnswer },
  errors: [
    'MTR_PERIOD_OPEN',
    'MTR_NOT_SETTLED',
    'MTR_COVERAGE_LOW',
    'MTR_AGENT_NOT_HEARD',
    'MTR_STATEMENT_EXISTS',
    'MTR_BEHIND_RETENTION',
    'MTR_TOO_MUCH',
    'MTR_EVIDENCE_DIFFERS',
  ],
  example: { body: { project_id: 'p1', period: '2026-03', tz: 'Europe/Berlin', min_coverage: '0.95' } },
  handle: createStatements,
};

const LIST: Route = {
  method: 'get',
  path: '/v1/statements',
  operationId: 'listStatements',
  tag: 'statements',
  summary: 'Closed periods, newest first',
  roles: ['admin', 'reader'],
  query: StatementsQuery,
  answer: { schema: StatementsAnswer },
  pages: { items: 'statements', cursor: 'cursor', each: 'eachStatement' },
  handle: listStatements,
};

const KEY: Route = {
  method: 'get',
  path: '/v1/statements/key',
  operationId: 'showStatementKey',
  tag: 'statements',
  summary: 'The public key that statements are signed with',
  roles: 'open',
  query: NoQuery,
  answer: { schema: StatementKeyAnswer },
  handle: showStatementKey,
};

const SHOW: Route = {
  method: 'get',
  path: '/v1/statements/:statement_id',
  operationId: 'showStatement',
  tag: 'statements',
  summary: 'A statement, the same bytes for ever',
  params: PARAMS,
  roles: ['admin', 'reader'],
  query: NoQuery,
  answer: {
    schema: StatementAnswer,
    types: {
      [USAGE_TYPES.ndjson]: 'One line of JSON a usage line, with its definition.',
      [USAGE_TYPES.csv]: 'The lines as RFC 4180, with a header row.',
    },
  },
  errors: ['MTR_NOT_ACCEPTABLE'],
  handle: showStatement,
};

const EVIDENCE: Route = {
  method: 'get',
  path: '/v1/statements/:statement_id/evidence',
  operationId: 'showStatementEvidence',
  tag: 'statements',
  summary: 'The statement with all that it stands on, for `nephometer verify`',
  description:
    'NDJSON: the statement, then batch headers, losses, voids and samples with their Merkle paths. For admins to hand ' +
    'on: headers name resources that could not be read, of every project on the node.',
  params: PARAMS,
  roles: ['admin'],
  query: NoQuery,
  answer: { schema: null, types: { [USAGE_TYPES.ndjson]: 'A line of JSON a record.' } },
  errors: ['MTR_BEHIND_RETENTION', 'MTR_TOO_MUCH'],
  handle: showStatementEvidence,
};

const ADJUSTMENTS: Route = {
  method: 'get',
  path: '/v1/statements/:statement_id/adjustments',
  operationId: 'showAdjustments',
  tag: 'statements',
  summary: 'What changed since the period was closed, line by line, and why',
  description:
    'What arrived after the closing, how much, for whom, by which cause and which policy: the difference between each ' +
    'frozen line and what it would be now.',
  params: PARAMS,
  roles: ['admin', 'reader'],
  query: AdjustmentsQuery,
  answer: { schema: AdjustmentsAnswer },
  errors: ['MTR_BEHIND_RETENTION', 'MTR_TOO_MUCH'],
  pages: { items: 'adjustments', cursor: 'cursor', each: 'eachAdjustment' },
  handle: showAdjustments,
};

const FINALITY: Route = {
  method: 'get',
  path: '/v1/finality',
  operationId: 'showFinality',
  tag: 'statements',
  summary: 'Whether a period is final for a project, and what is still open',
  roles: ['admin', 'reader'],
  query: FinalityQuery,
  answer: { schema: FinalityAnswer },
  example: { query: 'project_id=p1&from=2026-01-01&to=2026-02-01&tz=Europe/Berlin' },
  handle: showFinality,
};

export const STATEMENT_ROUTES: readonly Route[] = [CREATE, LIST, KEY, SHOW, EVIDENCE, ADJUSTMENTS, FINALITY];
