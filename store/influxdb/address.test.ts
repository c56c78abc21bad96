import t from 'tap';
import { parseInfluxUrl } from './address.ts';

t.test('URLs of both generations', async (t) => {
  t.strictSame(parseInfluxUrl('influxdb://127.0.0.1:18086/meters'), {
    api: 1,
    origin: 'http://127.0.0.1:18086',
    database: 'meters',
    org: null,
    user: null,
  });
  t.match(parseInfluxUrl('influxdbs://me%40home@db.example/a%20b'), {
    origin: 'https://db.example:8086',
    database: 'a b',
    user: 'me@home',
  });
  t.match(parseInfluxUrl('influxdb2://h:1/ORG/BUCKET'), { api: 2, org: 'ORG', database: 'BUCKET' });
  t.match(parseInfluxUrl('influxdb2s://h/ORG/BUCKET'), { origin: 'https://h:8086' });
});

t.test('others are refused, and no password is shown', async (t) => {
  for (const url of ['', 'http://h/db', 'influxdb://h', 'influxdb://h/a/b', 'influxdb2://h/bucket', 'influxdb:db']) {
    t.throws(() => parseInfluxUrl(url), RangeError, url);
  }
  t.throws(() => parseInfluxUrl('influxdb://me:hunter2@h/db'), { message: /secret_file/ });
  const shown = t.throws(() => parseInfluxUrl('influx://me:hunter2@h/db'));
  t.notMatch(String(shown), /hunter2/);
});
