import type { ApiOptions, ApiRouter } from '../context.ts';

/** Our own API. */
export function addV1(_router: ApiRouter, _options: ApiOptions): void {}
