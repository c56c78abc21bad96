import { existsSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/**
 * The compiled test files of all workspaces, relative to `root`, sorted.
 * @param libvirt those that need libvirt guests (`*.libvirt.test.js`) instead of all others
 * @param words   only paths that contain one of these; all when empty
 */
export function findTestFiles(
  root: string,
  { libvirt, words }: { libvirt: boolean; words: readonly string[] },
): string[] {
  return [...compiledTests(root, false)]
    .map((file) => relative(root, file))
    .filter((file) => file.endsWith('.libvirt.test.js') === libvirt)
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
    .filter((file) => hasSource(root, file))
    .sort();
}

function* compiledTests(folder: string, inDist: boolean): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* compiledTests(path, inDist || entry.name === 'dist');
    else if (inDist && entry.name.endsWith('.test.js')) yield path;
  }
}

/** `a/dist/b.test.js` comes from `a/b.test.ts`; a build leaves files behind whose source was removed or renamed. */
function hasSource(root: string, file: string): boolean {
  const source = file.split(sep);
  source.splice(source.lastIndexOf('dist'), 1);
  return existsSync(join(root, ...source).replace(/\.js$/, '.ts'));
}
