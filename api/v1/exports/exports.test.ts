import { createHash } from 'node:crypto';
import { NephometerClient, NephometerError } from '@nephometer/client';
import { HOUR } from '@nephometer/core';
import t from 'tap';
import { sampleOf, startApi, TOKENS } from '../../kit.test.fixture.ts';
import type { Kit, Who } from '../../kit.test.fixture.ts';

const SAMPLES = ['p1', 'p2'].flatMap((project) =>
  [0, 10, 20, 50].map((minute) =>
    sampleOf({
      meter: 'lb.connections',
      unit: 'connection',
      resource: `lb-${project}`,
      project,
      volume: '6',
      at: `10:${String(minute).padStart(2, '0')}:00`,
      metadata: { name: project === 'p1' ? '=1+1' : `lb-${project}` },
    }),
  ),
);

const ASKED = {
  meter: 'lb.connections',
  kind: 'integral',
  from: '2026-03-01T10:00:00Z',
  to: '2026-03-01T11:00:00Z',
  window: 'hour',
  group_by: ['project_id', 'resource_id', 'metadata.name'],
} as const;

async function kitOf(t: Parameters<typeof startApi>[0]) {
  const kit = await startApi(t, { samples: SAMPLES });
  kit.clock.jump(HOUR);
  return kit;
}

function clientOf({ api }: Kit, who: Who = 'admin'): NephometerClient {
  return new NephometerClient({ url: api.url, token: TOKENS[who] });
}

t.test('an export of a meter and a kind has the lines that /v1/usage has of them', async (t) => {
  const kit = await kitOf(t);
  const client = clientOf(kit);
  const { id, question, as_of: asOf } = await client.createExport({ body: { ...ASKED, format: 'ndjson' } });
  t.match(question.definitions, [{ name: 'integral(lb.connections)', meter: 'lb.connections', kind: 'integral' }]);
  const [part] = (await client.showExportPartition({ id, name: '2026-03-01' })).parts;
  const text = await textOf(await client.showExportPart({ id, file: part?.file ?? '' }));
  const rows = text.trimEnd().split('\n');
  const { lines, definition } = await client.showUsage({ ...ASKED, as_of: asOf });
  t.equal(definition.hash, question.definitions[0]?.hash);
  t.strictSame(
    rows.map((row) => [(JSON.parse(row) as Row).quantity, (JSON.parse(row) as Row).id]),
    lines.map(({ quantity, id: line }) => [quantity, line]),
  );
  t.equal(rows.length, 2);
  const again = await client.createExport({ body: { ...ASKED, format: 'ndjson', as_of: asOf } });
  t.equal(again.id, id, 'the same question as of the same moment');
  for (const [body, detail] of [
    [{ ...ASKED, kind: undefined }, /kind: found nothing/],
    [{ ...ASKED, meter: undefined }, /meter: found nothing/],
    [{ ...ASKED, definitions: ['instance_hours'] }, /meter: found beside definitions/],
  ] as const) {
    const refused: unknown = await client.createExport({ body }).catch((cause: unknown) => cause);
    t.match(refused, { status: 400, message: detail });
  }
});

interface Row {
  readonly quantity: string;
  readonly id: string;
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

t.test('the client gives the bytes of a file, those of its SHA-256', async (t) => {
  const client = clientOf(await kitOf(t));
  for (const format of ['csv', 'parquet'] as const) {
    const { id } = await client.createExport({ body: { ...ASKED, format } });
    const { parts } = await client.showExportPartition({ id, name: '2026-03-01' });
    const [part] = parts;
    const stream = await client.showExportPart({ id, file: part?.file ?? '' });
    const bytes = Buffer.from(await new Response(stream).arrayBuffer());
    t.equal(bytes.length, part?.bytes, format);
    t.equal(createHash('sha256').update(bytes).digest('hex'), part?.sha256, format);
    await t.rejects(client.showExportPart({ id, file: 'none.csv' }), NephometerError, 'an error is no stream');
  }
});

t.test('exports are listed, newest first, page after page, to whom they may concern', async (t) => {
  const kit = await kitOf(t);
  const ids: string[] = [];
  const make = async (body: object, who: Who = 'admin'): Promise<string> => {
    kit.clock.jump(1_000_000);
    const { id } = await clientOf(kit, who).createExport({ body: { ...ASKED, ...body } });
    ids.unshift(id);
    return id;
  };
  await make({});
  const own = await make({}, 'reader');
  const filtered = await make({ project_id: 'p1' });
  await make({ project_id: ['p1', 'p2'] });
  const client = clientOf(kit);
  const seen: string[] = [];
  for await (const { id } of client.eachExport({ limit: 1 })) seen.push(id);
  t.strictSame(seen, ids);
  const page = await client.listExports({ limit: 3 });
  t.strictSame(
    page.exports.map(({ id }) => id),
    ids.slice(0, 3),
  );
  const late = await make({ part_rows: 7 });
  const rest = await client.listExports({ cursor: page.next ?? '' });
  t.strictSame(
    rest.exports.map(({ id }) => id),
    ids.slice(4),
    'what came since does not move the pages',
  );
  t.match(page.exports[0], {
    definitions: [{ name: 'integral(lb.connections)' }],
    from: '2026-03-01T10:00:00Z',
    to: '2026-03-01T11:00:00Z',
    format: 'csv',
    outdated: false,
    asked: { project_id: ['p1', 'p2'] },
  });
  const readers: string[] = [];
  for await (const { id } of clientOf(kit, 'reader').eachExport()) readers.push(id);
  t.strictSame(readers, [filtered, own], 'of its own projects alone');
  t.strictSame((await clientOf(kit, 'user').listExports()).exports, [], 'nor those of all users of a project');
  t.equal((await kit.get('/v1/exports', 'writer')).status, 403);
  t.equal((await kit.get('/v1/exports?cursor=x')).status, 400);
  t.ok(late);
});

t.test('exports of one moment are all listed, however few are read at once', async (t) => {
  const kit = await kitOf(t);
  const client = clientOf(kit);
  const ids = new Set<string>();
  for (let rows = 1; rows <= 5; rows++)
    ids.add((await client.createExport({ body: { ...ASKED, part_rows: rows } })).id);
  const listed: string[] = [];
  for await (const { id } of client.eachExport({ limit: 2 })) listed.push(id);
  t.equal(listed.length, 5);
  t.strictSame(new Set(listed), ids);
});

t.test('rows of a meter that is not known here are whole rows of FOCUS, too', async (t) => {
  const client = clientOf(await kitOf(t));
  const { id } = await client.createExport({ body: { ...ASKED, format: 'ndjson', shape: 'focus' } });
  const text = await textOf(await client.showExportPart({ id, file: '2026-03-01.0001.ndjson' }));
  const rows = text.trimEnd().split('\n');
  t.match(JSON.parse(rows[0] ?? ''), {
    ResourceType: 'Lb',
    ResourceName: '=1+1',
    ServiceCategory: 'Other',
    ConsumedUnit: 'Connection-Hours',
    SkuMeter: 'integral(lb.connections)',
    Tags: null,
  });
  t.match(
    JSON.parse(rows[1] ?? ''),
    { ResourceId: 'lb-p2', ResourceName: null },
    'a name that says the id again is none',
  );
  const half = { ...ASKED, shape: 'focus', from: '2026-03-01T10:00:00.5Z', window: 'none' } as const;
  await t.rejects(client.createExport({ body: half }), { status: 400, message: /whole seconds would be right/ });
});

t.test('CSV of /v1/usage: not known is empty, formulas are guarded when asked for, gaps are counted', async (t) => {
  const kit = await kitOf(t);
  const text = async (more = ''): Promise<string[]> => {
    const asked = `meter=lb.connections&kind=integral&from=${ASKED.from}&to=${ASKED.to}&group_by=metadata.name,user_id`;
    const { text: body, status } = await kit.get(`/v1/usage?${asked}${more}`, 'admin', { Accept: 'text/csv' });
    t.equal(status, 200);
    return body.trimEnd().split('\n');
  };
  const plain = await text();
  t.match(plain[0], /^from,to,metadata\.name,user_id,quantity,unit,.*,as_of,id$/);
  t.match(plain[1], /,=1\+1,u1,/, 'as it is');
  const guarded = await text('&guard_formulas=true');
  t.match(guarded[1], /,'=1\+1,u1,/);
  t.equal(guarded[2], plain[2]);
  const gaps = await text('&gaps=true&max_hold=5m&rounding=resource,ceil,1');
  t.match(gaps[0], /,unrounded,gaps,gap_reasons,as_of,id$/);
  t.match(gaps[1], /,[1-9]\d*,[a-z-]+(;[a-z-]+)*,2026-03-01T/);
});
