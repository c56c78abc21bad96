import { parseJson, toPlain } from '@nephometer/core';
import { connectInflux } from '@nephometer/store-influxdb';
import t from 'tap';
import { uniqueName, victoriaUrl } from '../servers/index.ts';

/**
 * No InfluxDB 2.x is at hand. VictoriaMetrics takes its write endpoint: that the HTTP is right, and that the numbers
 * arrive; it keeps no strings, so what the store needs back cannot be shown with it.
 */
t.test("a real server takes what is written by InfluxDB 2.x's API", async (t) => {
  const url = await victoriaUrl();
  const client = connectInflux({
    url: `${url.replace(/^http:/, 'influxdb2:')}/org/bucket`,
    secret: 'token',
    timeoutMs: 10_000,
  });
  t.teardown(() => client.close());
  const measurement = uniqueName('nephometer');
  const now = Date.now();
  const line = (i: number): string =>
    `${measurement},meter=cpu\\ time,i=${i} volume=${i}.5,literal="${i}.50" ${now - i * 1000}000000`;
  await client.write([1, 2, 3].map(line));
  await client.ping();
  const series = new URLSearchParams({ 'match[]': `${measurement}_volume` });
  let found: string[] = [];
  for (let i = 0; i < 100 && found.length < 3; i++) {
    await fetch(`${url}/internal/force_flush`);
    const text = await (await fetch(`${url}/api/v1/export?${series.toString()}`)).text();
    found = text.split('\n').filter((row) => row !== '');
    if (found.length < 3) await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const arrived = found.map((row) => toPlain(parseJson(row))).map((row) => JSON.stringify(row));
  for (const i of [1, 2, 3]) {
    const mine = arrived.find((row) => row.includes(`"i":"${i}"`)) ?? '';
    t.match(mine, '"meter":"cpu time"');
    t.match(mine, `"values":[${i}.5]`);
  }
});
