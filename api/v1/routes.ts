import type { ApiOptions, ApiRouter } from '../context.ts';
import { showDocument } from '../openapi/serve.ts';
import { EXPORT_ROUTES } from './exports/routes.ts';
import { addRoute } from './route.ts';
import type { Route } from './route.ts';
import { AGENT_ROUTES } from './routes/agents.ts';
import { QUARANTINE_ROUTES } from './routes/quarantine.ts';
import { SAMPLE_ROUTES } from './routes/samples.ts';
import { TOKEN_ROUTES } from './routes/tokens.ts';
import { OpenApiAnswer } from './answers.ts';
import { NoQuery } from './requests.ts';
import { STATEMENT_ROUTES } from './statements/routes.ts';
import { USAGE_ROUTES } from './usage/routes.ts';

const SHOW_OPENAPI: Route = {
  method: 'get',
  path: '/v1/openapi.json',
  operationId: 'showOpenApi',
  tag: 'about',
  summary: 'This document, in OpenAPI 3.1',
  description: 'Made from the schemas that validate. A page to read it is at `/docs`.',
  roles: 'open',
  query: NoQuery,
  answer: { schema: OpenApiAnswer },
  handle: () => showDocument(V1_ROUTES),
};

/** Our own API, whole: what is not here is neither served nor documented. */
export const V1_ROUTES: readonly Route[] = [
  ...USAGE_ROUTES,
  ...STATEMENT_ROUTES,
  ...EXPORT_ROUTES,
  ...SAMPLE_ROUTES,
  ...AGENT_ROUTES,
  ...QUARANTINE_ROUTES,
  ...TOKEN_ROUTES,
  SHOW_OPENAPI,
];

export function addV1(router: ApiRouter, options: ApiOptions): void {
  for (const route of V1_ROUTES) addRoute(router, route, options);
}
