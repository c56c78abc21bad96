import { randomInt } from 'node:crypto';

const MESSAGE = {
  counter_name: 'cpu',
  counter_type: 'cumulative',
  counter_unit: 'ns',
  counter_volume: 1,
  resource_id: 'vm-1',
  project_id: 'p',
  user_id: null,
  source: 'openstack',
  timestamp: '2026-01-01T00:00:00',
  resource_metadata: {},
  message_id: '00000000-0000-0000-0000-000000000000',
  message_signature: '0'.repeat(64),
};

function envelope(payload: string): string {
  return JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': `{"payload":${payload},"event_type":"metering"}` });
}

/** What is no message, in every way that came to mind; no two are equal. */
export function corpus(): Buffer[] {
  const deep = (open: string, close: string): string => open.repeat(50_000) + close.repeat(50_000);
  const volumes = [
    '9223372036854775808',
    '1e400',
    '-0',
    'null',
    'true',
    '"NaN"',
    '[]',
    '{}',
    '"1e999999999"',
    '1'.repeat(60),
  ];
  const wrong = Object.keys(MESSAGE).flatMap((name) =>
    ['null', '1', '[]', '{"a":1}', '"\\u0000"', '"\\ud800"', 'false'].map((value) => {
      const fields = Object.entries(MESSAGE).map(
        ([key, own]) => `"${key}":${key === name ? value : JSON.stringify(own)}`,
      );
      return envelope(`[{${fields.join(',')}}]`);
    }),
  );
  const missing = Object.keys(MESSAGE).map((name) =>
    envelope(JSON.stringify([Object.fromEntries(Object.entries(MESSAGE).filter(([key]) => key !== name))])),
  );
  const texts = [
    '',
    ' ',
    'null',
    'true',
    '0',
    '""',
    '[',
    ']',
    '{',
    '{}',
    '[]',
    '[[]]',
    '[null]',
    '[1]',
    '{"a"',
    '{"oslo.version":"2.0"}',
    '{"oslo.version":"9.9","oslo.message":"{}"}',
    '{"oslo.version":"2.0","oslo.message":{}}',
    '{"oslo.version":"2.0","oslo.message":"{"}',
    '{"oslo.version":"2.0","oslo.message":"{}","nephometer.batch":null}',
    '{"oslo.version":"2.0","oslo.message":"{}","nephometer.batch":{}}',
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{}}}',
    '\ufeff{}',
    '{"a":1,"a":2}',
    '\0',
    '{"a":"\0"}',
    deep('[', ']'),
    deep('{"a":', '}').replace('}', '1}'),
    deep('[', ''),
    JSON.stringify('x'.repeat(300_000)),
    ...volumes.map((volume) => envelope(`[{"counter_volume":${volume}}]`)),
    ...wrong,
    ...missing,
  ];
  const bytes = [
    Buffer.from([0xff, 0xfe, 0x00]),
    Buffer.from([0xc0, 0x80]),
    Buffer.alloc(1000),
    Buffer.from('7b00227d', 'hex'),
  ];
  const unique = new Map(
    [...texts.map((text) => Buffer.from(text)), ...bytes].map((body) => [body.toString('hex'), body]),
  );
  return [...unique.values()];
}

/** A good body, changed at a few places. */
export function fuzzed(seeds: readonly Buffer[]): Buffer {
  const seed = seeds[randomInt(seeds.length)] ?? Buffer.alloc(0);
  const body = Buffer.from(seed);
  for (let n = randomInt(1, 5); n > 0; n -= 1) {
    const at = randomInt(body.length);
    body.writeUInt8((body.readUInt8(at) + randomInt(1, 256)) % 256, at);
  }
  const kind = randomInt(6);
  if (kind === 0) return body.subarray(0, randomInt(body.length));
  if (kind === 1) return Buffer.concat([body, seed]);
  return body;
}
