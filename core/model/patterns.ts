/**
 * Filter lists as Ceilometer's polling and pipeline sources have them: names or shell globs (`*`, `?`, `[..]`, case
 * counts), `!` in front excludes. An excluded name loses first; then any include wins; a list of only exclusions
 * includes the rest.
 */
export function matchesPatterns(patterns: readonly string[], name: string): boolean {
  const excludes = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  if (excludes.some((pattern) => globToRegExp(pattern).test(name))) return false;
  const includes = patterns.filter((pattern) => !pattern.startsWith('!'));
  return includes.length === 0 || includes.some((pattern) => globToRegExp(pattern).test(name));
}

/** What is wrong with a filter list, or null. */
export function patternListProblem(patterns: readonly string[]): string | null {
  if (patterns.length === 0) return 'must name at least one meter; write "*" for all';
  const broken = patterns.find((pattern) => !isGlob(pattern));
  if (broken !== undefined)
    return `${JSON.stringify(broken)} is no glob; in [a-z] the first must not be behind the last`;
  const excludes = patterns.filter((pattern) => pattern.startsWith('!'));
  const plain = patterns.filter((pattern) => !pattern.startsWith('!') && pattern !== '*');
  if (patterns.includes('*') && plain.length > 0) return 'names both "*" and single meters; keep one of the two';
  if (excludes.length > 0 && plain.length > 0) {
    return 'mixes names with "!" names; name only what is wanted, or only what is not';
  }
  return null;
}

/** Whether a pattern, with or without `!`, can be matched. */
export function isGlob(pattern: string): boolean {
  try {
    globToRegExp(pattern.replace(/^!/, ''));
    return true;
  } catch {
    return false;
  }
}

const compiled = new Map<string, RegExp>();

/** Anchored regular expression of a shell glob. */
export function globToRegExp(glob: string): RegExp {
  const known = compiled.get(glob);
  if (known !== undefined) return known;
  const expression = new RegExp(`^${glob.replace(/\[!?[^\]]+\]|[\s\S]/g, globPart)}$`, 's');
  if (compiled.size > 10_000) compiled.clear();
  compiled.set(glob, expression);
  return expression;
}

function globPart(part: string): string {
  if (part === '*') return '.*';
  if (part === '?') return '.';
  if (part.length > 1) return `[${part.slice(1, -1).replace(/^!/, '^').replace(/\\/g, '\\\\')}]`;
  return part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
