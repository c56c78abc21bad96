export { createApi } from './app.ts';
export type { Api } from './app.ts';
export type { ApiOptions } from './context.ts';
export { API_ERRORS } from './errors.ts';
export type { ApiErrorCode } from './errors.ts';
export type { JsonSchema, OpenApiDocument, Operation, Parameter, Reference } from './openapi/types.ts';
export { v1Document } from './openapi/v1.ts';
export { UsageDesk } from './v1/usage/desk.ts';
/** Schemas of what /v1/usage and its neighbours answer. */
export * as usageSchemas from './v1/usage/all-schemas.ts';
export { isManifestWhole, manifestPieces } from './v1/exports/manifest.ts';
/** Schemas of what /v1/exports takes and answers. */
export * as exportSchemas from './v1/exports/schemas.ts';
export type {
  ExportHeadAnswer,
  ExportManifestAnswer,
  ExportPartitionAnswer,
  ExportPlanAnswer,
} from './v1/exports/schemas.ts';
export { StatementBook } from './v1/statements/book.ts';
export { closeScheduled, scheduledPeriod } from './v1/statements/schedule.ts';
export type { ClosedAll } from './v1/statements/create.ts';
