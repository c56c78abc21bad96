import type { Operation, Parameter } from '../openapi/types.ts';

/** Stands in the page where the server's own address will stand. */
export const ORIGIN = '{{origin}}';

/** A request as a shell takes it: one line, or one argument a line where there is a body. */
export function curlOf(method: string, path: string, operation: Operation, parameters: readonly Parameter[]): string {
  const filled = path.replace(/\{(\w+)\}/g, (_all, name: string) => {
    const example = parameters.find((one) => one.in === 'path' && one.name === name)?.example;
    return encodeURIComponent(example ?? name.toUpperCase());
  });
  const query = operation['x-query'] === undefined ? '' : `?${operation['x-query']}`;
  const verb = method === 'get' ? [] : [`-X ${method.toUpperCase()}`];
  const token = operation.security?.length === 0 ? [] : ['-H "X-Auth-Token: $TOKEN"'];
  const body = operation.requestBody?.content['application/json'];
  const sent =
    body === undefined
      ? []
      : ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body.example ?? {}))}`];
  const parts = [...verb, ...token, ...sent, quoted(`${ORIGIN}${filled}${query}`)];
  return `curl ${parts.join(sent.length === 0 ? ' ' : ' \\\n  ')}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
