/** How two lists differ as multisets, a few of each kind. Made for many thousands of texts, where a diff takes minutes. */
export function differences(
  found: Iterable<string>,
  wanted: Iterable<string>,
): { readonly missing: string[]; readonly tooMany: string[] } {
  const counts = new Map<string, number>();
  for (const text of wanted) counts.set(text, (counts.get(text) ?? 0) - 1);
  for (const text of found) counts.set(text, (counts.get(text) ?? 0) + 1);
  const where = (is: (count: number) => boolean): string[] => {
    return [...counts].filter(([, count]) => is(count)).map(([text, count]) => `${text} (${Math.abs(count)})`);
  };
  return { missing: few(where((count) => count < 0)), tooMany: few(where((count) => count > 0)) };
}

export const NO_DIFFERENCE = { missing: [], tooMany: [] };

const SHOWN = 10;

function few(texts: readonly string[]): string[] {
  return texts.length <= SHOWN ? [...texts] : [...texts.slice(0, SHOWN), `and ${texts.length - SHOWN} more`];
}
