import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { temporaryFolder } from '../servers/process.ts';
import { findTestFiles } from './files.ts';

function tree(...files: string[]): string {
  const root = temporaryFolder('nephometer-files');
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '');
  }
  return root;
}

// prettier-ignore
const ROOT = tree(
  'core/a.test.ts', 'core/dist/a.test.js',
  'bus/amqp/src/b.test.ts', 'bus/amqp/dist/src/b.test.js',
  'plugins/libvirt/c.libvirt.test.ts', 'plugins/libvirt/dist/c.libvirt.test.js',
  'core/dist/removed.test.js',
  'core/dist/a.js',
  'core/not-compiled.test.js',
  'node_modules/other/x.test.ts', 'node_modules/other/dist/x.test.js',
);

t.test('compiled tests of every workspace, but for those whose source is gone', async (t) => {
  const files = findTestFiles(ROOT, { libvirt: false, words: [] });
  t.same(files, ['bus/amqp/dist/src/b.test.js', 'core/dist/a.test.js']);
});

t.test('words choose by path', async (t) => {
  t.same(findTestFiles(ROOT, { libvirt: false, words: ['core', 'nothing'] }), ['core/dist/a.test.js']);
  t.same(findTestFiles(ROOT, { libvirt: false, words: ['nothing'] }), []);
});

t.test('tests with libvirt guests are a set of their own', async (t) => {
  t.same(findTestFiles(ROOT, { libvirt: true, words: [] }), ['plugins/libvirt/dist/c.libvirt.test.js']);
});
