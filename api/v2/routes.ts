import type { ApiOptions, ApiRouter, ApiContext } from '../context.ts';
import { allow } from '../auth.ts';
import { httpError } from '../errors.ts';
import { showCapabilities } from './capabilities.ts';
import { listMeters } from './meters.ts';
import { listResources, showResource } from './resources.ts';
import { listMeterSamples, listSamples, showSample } from './samples.ts';
import { postSamples } from './post.ts';
import { meterStatistics } from './statistics.ts';
import { listVersions } from './versions.ts';

/** Ceilometer's API v2. */
export function addV2(router: ApiRouter, options: ApiOptions): void {
  const read = [acceptsJson, allow('admin', 'reader')] as const;
  router.get('/', listVersions(options));
  router.get('/v2/capabilities', acceptsJson, showCapabilities);
  router.get('/v2/meters', ...read, listMeters(options));
  router.get('/v2/meters/:name', ...read, listMeterSamples(options));
  router.post('/v2/meters/:name', acceptsJson, allow('admin', 'writer'), postSamples(options));
  router.get('/v2/meters/:name/statistics', ...read, meterStatistics(options));
  router.get('/v2/samples', ...read, listSamples(options));
  router.get('/v2/samples/:id', ...read, showSample(options));
  router.get('/v2/resources', ...read, listResources(options));
  router.get('/v2/resources/*id', ...read, showResource(options));
}

/** JSON is all there is. */
async function acceptsJson(ctx: ApiContext, next: () => Promise<unknown>): Promise<void> {
  if (ctx.accepts('application/json') === false) {
    const text = '406 Not Acceptable\n\nThe answer is application/json.';
    throw httpError('MTR_NOT_ACCEPTABLE', text, { isPlain: true });
  }
  await next();
}
