/** Metrics of one process: the value by `name{labels}`. */
export type Metrics = ReadonlyMap<string, number>;

/** Reads `/metrics` of a process; null when it does not answer. */
export async function scrape(url: string, token?: string): Promise<Metrics | null> {
  try {
    const headers = token === undefined ? {} : { 'x-auth-token': token };
    const response = await fetch(`${url}/metrics`, { headers, signal: AbortSignal.timeout(5_000) });
    return response.ok ? readMetrics(await response.text()) : null;
  } catch {
    return null;
  }
}

export function readMetrics(text: string): Metrics {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const parts = /^([a-z_]+(?:\{.*\})?) (\S+)/.exec(line);
    if (parts?.[1] !== undefined) values.set(parts[1], Number(parts[2]));
  }
  return values;
}

/** The sum over all labels that contain every one of `labels` (`reason="key"`). */
export function sum(metrics: Metrics | null, name: string, ...labels: readonly string[]): number {
  let total = 0;
  for (const [key, value] of metrics ?? []) {
    const [metric = '', rest = ''] = key.split('{');
    if (metric === name && labels.every((label) => rest.includes(label))) total += value;
  }
  return total;
}
