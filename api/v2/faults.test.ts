import t from 'tap';
import { faultOf, sampleOf, startApi } from '../kit.test.fixture.ts';

const one = [sampleOf({ meter: 'cpu', resource: 'r1' })];

/** Question, status, how the text begins. The rows of the table in Ceilometer's documentation and their neighbours. */
const FAULTS: readonly [path: string, status: number, text: string][] = [
  [
    '/v2/samples?q.field=colour&q.value=blue',
    400,
    `Unknown argument: "colour": unrecognized field in query: [<Query u'colour' 'eq' u'blue' None>], valid keys: ` +
      `['message_id', 'meter', 'project', 'resource', 'search_offset', 'source', 'timestamp', 'user']`,
  ],
  ['/v2/meters?q.field=meter&q.value=cpu', 400, 'Unknown argument: "meter": unrecognized field in query: ['],
  ['/v2/resources?q.field=message_id&q.value=x', 400, 'Unknown argument: "message_id": unrecognized field in query: ['],
  [
    '/v2/meters?q.field=timestamp&q.op=gt&q.value=2026-01-01T00:00:00',
    400,
    'Unknown argument: "timestamp": not valid for this resource',
  ],
  [
    '/v2/samples?q.field=user_id&q.op=ne&q.value=u1',
    400,
    "Invalid input for field/attribute op. Value: 'ne'. unimplemented operator for user_id",
  ],
  [
    '/v2/samples?q.field=metadata.a&q.op=gt&q.value=1',
    400,
    "Invalid input for field/attribute op. Value: 'gt'. unimplemented operator for metadata.a",
  ],
  [
    '/v2/samples?q.field=timestamp&q.op=eq&q.value=2026-01-01T00:00:00',
    400,
    "Invalid input for field/attribute op. Value: 'eq'. unimplemented operator for timestamp",
  ],
  [
    '/v2/samples?q.field=user_id&q.op=like&q.value=u1',
    400,
    "Invalid input for field/attribute op. Value: 'like'. Value should be one of: lt, le, eq, ne, ge, gt",
  ],
  [
    '/v2/samples?q.field=timestamp&q.op=gt&q.value=yesterday',
    400,
    "Invalid input for field/attribute timestamp. Value: 'yesterday'. invalid timestamp format",
  ],
  [
    '/v2/samples?q.field=search_offset&q.value=5',
    400,
    "Invalid input for field/attribute field. Value: 'search_offset'. search_offset cannot be used without timestamp",
  ],
  [
    '/v2/samples?q.field=metadata.a&q.type=blob&q.value=x',
    400,
    "The data type blob is not supported. The supported data type list is: ['integer', 'float', 'string', 'boolean', 'datetime']",
  ],
  [
    '/v2/samples?q.field=metadata.a&q.type=integer&q.value=many',
    400,
    'Unable to convert the value many to the expected data type integer.',
  ],
  [
    '/v2/samples?q.field=metadata.a&q.type=boolean&q.value=perhaps',
    400,
    'Unable to convert the value perhaps to the expected data type boolean.',
  ],
  [
    '/v2/samples?limit=ten',
    400,
    "Invalid input for field/attribute limit. Value: 'ten'. unable to convert to int. Error: invalid literal for int()",
  ],
  ['/v2/samples?limit=0', 400, 'Limit must be positive'],
  ['/v2/meters?limit=-1', 400, 'Limit must be positive'],
  ['/v2/resources?limit=0', 400, 'Limit must be positive'],
  ['/v2/meters/cpu?limit=0', 400, 'Limit must be positive'],
  ['/v2/samples?colour=blue', 400, 'Unknown argument: "colour"'],
  ['/v2/samples?q.colour=blue', 400, 'Unknown argument: "q.colour"'],
  ['/v2/meters/cpu/statistics?limit=1', 400, 'Unknown argument: "limit"'],
  ['/v2/samples/some-id?limit=1', 400, 'Unknown argument: "limit"'],
  [
    '/v2/meters/cpu/statistics?period=hour',
    400,
    "Invalid input for field/attribute period. Value: 'hour'. unable to convert to int",
  ],
  ['/v2/meters/cpu/statistics?period=-1', 400, 'Period must be positive.'],
  ['/v2/meters/cpu/statistics?groupby=flavor', 400, `Unknown argument: "set([u'flavor'])": Invalid groupby fields`],
  ['/v2/meters/cpu/statistics?aggregate.func=median', 400, 'Invalid aggregation function: median'],
  ['/v2/meters/cpu/statistics?aggregate.func=cardinality', 400, 'Invalid aggregation function: cardinality'],
  ['/v2/samples/nowhere', 404, 'Sample nowhere Not Found'],
  ['/v2/resources/no%2Fwhere', 404, 'Resource no/where Not Found'],
];

t.test('every fault has the status and the text that clients of Ceilometer know', async (t) => {
  const { get } = await startApi(t, { samples: one });
  for (const [path, status, text] of FAULTS) {
    const answer = await get(path);
    t.equal(answer.status, status, path);
    t.ok(faultOf(answer).startsWith(text), `${path}: ${faultOf(answer)}`);
    const faultcode = 'Client';
    t.strictSame(answer.json, { error_message: { debuginfo: null, faultcode, faultstring: faultOf(answer) } }, path);
  }
});

t.test('a reader who asks for another project is refused, not shown an empty list', async (t) => {
  const { get } = await startApi(t, { samples: one });
  for (const path of ['/v2/samples', '/v2/meters', '/v2/resources', '/v2/meters/cpu', '/v2/meters/cpu/statistics']) {
    for (const field of ['project', 'project_id']) {
      const answer = await get(`${path}?q.field=${field}&q.value=p2`, 'reader');
      t.equal(answer.status, 401, path);
      t.equal(faultOf(answer), 'Not Authorized to access project p2');
    }
  }
  t.equal((await get('/v2/samples?q.field=project_id&q.value=p1', 'reader')).status, 200);
  const other = await get('/v2/samples?q.field=user_id&q.value=u2', 'user');
  t.equal(other.status, 401);
  t.equal(faultOf(other), 'Not Authorized to access user u2');
});

t.test('a path that does not exist, a wrong method and a wrong Accept have the error in plain text', async (t) => {
  const { get, send } = await startApi(t);
  const missing = await get('/v2/nothing');
  t.equal(missing.status, 404);
  t.match(missing.json, { error_message: /^404 Not Found/ });
  const method = await send('DELETE', '/v2/meters/cpu');
  t.equal(method.status, 405);
  t.equal(method.headers.get('allow'), 'GET, HEAD, POST');
  t.match(method.json, { error_message: /^405 Method Not Allowed/ });
  const accept = await get('/v2/meters', 'admin', { Accept: 'application/xml' });
  t.equal(accept.status, 406);
  t.match(accept.json, { error_message: /^406 Not Acceptable/ });
  for (const later of ['/v2/events', '/v2/event_types', '/v2/alarms']) t.equal((await get(later)).status, 404, later);
  t.equal((await send('POST', '/v2/query/samples', {})).status, 404);
});
