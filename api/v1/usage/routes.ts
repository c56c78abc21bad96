import type { Route } from '../route.ts';
import { UsageAnswer, UsageFields } from './schemas.ts';
import { showUsage, USAGE_TYPES } from './usage.ts';

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
  errors: ['MTR_NOT_ACCEPTABLE', 'MTR_BEHIND_RETENTION'],
  pages: { items: 'lines', cursor: 'cursor', each: 'eachUsageLine' },
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
  errors: ['MTR_NOT_ACCEPTABLE', 'MTR_BEHIND_RETENTION'],
  handle: showUsage,
};

export const USAGE_ROUTES: readonly Route[] = [SHOW_USAGE, ASK_USAGE];
