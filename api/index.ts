export { createApi } from './app.ts';
export type { Api } from './app.ts';
export type { ApiOptions } from './context.ts';
export { API_ERRORS } from './errors.ts';
export type { ApiErrorCode } from './errors.ts';
