import t from 'tap';
import { isUuid, NEPHOMETER_NAMESPACE, uuidv4, uuidv5 } from './uuid.ts';

const DNS = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';

void t.test('a name has one id for ever: the published example of RFC 9562', async (t) => {
  t.equal(uuidv5(DNS, 'www.example.com'), '2ed6657d-e927-568b-95e1-2665a8aea6a2');
  t.equal(uuidv5(DNS.toUpperCase(), 'www.example.com'), '2ed6657d-e927-568b-95e1-2665a8aea6a2');
});

void t.test('text is its UTF-8 bytes; names and namespaces keep ids apart', async (t) => {
  t.equal(uuidv5(DNS, 'é'), uuidv5(DNS, new Uint8Array([0xc3, 0xa9])));
  t.not(uuidv5(DNS, 'a'), uuidv5(DNS, 'b'));
  t.not(uuidv5(DNS, 'a'), uuidv5(NEPHOMETER_NAMESPACE, 'a'));
});

void t.test('a namespace that is no UUID is refused', async (t) => {
  t.throws(() => uuidv5('dns', 'a'), { name: 'RangeError', message: /Found the namespace "dns"/ });
});

void t.test('random ids are UUIDs of version 4, and differ', async (t) => {
  const ids = Array.from({ length: 100 }, uuidv4);
  t.equal(new Set(ids).size, 100);
  for (const id of [...ids, NEPHOMETER_NAMESPACE])
    t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

void t.test('isUuid takes any version in either case, and nothing around it', async (t) => {
  for (const good of [DNS, DNS.toUpperCase(), '00000000-0000-0000-0000-000000000000']) t.ok(isUuid(good), good);
  for (const bad of ['', DNS.replaceAll('-', ''), `{${DNS}}`, ` ${DNS}`, `${DNS}\n`, `${DNS}0`])
    t.notOk(isUuid(bad), bad);
});
