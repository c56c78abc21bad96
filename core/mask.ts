/** The whole configuration as plain values, with everything that may be a secret shown as `***`. */
export function maskSecrets(config: object): Readonly<Record<string, unknown>> {
  const mask = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') return maskText(value, key);
    if (Array.isArray(value)) return value.map((item) => mask(item, key));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, below]) => [name, mask(below, name)]));
  };
  return Object.freeze(mask(config, '') as Record<string, unknown>);
}

const SECRET_KEY =
  /(password|passphrase|secret|token|hash|authorization|cookie|credentials?|(api|access|secret|private|auth|master|account)[_-]?key)$/i;
const URL_PASSWORD = /(:\/\/[^:/@\s]*):[^@/\s]*@/g;
const URL_PARAMETER = /([?&][^=&#\s]*(?:key|token|secret|password|signature|auth)[^=&#\s]*=)[^&#\s]*/gi;

/** A value of this key as it may be shown: its secrets, and those in a URL, are `***`. */
function maskText(value: string, key: string): string {
  if (SECRET_KEY.test(key)) return '***';
  return value.replace(URL_PASSWORD, '$1:***@').replace(URL_PARAMETER, '$1***');
}
