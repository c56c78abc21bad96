import t from 'tap';
import { s3Headers } from './s3.ts';

const KEYS = {
  accessKey: 'AKIAIOSFODNN7EXAMPLE',
  secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
};

void t.test('requests are signed as in the published examples', (t) => {
  const now = new Date('2013-05-24T00:00:00Z');
  const signature = (query: string): string | undefined =>
    s3Headers(new URL(`https://examplebucket.s3.amazonaws.com/${query}`), KEYS, now)['authorization'];
  const lead =
    'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,' +
    'SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=';
  t.equal(signature('?lifecycle'), `${lead}fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543`);
  t.equal(signature('?max-keys=2&prefix=J'), `${lead}34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7`);
  t.equal(signature('?prefix=J&max-keys=2'), signature('?max-keys=2&prefix=J'), 'whatever the order');
  t.end();
});
