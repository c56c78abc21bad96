import { createHash } from 'node:crypto';
import { request } from 'node:http';
import t from 'tap';
import { startApi } from '../kit.test.fixture.ts';
import { openApiDocument } from '../openapi/document.ts';
import type { OpenApiDocument, Operation } from '../openapi/types.ts';
import { V1_ROUTES } from '../v1/routes.ts';
import { curlOf } from './curl.ts';
import { docsPage } from './page.ts';

const document = openApiDocument(V1_ROUTES);

t.test('the page shows every operation, parameter, property and error of the document, without a script', async (t) => {
  const { get } = await startApi(t);
  const answer = await get('/docs', null);
  t.equal(answer.status, 200, 'no token is needed');
  t.match(answer.headers.get('content-type'), /^text\/html/);
  const page = answer.text.replace(/<script>[\s\S]*<\/script>/, '');
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const { operationId, parameters = [] } of Object.values(methods)) {
      const article = page.split(`<article id="${operationId}">`)[1]?.split('</article>')[0] ?? '';
      t.ok(article.includes(`<code>${path}</code>`), operationId);
      for (const one of parameters) {
        const name = '$ref' in one ? (one.$ref.split('/').at(-1) ?? '') : one.name;
        t.ok(article.includes(name), `${operationId}: ${name}`);
      }
      t.match(article, /curl [\s\S]*http:\/\/127\.0\.0\.1:\d+\/v1/, `${operationId}: a request to try, to this server`);
    }
  }
  t.match(page, /MTR_NOT_FOUND/);
  t.match(page, /<code>counter_volume<\/code>/);
  t.equal(page.match(/<table/g)?.length, page.match(/<\/table>/g)?.length);
});

t.test('the page brings all that it needs, and the policy allows that alone', async (t) => {
  const { get } = await startApi(t);
  const { text, headers } = await get('/docs', null);
  const policy = headers.get('content-security-policy') ?? '';
  t.match(policy, /^default-src 'none'/);
  t.notMatch(policy, /unsafe/);
  for (const name of ['style', 'script']) {
    const content = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(text)?.[1] ?? '';
    const digest = createHash('sha256').update(content).digest('base64');
    t.ok(content.length > 100 && policy.includes(`${name}-src 'sha256-${digest}'`), `${name} is what the policy names`);
  }
  t.notMatch(
    text,
    /<(link|img|iframe)\b|\ssrc=|\sstyle=|\son\w+=|@import|url\(/,
    'nothing from elsewhere, nothing inline',
  );
  const targets = [...text.matchAll(/href="#([^"]+)"/g)].map(([, id = '']) => id);
  for (const id of new Set(targets)) t.ok(text.includes(`id="${id}"`), `#${id} is on the page`);
});

t.test('a Host header does not get into the commands unless it is a plain address', async (t) => {
  const { api } = await startApi(t);
  const page = await withHost(api.url, `evil'$(id)`);
  t.notMatch(page, /evil/);
  t.match(page, /curl .*http:\/\/127\.0\.0\.1:8777\/v1/);
  t.match(await withHost(api.url, 'meter.example:8777'), /curl .*http:\/\/meter\.example:8777\/v1/);
});

function withHost(url: string, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/docs`, { headers: { Host: host } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve(text));
    });
    asked.on('error', reject);
    asked.end();
  });
}

t.test('what a description says is text', (t) => {
  const hostile = '<script>alert(1)</script> & `<b>`';
  const operation: Operation = { operationId: 'x', tags: ['t'], summary: hostile, description: hostile, responses: {} };
  const page = docsPage({
    ...document,
    tags: [{ name: 't', description: hostile }],
    paths: { '/v1/x': { get: operation } },
  });
  t.notMatch(page, /<script>alert|<b>/);
  t.match(page, /&lt;script&gt;alert\(1\)&lt;\/script&gt; &amp; <code>&lt;b&gt;<\/code>/);
  t.end();
});

t.test('a schema that holds itself ends', (t) => {
  const schemas: OpenApiDocument['components']['schemas'] = {
    Node: { type: 'object', properties: { children: { type: 'array', items: { $ref: '#/components/schemas/Node' } } } },
  };
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Node' } } };
  const responses = { 200: { description: 'A tree.', content } };
  const operation: Operation = { operationId: 'x', tags: ['t'], summary: 'X', description: 'X.', responses };
  const components = { ...document.components, schemas };
  const page = docsPage({
    ...document,
    components,
    tags: [{ name: 't', description: '' }],
    paths: { '/x': { get: operation } },
  });
  t.match(page, /children/);
  t.end();
});

t.test('a command is one that a shell takes as it is meant', (t) => {
  const body = { example: { why: "it's" }, schema: {} };
  const operation: Operation = {
    operationId: 'x',
    tags: [],
    summary: '',
    description: '',
    responses: {},
    requestBody: { required: true, content: { 'application/json': body } },
  };
  const command = curlOf('post', '/v1/things/{id}', operation, []);
  t.equal(
    command,
    `curl -X POST \\\n  -H "X-Auth-Token: $TOKEN" \\\n  -H 'Content-Type: application/json' \\\n` +
      `  -d '{"why":"it'\\''s"}' \\\n  '{{origin}}/v1/things/ID'`,
  );
  t.end();
});
