import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from 'amqplib';
import t from 'tap';
import { influxUrl, rabbitmqUrl, temporaryFolder, uniqueName, until } from '../servers/index.ts';
import { ask, askUntil, startDaemon } from './nephometer.ts';

const CASES = new URL('../../../plugins/meters-yaml/cases/', import.meta.url);

const folder = temporaryFolder('nephometer-notification');
const secretFile = join(folder, 'secret');
const tokenFile = join(folder, 'token');
const token = randomBytes(24).toString('base64url');
writeFileSync(secretFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
writeFileSync(tokenFile, token, { mode: 0o600 });

const namespace = uniqueName('notify');
const url = await rabbitmqUrl();
const daemon = await startDaemon({
  args: ['run', 'collector', 'api'],
  env: {
    NEPHOMETER_BUS_URL: url,
    NEPHOMETER_STORE_URL: `influxdb://${new URL(await influxUrl()).host}/${uniqueName('notify')}`,
    NEPHOMETER_SECRET_FILE: secretFile,
  },
  config: `bus: {namespace: ${namespace}}\napi: {tokens: [{name: test, role: admin, file: ${tokenFile}}]}\n`,
});
t.teardown(() => daemon.process.end());

void t.test(
  "a notification on nova's exchange becomes samples in the API and a metering message for other subscribers",
  async (t) => {
    const connection = await connect(url);
    t.teardown(() => connection.close());
    const channel = await connection.createConfirmChannel();

    // Another subscriber of our bus, as a billing system would be one.
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, namespace, 'metering.sample');
    const heard: string[] = [];
    await channel.consume(queue, (message) => void (message && heard.push(message.content.toString())), {
      noAck: true,
    });

    const file = fileURLToPath(new URL('nova-compute.instance.create.end.json', CASES));
    const { message } = JSON.parse(readFileSync(file, 'utf8')) as { message: Record<string, unknown> };
    // An id of its own, so that the shared broker may hold what other runs have left.
    const inner = { ...message, message_id: uniqueName('m') };
    const body = JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(inner) });
    await channel.assertExchange('nova', 'topic', { durable: false });
    channel.publish('nova', 'notifications.info', Buffer.from(body), { contentType: 'application/json' });
    await channel.waitForConfirms();

    const payload = message['payload'] as { instance_id: string; memory_mb: number };
    const { body: rows } = await askUntil(
      () => ask(daemon.url, token, `/v2/samples?q.field=resource_id&q.value=${payload.instance_id}&limit=1000`),
      (answer) => (answer.body as unknown[]).length > 0,
      'no samples of the instance',
    );
    const memory = (rows as { meter: string; volume: number }[]).find(({ meter }) => meter === 'memory');
    t.equal(memory?.volume, payload.memory_mb);

    await until(() => heard.some((text) => text.includes(payload.instance_id)), {
      timeoutMs: 10_000,
      describe: () => `the subscriber heard ${heard.length} messages, none of the instance`,
    });
    const notified = JSON.parse((JSON.parse(heard[0] ?? '') as Record<string, string>)['oslo.message'] ?? '') as {
      event_type: string;
    };
    t.equal(notified.event_type, 'metering');
  },
);
