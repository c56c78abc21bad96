import { openApiDocument } from './document.ts';
import type { OpenApiDocument } from './types.ts';
import { V1_ROUTES } from '../v1/routes.ts';

/** What GET /v1/openapi.json answers. */
export function v1Document(): OpenApiDocument {
  return openApiDocument(V1_ROUTES);
}
