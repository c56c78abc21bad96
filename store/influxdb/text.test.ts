import t from 'tap';
import { lineOf, microsOf, nanosOf, Places, stringField, textFields } from './line.ts';
import { chunkText, decodeText, encodeText, isWhole, joinChunks, tagText } from './text.ts';

const NASTY = [
  '',
  '%',
  '%0A',
  'a\\',
  '\\',
  'a\nb',
  '\u0000',
  '\u007f',
  '"',
  "it's",
  'ü😀',
  '\ud83d',
  '\ude00x',
  'a,b=c d',
];

t.test('every text comes back, and none holds what line protocol or InfluxQL trips over', async (t) => {
  for (const text of NASTY) {
    const encoded = encodeText(text);
    t.equal(decodeText(encoded), text, JSON.stringify(text));
    // oxlint-disable-next-line no-control-regex
    t.notMatch(encoded, /[\\\u0000-\u001f\u007f]/);
  }
});

t.test('null, empty and percent are three different tags', async (t) => {
  t.equal(new Set([null, '', '%', '%25'].map(tagText)).size, 4);
  t.equal(tagText(null), '', 'null is no tag at all');
});

t.test('long texts are cut below 64 KiB, never within a character', async (t) => {
  const text = `x${'😀'.repeat(60_000)}\\`;
  const chunks = chunkText(text);
  t.ok(chunks.length > 1 && !isWhole(chunks[0] ?? ''));
  t.ok(chunks.every((chunk) => Buffer.byteLength(chunk) < 65_536));
  t.ok(chunks.every((chunk) => Buffer.from(chunk).toString() === chunk));
  t.equal(joinChunks(chunks), text);
  t.ok(isWhole(chunkText('short')[0] ?? ''));
  t.strictSame(Object.keys(textFields('record', text)).slice(0, 3), ['record', 'record1', 'record2']);
});

t.test('times keep their nanoseconds as text', async (t) => {
  t.equal(nanosOf(1_709_640_000_000_001, 7), '1709640000000001007');
  t.equal(nanosOf(-1, 7), '-993');
  t.equal(nanosOf(0, 7), '7');
  t.equal(microsOf('2024-03-05T12:00:00.000001007Z'), 1_709_640_000_000_001);
  t.equal(microsOf('2024-03-05T12:00:00Z'), 1_709_640_000_000_000);
  t.equal(microsOf('1969-12-31T23:59:59.999999007Z'), -1);
});

t.test('a place beyond the nanoseconds becomes a tag', async (t) => {
  const point = { measurement: 'm', tags: { a: 'x y', b: '' }, fields: { f: stringField('q"') }, at: 5 };
  t.equal(lineOf({ ...point, place: 3 }), 'm,a=x\\ y f="q\\"" 5003');
  t.equal(lineOf({ ...point, place: 2003 }), 'm,a=x\\ y,lane=2 f="q\\"" 5003');
  const places = new Places([0, 2]);
  t.strictSame([places.take(), places.take(), places.take()], [1, 3, 4]);
});
