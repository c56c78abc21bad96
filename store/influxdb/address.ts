/** Where an InfluxDB is, as `store.url` says it. */
export interface InfluxAddress {
  readonly api: 1 | 2;
  /** `http://host:port`, without a final slash. */
  readonly origin: string;
  /** Database of 1.x, bucket of 2.x. */
  readonly database: string;
  /** Organisation of 2.x. */
  readonly org: string | null;
  readonly user: string | null;
}

const SCHEMES: Readonly<Record<string, readonly [api: 1 | 2, scheme: string]>> = {
  'influxdb:': [1, 'http'],
  'influxdbs:': [1, 'https'],
  'influxdb2:': [2, 'http'],
  'influxdb2s:': [2, 'https'],
};

/**
 * Reads `influxdb://[user@]host:8086/database` (`influxdbs:` for TLS) and `influxdb2://host:8086/ORG/BUCKET` (`influxdb2s:`).
 * @throws RangeError that says what was found and what would be right
 */
export function parseInfluxUrl(text: string): InfluxAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  const known = url === null ? undefined : SCHEMES[url.protocol];
  if (url === null || known === undefined || url.hostname === '') throw wrongUrl(text);
  if (url.password !== '') {
    throw new RangeError('The store URL holds a password; put it into the file that store.secret_file names.');
  }
  const [api, scheme] = known;
  const path = url.pathname.split('/').filter((part) => part !== '');
  if (path.length !== api) throw wrongUrl(text);
  const names = path.map((part) => decodeURIComponent(part));
  return {
    api,
    origin: `${scheme}://${url.hostname}:${url.port === '' ? '8086' : url.port}`,
    database: names.at(-1) ?? '',
    org: api === 2 ? (names[0] ?? '') : null,
    user: url.username === '' ? null : decodeURIComponent(url.username),
  };
}

function wrongUrl(text: string): RangeError {
  const found = JSON.stringify(text.replace(/:[^:@/]*@/, ':***@').slice(0, 200));
  return new RangeError(
    `Found the store URL ${found}; influxdb://[user@]host:8086/database or influxdb2://host:8086/ORG/BUCKET would be right.`,
  );
}
