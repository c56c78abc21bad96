import { listQuarantine, showQuarantined } from '../quarantine.ts';
import { replayQuarantined } from '../replay.ts';
import type { Route } from '../route.ts';
import { QuarantineAnswer, QuarantineMessageAnswer, ReplayAnswer } from '../answers.ts';
import { NoQuery, QuarantineQuery } from '../requests.ts';

const ID = { id: 'As `GET /v1/quarantine` names it.' };

const LIST_QUARANTINE: Route = {
  method: 'get',
  path: '/v1/quarantine',
  operationId: 'listQuarantine',
  tag: 'quarantine',
  summary: 'What was refused, newest first',
  roles: ['admin'],
  query: QuarantineQuery,
  answer: { schema: QuarantineAnswer },
  pages: { items: 'quarantine', cursor: 'before', each: 'eachQuarantined' },
  example: { query: 'reason=signature&limit=10' },
  handle: listQuarantine,
};

const SHOW_QUARANTINED: Route = {
  method: 'get',
  path: '/v1/quarantine/:id',
  operationId: 'showQuarantined',
  tag: 'quarantine',
  summary: 'One refused message, with its bytes',
  roles: ['admin'],
  params: ID,
  query: NoQuery,
  answer: { schema: QuarantineMessageAnswer },
  errors: ['MTR_NOT_FOUND'],
  handle: showQuarantined,
};

const REPLAY_QUARANTINED: Route = {
  method: 'post',
  path: '/v1/quarantine/:id/replay',
  operationId: 'replayQuarantined',
  tag: 'quarantine',
  summary: 'Gives the original bytes to a collector once more',
  description: 'After what was wrong was put right. What is refused again stays refused.',
  roles: ['admin'],
  params: ID,
  query: NoQuery,
  answer: { schema: ReplayAnswer },
  errors: ['MTR_NOT_FOUND', 'MTR_QUARANTINE_CUT', 'MTR_NO_COLLECTOR', 'MTR_BUS_UNAVAILABLE'],
  handle: replayQuarantined,
};

export const QUARANTINE_ROUTES = [LIST_QUARANTINE, SHOW_QUARANTINED, REPLAY_QUARANTINED];
