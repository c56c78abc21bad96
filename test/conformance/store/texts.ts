import { toText } from '@nephometer/core';
import type { Test } from 'tap';
import { literals, makeBatch, makeSample, NOON, samplesOf } from '../fixtures.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

/** Text that has broken line protocols, CSV and SQL before. */
const TEXTS: readonly string[] = [
  ' ',
  '  two  spaces  ',
  'a b,c=d',
  `quo'te"s`,
  'back\\slash\\',
  '\\n',
  'line\nbreak',
  'carriage\r\nreturn',
  'tab\there',
  '\u0001\u001f\u007f',
  'Grüße, 世界',
  '😀 e\u0301 \u202eabc',
  "'; DROP TABLE sample; --",
  '${HOME} %s {0} \\u0041',
  'null',
  'NULL',
  '0',
  '-',
  '#comment',
  '/a/b?c=d&e=f',
  '_measurement',
  'time',
  'x'.repeat(10_000),
];

/** Number literals whose spelling must come back as it was. */
const LITERALS: readonly string[] = [
  '0',
  '1',
  '1.0',
  '1.00',
  '-1',
  '-0',
  '1e3',
  '1E+3',
  '1.5e-7',
  '0.1',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '18446744073709551615',
  '-9223372036854775809',
  '9'.repeat(38),
  `-${'1'.repeat(38)}`,
  `0.${'1'.repeat(38)}`,
  '1e37',
  '1e-38',
];

export function testTexts(t: Test, open: OpenStore): void {
  t.test('strange text comes back as it was, and is found by it', async (t) => {
    const store = await openFor(t, open);
    const samples = TEXTS.map((text, i) =>
      makeSample({
        meter: text,
        resource: text,
        project: text,
        user: text,
        unit: text,
        source: text,
        id: `${text}-${i}`,
        metadata: { [text]: text, nested: { [text]: [text] } },
      }),
    );
    await store.record([makeBatch(samples)]);
    for (const [i, text] of TEXTS.entries()) {
      const sample = samples[i];
      const owner = { resourceId: text, meter: text, projectIds: [text], userId: text, source: text };
      const title = JSON.stringify(text.slice(0, 30));
      const [found, ...more] = await samplesOf(store, owner);
      t.equal(found?.text, sample?.text, `${title}: found by its fields`);
      t.strictSame(found?.metadata, sample?.metadata, `${title}: metadata`);
      t.equal(more.length, 0, `${title}: nothing else is found`);
      t.equal((await samplesOf(store, { messageId: `${text}-${i}` })).length, 1, `${title}: by message_id`);
      t.equal((await samplesOf(store, { metadata: [{ path: text, value: text }] })).length, 1, `${title}: by metadata`);
      t.match(await store.meters(owner), [{ meter: text, resourceId: text, unit: text }], `${title}: meters`);
      const [row] = await store.statistics({ meter: text, period: null, groupBy: ['project_id'] });
      t.equal(row?.group.get('project_id'), text, `${title}: grouped by`);
    }
    t.equal((await samplesOf(store)).length, TEXTS.length);
  });

  t.test('an empty owner is not the same as none', async (t) => {
    const store = await openFor(t, open);
    await store.record([
      makeBatch([
        { id: 'empty', project: '', user: '', unit: '' },
        { id: 'none', project: null, user: null, unit: null },
      ]),
    ]);
    const idsOf = async (query: Parameters<typeof samplesOf>[1]) =>
      (await samplesOf(store, query)).map(({ messageId }) => messageId);
    t.strictSame(await idsOf({ projectIds: [''] }), ['empty']);
    t.strictSame(await idsOf({ userId: '' }), ['empty']);
    t.strictSame(
      (await store.meters({})).map(({ unit, projectId, userId }) => [unit, projectId, userId]),
      [
        [null, null, null],
        ['', '', ''],
      ],
    );
    const rows = await store.statistics({ meter: 'cpu', period: null, groupBy: ['project_id'] });
    t.strictSame(
      rows.map(({ group }) => group.get('project_id')),
      ['', null],
    );
  });

  t.test('the text of a message keeps every byte', async (t) => {
    const store = await openFor(t, open);
    const sample = makeSample({ id: 'spaced', metadata: { a: 'ü😀' } });
    const text = ` ${sample.text.replaceAll(',"', ' ,\n\t"').replace('ü', '\\u00fc')} `;
    await store.record([makeBatch([{ ...sample, text }])]);
    const [found] = await samplesOf(store);
    t.equal(found?.text, text);
    t.equal(found?.signature, sample.signature);
  });

  t.test('volumes keep their value and their spelling', async (t) => {
    const store = await openFor(t, open);
    const samples = LITERALS.map((volume, i) => makeSample({ volume, at: NOON + i }));
    await store.record([makeBatch(samples)]);
    const found = await samplesOf(store, { order: 'oldest' });
    t.strictSame(literals(found), LITERALS);
    t.strictSame(
      found.map(({ volume }) => toText(volume)),
      samples.map(({ volume }) => toText(volume)),
    );
  });

  t.test('times keep their microseconds, before 1970 and far ahead', async (t) => {
    const store = await openFor(t, open);
    const times = ['1969-12-31T23:59:59.999999Z', '1970-01-01T00:00:00Z', '2024-02-29T12:00:00.000001Z', '2200-01-01'];
    const samples = times.map((time) => makeSample({ at: time.length > 10 ? time : `${time}T00:00:00Z` }));
    await store.record([makeBatch(samples)]);
    t.strictSame(
      (await samplesOf(store, { order: 'oldest' })).map(({ timestamp }) => timestamp),
      samples.map(({ timestamp }) => timestamp),
    );
  });
}
