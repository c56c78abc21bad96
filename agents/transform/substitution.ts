/**
 * Regular expressions and replacements as Ceilometer's pipeline files spell them (Python's): `(?P<name>...)`, `\1`,
 * `\g<1>`, `\g<name>`. Every match is replaced; a text without a match stays as it is.
 */

/** @throws SyntaxError when it is not a regular expression */
export function regExp(source: string): RegExp {
  return new RegExp(source.replaceAll('(?P<', '(?<').replace(/\(\?P=(\w+)\)/g, '\\k<$1>'), 'g');
}

/** The replacement text in JavaScript's spelling. */
export function replacement(text: string): string {
  return text
    .replaceAll('$', '$$$$')
    .replace(/\\g<(\w+)>/g, (_all, group: string) => (/^\d+$/.test(group) ? `$${group}` : `$<${group}>`))
    .replace(/\\(\d{1,2})/g, '$$$1');
}
