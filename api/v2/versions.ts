import type { ApiOptions, Handler } from '../context.ts';
import { sendJson } from '../respond.ts';
import { baseUrl } from './resources.ts';

/** GET / as Keystone catalogue clients read it. */
export function listVersions({ config }: ApiOptions): Handler {
  return async (ctx) => {
    const links = [
      { href: `${baseUrl(ctx, config.api.public_url)}/v2`, rel: 'self' },
      { href: 'https://docs.openstack.org/', rel: 'describedby', type: 'text/html' },
    ];
    const media = [{ base: 'application/json', type: 'application/vnd.openstack.telemetry-v2+json' }];
    const version = { id: 'v2', links, 'media-types': media, status: 'stable', updated: '2013-02-13T00:00:00Z' };
    sendJson(ctx, JSON.stringify({ versions: { values: [version] } }));
  };
}
