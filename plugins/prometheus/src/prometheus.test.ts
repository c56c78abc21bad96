import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { checkPollster, goldenCases, pollPlugin } from '@nephometer/core/plugin/testing';
import type { PreparedCase } from '@nephometer/core/plugin/testing';
import { ExpositionError, parseExposition } from './exposition.ts';
import prometheus from './prometheus.ts';

const EXPOSITION = `# HELP http_requests_total The total, with a \\\\ and a\\nline.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"} 9007199254740993

# TYPE node_filesystem_free_bytes gauge
node_filesystem_free_bytes{device="C:\\\\DIR\\\\F",mount="say \\"hi\\"\\n"} 1.5e+06
# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.5"} NaN
rpc_duration_seconds{quantile="0.9"} 9001e-3
rpc_duration_seconds_sum 1.7560473e+07
rpc_duration_seconds_count 2693
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.1"} 24054
wait_seconds_bucket{le="+Inf"} 144320
wait_seconds_sum 53423.5
wait_seconds_count 144320
wait_seconds_created 1520872607.123
# TYPE build info
build_info{version="1"} 1
untyped_thing +.5
something_total 3
{"utf8.name","the label"="v"} -007.50
# EOF
after_the_end 1
`;

/** A web server that answers each path with its text; a number is a status. */
async function exporter(
  t: { teardown(end: () => unknown): void },
  paths: Record<string, string | number>,
): Promise<string> {
  const server = createServer((request, response) => {
    const answer = paths[request.url ?? ''];
    response.statusCode = typeof answer === 'string' ? 200 : (answer ?? 404);
    response.end(typeof answer === 'string' ? answer : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Serves the exposition of a case. */
async function serveCase(input: string): Promise<PreparedCase> {
  const ends: (() => unknown)[] = [];
  const teardown = (end: () => unknown): void => void ends.push(end);
  const url = await exporter({ teardown }, { '/metrics': readFileSync(join(input, 'metrics'), 'utf8') });
  return { variables: { url }, close: () => ends.forEach((end) => end()) };
}

void t.test('recorded expositions give the expected readings', async (t) => {
  for (const { name, check } of await goldenCases(prometheus, new URL('../cases/', import.meta.url), {
    prepare: serveCase,
  })) {
    await t.resolves(check(), name);
  }
});

void t.test('both text formats are read to the last digit, up to EOF', (t) => {
  const samples = [...parseExposition(EXPOSITION)];
  const byName = (name: string): string[] => samples.filter((sample) => sample.name === name).map(({ value }) => value);
  t.same(byName('http_requests_total'), ['1027', '9007199254740993']);
  t.same(byName('node_filesystem_free_bytes'), ['1.5e+06']);
  t.same(byName('untyped_thing'), ['0.5'], 'a spelling that JSON has not is made one that it has');
  t.same(byName('utf8.name'), ['-7.50']);
  t.same(byName('after_the_end'), []);
  const file = samples.find(({ name }) => name === 'node_filesystem_free_bytes');
  t.equal(file?.labels.get('device'), 'C:\\DIR\\F');
  t.equal(file?.labels.get('mount'), 'say "hi"\n');
  t.equal(samples[0]?.help, 'The total, with a \\ and a\nline.');
  t.end();
});

void t.test('what is not an exposition is refused with line, column and what would be right', (t) => {
  const cases: [string, RegExp][] = [
    ['ok 1\n<html>', /line 2: expected a metric name at column 1; found "<html>"/],
    ['a{b=c} 1', /expected a label value in double quotes/],
    ['a{b="c" d="e"} 1', /expected ',' or '}'/],
    ['a{b="c",b="d"} 1', /"b" stands twice/],
    ['a{b="c"', /expected/],
    ['a one', /expected a number, NaN or Inf at column 3; found "one"/],
    ['a 0x1F', /expected a number/],
    ['# TYPE a meter', /"meter" is not a metric type/],
  ];
  for (const [text, message] of cases) {
    t.throws(() => [...parseExposition(text)], ExpositionError, text);
    t.throws(() => [...parseExposition(text)], message, text);
  }
  t.end();
});

void t.test('counters are cumulative, gauges gauges; labels that make series are in the resource id', async (t) => {
  const url = await exporter(t, { '/metrics': EXPOSITION });
  const options = {
    targets: [{ url: `${url}/metrics`, name: 'node-1', project_id: 'ops' }],
    metadata_labels: ['method'],
  };
  const { readings, failed } = await pollPlugin(prometheus, options);
  t.same(failed, []);
  const found = new Map(readings.map((reading) => [`${reading.meter} ${reading.resource_id}`, reading]));
  t.match(found.get('http_requests_total node-1{code="400"}'), {
    type: 'cumulative',
    volume: '9007199254740993',
    project_id: 'ops',
    metadata: { method: 'post', code: '400' },
  });
  t.match(found.get('node_filesystem_free_bytes node-1{device="C:\\\\DIR\\\\F",mount="say \\"hi\\"\\n"}'), {
    type: 'gauge',
    unit: 'B',
  });
  t.match(found.get('rpc_duration_seconds node-1{quantile="0.9"}'), { type: 'gauge', unit: 's' });
  t.match(found.get('rpc_duration_seconds_count node-1'), { type: 'cumulative', unit: '' });
  t.match(found.get('wait_seconds_sum node-1'), { type: 'cumulative', unit: 's' });
  t.match(found.get('something_total node-1'), { type: 'cumulative' }, 'by its name, where no TYPE says');
  t.notOk(found.has('rpc_duration_seconds node-1{quantile="0.5"}'), 'NaN says that there is nothing to say');
  t.notOk(found.has('wait_seconds_created node-1') || found.has('build_info node-1{version="1"}'));
});

void t.test('labels name project, user and resource', async (t) => {
  const url = await exporter(t, {
    '/': 'used_bytes{tenant="p1",owner="u1",vm="id-1",disk="vda"} 7\nused_bytes{tenant="",vm="",disk="x"} 8\n',
  });
  const options = {
    targets: [{ url }],
    project_label: 'tenant',
    user_label: 'owner',
    resource_label: 'vm',
    prefix: 'ext.',
  };
  const { readings } = await pollPlugin(prometheus, options);
  const [first, second] = [...readings].sort((a, b) => Number(a.volume) - Number(b.volume));
  t.match(first, {
    meter: 'ext.used_bytes',
    resource_id: 'id-1{disk="vda",owner="u1",tenant="p1"}',
    project_id: 'p1',
    user_id: 'u1',
  });
  t.match(second, { resource_id: `${new URL(url).host}{disk="x",tenant=""}`, project_id: null });
});

void t.test('a target that fails leaves the others, and is told with the reason', async (t) => {
  const url = await exporter(t, { '/good': 'a 1\n', '/bad': 'a one\n', '/large': `# ${'x'.repeat(5000)}\n` });
  const targets = ['good', 'bad', 'large', 'missing'].map((name) => ({ url: `${url}/${name}`, name }));
  const { readings, failed } = await pollPlugin(prometheus, {
    targets: [...targets, { url: 'http://127.0.0.1:1/', name: 'down' }],
    max_size: 1024,
    parallel: 2,
  });
  t.same(
    readings.map(({ resource_id: id }) => id),
    ['good'],
  );
  t.same(failed.map(({ resource_id: id }) => id).sort(), ['bad', 'down', 'large', 'missing']);
  t.match(failed.find(({ resource_id: id }) => id === 'missing')?.reason, /answered 404/);
  t.match(failed.find(({ resource_id: id }) => id === 'large')?.reason, /max_size/);
});

void t.test('a redirect is not followed, so that no exporter sends us and our token elsewhere', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/elsewhere') response.end('a 1\n');
    else response.writeHead(302, { location: '/elsewhere' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { readings, failed } = await pollPlugin(prometheus, { targets: [{ url }] });
  t.same(readings, []);
  t.match(failed[0]?.reason, /answered 302/);
});

void t.test('the contract is kept', async (t) => {
  const url = await exporter(t, { '/': 'a 1\n' });
  await checkPollster(prometheus, { options: { targets: [{ url }] } });
});
