import type { ApiClient, QueryPairs } from './client.ts';

/** The most rows that a page is asked for. */
const PAGE = 1000;

/**
 * All pages of a list, as of the moment of the first.
 * @param rowsOf the rows of a page
 * @param limit the most rows that are wanted
 * @param place the field in which `next` is given back
 */
export async function allPages<Page extends { readonly next: string | null }, Row>(
  client: ApiClient,
  path: string,
  query: QueryPairs,
  rowsOf: (page: Page) => readonly Row[],
  limit = Infinity,
  place: 'cursor' | 'before' = 'cursor',
): Promise<{ readonly page: Page; readonly rows: Row[] }> {
  const rows: Row[] = [];
  for (let asked = query; ;) {
    const size = Math.min(PAGE, limit - rows.length);
    const page = await client.get<Page>(path, [...asked, ['limit', String(size)]]);
    rows.push(...rowsOf(page));
    if (page.next === null || rows.length >= limit) return { page, rows };
    asked = [...query.filter(([field]) => field !== place), [place, page.next]];
  }
}
