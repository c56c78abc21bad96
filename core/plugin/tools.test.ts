import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { boundedText, Globs, matchesAny, matchesPatterns, secretIn } from './contract.ts';

void t.test('names are left out by globs: none of them leaves all', (t) => {
  t.ok(matchesAny(['veth*', 'lo'], 'veth12'));
  t.notOk(matchesAny(['veth*', 'lo'], 'lo0'), 'the whole name must match');
  t.notOk(matchesAny([], 'eth0'));
  t.ok(matchesAny(['sd[a-c]?'], 'sdb1'));
  t.ok(matchesAny(['machine-qemu\\x2d*'], 'machine-qemu\\x2d1-web.scope'), 'a backslash is a backslash');
  t.end();
});

void t.test('names are chosen by lists with exclusions', (t) => {
  t.ok(matchesPatterns(['node_*'], 'node_load1'));
  t.notOk(matchesPatterns(['node_*', '!node_scrape*'], 'node_scrape_x'));
  t.ok(matchesPatterns(['!go_*'], 'node_load1'), 'only exclusions: the rest');
  t.notOk(matchesPatterns(['go_?'], 'go_xx'));
  t.end();
});

void t.test('a glob that cannot be matched is refused with the options', (t) => {
  t.ok(Globs.safeParse(['*', '!sd?', 'a[b']).success);
  t.match(Globs.safeParse(['ok', '[z-a]']).error?.issues, [{ path: [1], message: /is no glob/ }]);
  t.end();
});

void t.test('a secret is one line of a file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'nephometer-tools-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'secret');
  await t.rejects(secretIn(file), { message: /the secret in .* cannot be read/ });
  await writeFile(file, 'hush\n');
  t.equal(await secretIn(file), 'hush');
  await writeFile(file, 'another\n');
  t.equal(await secretIn(file), 'another', 'rotated');
  await writeFile(file, 'two\nlines\n');
  const refused = await secretIn(file).catch((cause: Error) => cause.message);
  t.match(refused, /must be one line/);
  t.notMatch(refused, /two/, 'the message does not tell it');
});

void t.test('an answer is read as far as it may be long', async (t) => {
  t.equal(await boundedText(new Response('añb'), 'http://x/', 4), 'añb');
  await t.rejects(boundedText(new Response('12345'), 'http://x/', 4), {
    message: 'http://x/ answers more than max_size, 4 bytes',
  });
  await t.rejects(boundedText(new Response(new Uint8Array([0xff])), 'http://x/', 4), /answers what is not UTF-8/);
  t.equal(await boundedText(new Response(null), 'http://x/', 4), '');
});
