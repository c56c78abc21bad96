import type { Asking } from './api.ts';

/** One documented request: `GET /v1/...` in a block `request`, and what it is answered in the block `answer` behind it. */
export interface Documented {
  readonly request: string;
  readonly answer: string;
}

const BLOCK = /```request\nGET (\S+)\n```\n\n```answer\n([\s\S]*?)```/g;

export function documentedRequests(page: string): Documented[] {
  return [...page.matchAll(BLOCK)].map(([, request = '', answer = '']) => ({ request, answer }));
}

/** Rows of a list that the page shows. */
const SHOWN = 2;

/** Depend on the version of the zone rules that this machine has. */
const OWN = new Set(['tzdata', 'digest', 'signature']);

function withoutDigest(name: string, value: unknown): unknown {
  return name === 'digest' ? undefined : value;
}

/** The answer as the page shows it: the first rows, and how many follow; versions of the machine's own are left out. */
export function excerpt(text: string): string {
  const answer: unknown = JSON.parse(text);
  const shown = Object.entries(answer as Record<string, unknown>).flatMap(([name, value]): [string, unknown][] => {
    if (OWN.has(name)) return [];
    if (!Array.isArray(value) || value.length <= SHOWN) return [[name, value]];
    return [[name, [...(value as unknown[]).slice(0, SHOWN), `... and ${value.length - SHOWN} more`]]];
  });
  return `${JSON.stringify(Object.fromEntries(shown), withoutDigest, 1)}\n`;
}

/** The page with the answers as they are. */
export async function withAnswers(page: string, api: Asking): Promise<string> {
  let filled = page;
  for (const { request, answer } of documentedRequests(page)) {
    const { status, text } = await api.get(request);
    if (status !== 200) throw new Error(`${request}: ${status} ${text}`);
    filled = filled.replace(
      `GET ${request}\n\`\`\`\n\n\`\`\`answer\n${answer}\`\`\``,
      () => `GET ${request}\n\`\`\`\n\n\`\`\`answer\n${excerpt(text)}\`\`\``,
    );
  }
  return filled;
}
