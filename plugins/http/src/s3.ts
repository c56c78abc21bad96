import { createHash, createHmac } from 'node:crypto';

export interface S3Keys {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

const EMPTY_HASH = sha256('');

/**
 * Headers of a GET signed as S3 asks for it (AWS Signature Version 4), which the RADOS gateway's admin API takes too.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function s3Headers(url: URL, keys: S3Keys, now: Date): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const day = time.slice(0, 8);
  const scope = `${day}/${keys.region}/s3/aws4_request`;
  const signed = 'host;x-amz-content-sha256;x-amz-date';
  const request = [
    'GET',
    encoded(decodeURIComponent(url.pathname)).replaceAll('%2F', '/'),
    queryOf(url),
    `host:${url.host}`,
    `x-amz-content-sha256:${EMPTY_HASH}`,
    `x-amz-date:${time}`,
    '',
    signed,
    EMPTY_HASH,
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(request)].join('\n');
  const key = [day, keys.region, 's3', 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${keys.secretKey}`));
  const signature = hmac(key, text).toString('hex');
  return {
    'x-amz-content-sha256': EMPTY_HASH,
    'x-amz-date': time,
    authorization: `AWS4-HMAC-SHA256 Credential=${keys.accessKey}/${scope},SignedHeaders=${signed},Signature=${signature}`,
  };
}

/** Parameters sorted by name, then value, each encoded; one without a value has an empty one. */
function queryOf(url: URL): string {
  return [...url.searchParams]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&');
}

/** Everything but letters, digits and `-._~` as %XX. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
