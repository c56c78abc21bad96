import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { JsonNumber, parseJson } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { NotVerifiable, signedText, signMessage, verifyMessage } from './ceilometer.ts';

interface Vector {
  readonly id: string;
  readonly note: string;
  readonly secret: string;
  /** The raw text on the wire. */
  readonly message_json: string;
  readonly signature: string;
  /** Whether real Ceilometer accepts the text as received. */
  readonly verifies: boolean;
  /** What real Ceilometer computes for the text as received, where that is not `signature`. */
  readonly signature_of_received?: string;
}

interface LegacyVector {
  readonly id: string;
  readonly secret: string;
  readonly message_json: string;
  readonly signatures: Readonly<Record<string, string | null>>;
}

const fixtures = new URL('../../../test/fixtures/ceilometer/', import.meta.url);
const vectors = JSON.parse(readFileSync(new URL('signature-vectors.json', fixtures), 'utf8')) as Vector[];
const legacy = JSON.parse(readFileSync(new URL('signature-vectors-legacy.json', fixtures), 'utf8')) as LegacyVector[];

const read = (text: string) => parseJson(text) as JsonObject;
const hmac = (text: string, secret: string) => createHmac('sha256', secret).update(text).digest('hex');
const secret = 'a shared secret';
const sign = (text: string, signature: string) => read(`${text.slice(0, -1)},"message_signature":"${signature}"}`);

void t.test('every published vector: the signature that Ceilometer makes, and its verdict', async (t) => {
  const olderToo: string[] = [];
  t.ok(vectors.length >= 124, 'the vectors are there');
  for (const vector of vectors) {
    const message = read(vector.message_json);
    const received = vector.signature_of_received ?? vector.signature;
    t.equal(signMessage(message, vector.secret), received, `${vector.id}: ${vector.note}`);
    // The one deliberate difference: with an empty secret Ceilometer verifies everything, we nothing.
    const verdict = verifyMessage(message, vector.secret);
    t.equal(verdict === 'py3-8.0', vector.verifies && vector.secret !== '', `${vector.id} verdict`);
    if (verdict === 'py2-2015.1') olderToo.push(vector.id);
  }
  t.same(olderToo, ['bytes-in-list'], 'the only one here that a release on Python 2 would have accepted');
});

void t.test('every legacy vector: messages of an agent on Python 2 verify as such', async (t) => {
  t.ok(legacy.length >= 116, 'the vectors are there');
  for (const vector of legacy) {
    const message = read(vector.message_json);
    for (const profile of ['py3-8.0', 'py2-2015.1'] as const) {
      const signature = vector.signatures[profile] as string;
      t.equal(hmac(signedText(message, profile), vector.secret), signature, `${vector.id} as ${profile}`);
      message.set('message_signature', signature);
      const alike = signature === vector.signatures['py3-8.0'];
      t.equal(verifyMessage(message, vector.secret), alike ? 'py3-8.0' : profile, `${vector.id} verdict as ${profile}`);
    }
  }
});

void t.test('the signed text joins names and values by code point order within each object', async (t) => {
  t.equal(signedText(read('{"b":{"z":1.0,"a":null},"a":"x","message_signature":"s","e":{}}')), 'axb:aNoneb:z1.0');
  t.equal(signedText(read('{"m":{"message_signature":"kept"}}')), 'm:message_signaturekept');
  t.equal(signedText(read('{"\uffff":1,"\ud83d\ude00":2}')), '\uffff1\ud83d\ude002');
  t.equal(signedText(read(String.raw`{"a":["é",{"a":null}]}`)), String.raw`a[b'\xc3\xa9', {b'a': None}]`);
});

void t.test(
  'an object in an array stands in the order of a Python 2 dict when an agent on Python 2 signed it',
  async (t) => {
    const message = read('{"l":[{"a":1,"b":2,"address":"10.0.0.1","version":4,"label":"private","vif_mac":"x"}]}');
    t.equal(
      signedText(message, 'py2-2015.1'),
      "l[{'a': 1, 'b': 2, 'vif_mac': 'x', 'label': 'private', 'version': 4, 'address': '10.0.0.1'}]",
    );
  },
);

void t.test('an empty secret signs as unsigned and verifies nothing', async (t) => {
  const message = read('{"a":"b"}');
  t.equal(signMessage(message, ''), '');
  t.equal(signMessage(message, new Uint8Array()), '');
  message.set('message_signature', '');
  t.equal(verifyMessage(message, ''), null);
  message.set('message_signature', createHmac('sha256', '').update('ab').digest('hex'));
  t.equal(verifyMessage(message, ''), null);
});

void t.test('a secret is its UTF-8 bytes', async (t) => {
  const message = read('{"a":"b"}');
  t.equal(signMessage(message, 'clé'), signMessage(message, new TextEncoder().encode('clé')));
});

void t.test('a signature that is missing, of another type, length, case or letter does not match', async (t) => {
  const text = '{"a":1}';
  const good = signMessage(read(text), secret);
  t.equal(verifyMessage(sign(text, good), secret), 'py3-8.0');
  for (const bad of ['', good.slice(1), `${good}0`, good.toUpperCase(), `é${good.slice(1)}`, '0'.repeat(64)]) {
    t.equal(verifyMessage(sign(text, bad), secret), null, JSON.stringify(bad));
  }
  t.equal(verifyMessage(read(text), secret), null, 'missing');
  t.equal(
    verifyMessage(new Map([...read(text), ['message_signature', new JsonNumber('1')]]), secret),
    null,
    'a number',
  );
  t.equal(verifyMessage(sign('{"a":1.0}', good), secret), null, 'another spelling of the number');
});

void t.test('half of a surrogate pair cannot be verified, wherever it stands', async (t) => {
  const halves = [
    String.raw`{"a":"\ud800"}`,
    String.raw`{"\udc00":1}`,
    String.raw`{"a":["x\ud800"]}`,
    String.raw`{"a":[{"\ud800":1}]}`,
    String.raw`{"a\ud83d":"\ude00"}`, // Together they would look like a whole one.
  ];
  for (const text of halves) {
    t.throws(() => signedText(read(text)), NotVerifiable, text);
    t.throws(() => signMessage(read(text), secret), NotVerifiable, text);
    t.equal(verifyMessage(sign(text, '0'.repeat(64)), secret), null, text);
  }
  t.equal(signedText(read(String.raw`{"a":"\ud83d\ude00"}`)), 'a\u{1f600}', 'a whole pair is fine');
});
