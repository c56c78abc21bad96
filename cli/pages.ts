import type { ApiClient, QueryPairs } from './client.ts';

/** The most rows that a page is asked for. */
export const PAGE = 1000;

/**
 * All pages of a list, as of the moment of the first.
 * @param rowsOf the rows of a page
 * @param limit the most rows that are wanted
 */
export async function allPages<Page extends { readonly next: string | null }, Row>(
  client: ApiClient,
  path: string,
  query: QueryPairs,
  rowsOf: (page: Page) => readonly Row[],
  limit = Infinity,
): Promise<{ readonly page: Page; readonly rows: Row[] }> {
  const rows: Row[] = [];
  for (let cursor: QueryPairs = []; ;) {
    const size = Math.min(PAGE, limit - rows.length);
    const page = await client.get<Page>(path, [...query, ['limit', String(size)], ...cursor]);
    rows.push(...rowsOf(page));
    if (page.next === null || rows.length >= limit) return { page, rows };
    cursor = [['cursor', page.next]];
  }
}
