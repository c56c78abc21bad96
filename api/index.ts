export { createApi } from './app.ts';
export type { Api } from './app.ts';
export type { ApiOptions } from './context.ts';
