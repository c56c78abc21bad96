import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { declaredErrors } from './docs/errors-page.ts';
import { generatedPages } from './docs/pages.ts';
import { execFileSync } from 'node:child_process';

const root = fileURLToPath(new URL('../..', import.meta.url));

void t.test('the generated pages say what the code does; `npm run docs` writes them', async (t) => {
  for (const { path, text } of await generatedPages(root)) {
    t.equal(existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : null, text, path);
  }
});

void t.test('every error that crosses a folder has a code of its own and says what it means', (t) => {
  const errors = declaredErrors(root);
  t.ok(errors.length > 10, `${errors.length} classes`);
  for (const { name, code, retryable, meaning, file } of errors) {
    t.match(code, /^MTR_[A-Z_]+$/, `${name} in ${file} has a code`);
    t.match(retryable, /^(true|false)$/, `${name} says whether it may be tried again`);
    t.ok(meaning.length > 20, `${name} says what it means`);
  }
  t.equal(new Set(errors.map(({ code }) => code)).size, errors.length, 'no code is used twice');
  t.end();
});

void t.test('links between pages lead somewhere', (t) => {
  const pages = tracked().filter((file) => file.endsWith('.md') && !file.startsWith('test/fixtures'));
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8').replace(/```[\s\S]*?```/g, '');
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)) {
      t.ok(existsSync(join(root, dirname(page), target)), `${page} -> ${target}`);
    }
  }
  t.end();
});

void t.test('the tree speaks of the project alone', (t) => {
  const forbidden = /(^|[^A-Za-z0-9_.])\/(work|farm)\/|https?:\/\/(registry|deb|security)\.[a-z]+\.org/;
  for (const file of tracked().filter((name) => !/package-lock\.json$|^test\/docs\.test\.ts$/.test(name))) {
    if (existsSync(join(root, file)))
      t.notMatch(readFileSync(join(root, file), 'utf8').slice(0, 2_000_000), forbidden, file);
  }
  t.end();
});

/** The files that git knows; in an unpacked archive there are none to look at, which the first assertion would show. */
function tracked(): string[] {
  return execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((name) => name !== '');
}
