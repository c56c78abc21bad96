import type { ApiContext } from '../context.ts';
import { sendJson } from '../respond.ts';
import { UrlArguments } from './arguments.ts';

const ANSWERED = [
  'meters:query:simple',
  'meters:query:metadata',
  'resources:query:simple',
  'resources:query:metadata',
  'samples:query:simple',
  'samples:query:metadata',
  'statistics:groupby',
  'statistics:query:simple',
  'statistics:query:metadata',
  'statistics:aggregation:standard',
  ...['max', 'min', 'sum', 'avg', 'count', 'stddev', 'cardinality'].map(
    (f) => `statistics:aggregation:selectable:${f}`,
  ),
];
const NOT_ANSWERED = [
  'samples:query:complex',
  'events:query:simple',
  'alarms:query:simple',
  'alarms:query:complex',
  'alarms:history:query:simple',
  'alarms:history:query:complex',
];
const TEXT = JSON.stringify({
  api: Object.fromEntries([...ANSWERED.map((name) => [name, true]), ...NOT_ANSWERED.map((name) => [name, false])]),
  storage: { 'storage:production_ready': true },
});

/** GET /v2/capabilities */
export async function showCapabilities(ctx: ApiContext): Promise<void> {
  void new UrlArguments(ctx.querystring, []);
  sendJson(ctx, TEXT);
}
