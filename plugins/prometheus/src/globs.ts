const compiled = new Map<string, RegExp>();

/** Whether a name is wanted: `!` in front leaves out and wins; a list of only exclusions takes the rest. */
export function matchesGlobs(globs: readonly string[], name: string): boolean {
  const excluded = globs.filter((glob) => glob.startsWith('!'));
  if (excluded.some((glob) => expression(glob.slice(1)).test(name))) return false;
  return excluded.length === globs.length || globs.some((glob) => !glob.startsWith('!') && expression(glob).test(name));
}

function expression(glob: string): RegExp {
  let known = compiled.get(glob);
  if (known === undefined) {
    const escaped = glob
      .replace(/[\\^$.+()[\]{}|]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    known = new RegExp(`^${escaped}$`, 's');
    compiled.set(glob, known);
  }
  return known;
}
