import type { Route } from '../route.ts';
import { IdentityAnswer, NewTokenAnswer, TokensAnswer } from '../answers.ts';
import { NoQuery, TokenRequest } from '../requests.ts';
import { createToken, listTokens, revokeToken, whoAmI } from '../tokens.ts';

const READER = { name: 'billing', role: 'reader', projects: ['p1'], user_id: null };

const WHO_AM_I: Route = {
  method: 'get',
  path: '/v1/whoami',
  operationId: 'whoAmI',
  tag: 'tokens',
  summary: 'Who the token belongs to',
  roles: 'any',
  query: NoQuery,
  answer: { schema: IdentityAnswer, example: READER },
  handle: () => whoAmI,
};

const LIST_TOKENS: Route = {
  method: 'get',
  path: '/v1/tokens',
  operationId: 'listTokens',
  tag: 'tokens',
  summary: 'Tokens, those of the configuration too',
  description: 'Never a token itself or its hash.',
  roles: ['admin'],
  query: NoQuery,
  answer: { schema: TokensAnswer, example: { tokens: [{ id: 'config:billing', ...READER, revoked: false }] } },
  handle: listTokens,
};

const CREATE_TOKEN: Route = {
  method: 'post',
  path: '/v1/tokens',
  operationId: 'createToken',
  tag: 'tokens',
  summary: 'Makes a token',
  description: 'The only answer that shows it.',
  roles: ['admin'],
  body: TokenRequest,
  answer: { status: 201, schema: NewTokenAnswer },
  example: { body: { name: 'billing', role: 'reader', projects: ['p1'] } },
  handle: createToken,
};

const REVOKE_TOKEN: Route = {
  method: 'delete',
  path: '/v1/tokens/:id',
  operationId: 'revokeToken',
  tag: 'tokens',
  summary: 'Refuses a token from now on',
  roles: ['admin'],
  params: { id: 'As `GET /v1/tokens` names it.' },
  query: NoQuery,
  answer: { status: 204, schema: null },
  errors: ['MTR_NOT_FOUND', 'MTR_TOKEN_DECLARED'],
  handle: revokeToken,
};

export const TOKEN_ROUTES = [WHO_AM_I, LIST_TOKENS, CREATE_TOKEN, REVOKE_TOKEN];
