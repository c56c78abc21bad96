import amqp from 'amqplib';

/** RabbitMQ 3.10 writes down that a quorum queue exists a moment after it said so; killed before, it loses the queue. */
export const QUEUE_SETTLES_MS = 3_000;

export async function publishDurably(url: string, queue: string, text: string): Promise<void> {
  const connection = await amqp.connect(url);
  try {
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    channel.sendToQueue(queue, Buffer.from(text), { persistent: true });
    await channel.waitForConfirms();
  } finally {
    await connection.close();
  }
}

/** The next message's text; undefined when the queue is empty or not there. */
export async function takeFrom(url: string, queue: string): Promise<string | undefined> {
  // A quorum queue that has no leader yet, right after the broker's start, may never answer; then we ask anew.
  for (let attempt = 0; attempt < 10; attempt++) {
    const answer = await Promise.race([takeOnce(url, queue), pause(3_000).then(() => 'unanswered' as const)]);
    if (answer !== 'unanswered') return answer.text;
  }
  throw new Error(`Queue ${queue} does not answer.`);
}

async function takeOnce(url: string, queue: string): Promise<{ text: string | undefined }> {
  const connection = await amqp.connect(url);
  connection.on('error', () => undefined); // of a try that was given up
  const channel = await connection.createChannel();
  channel.on('error', () => undefined); // 404, told by the rejection of `get`
  try {
    const message = await channel.get(queue, { noAck: true });
    return { text: message ? message.content.toString() : undefined };
  } catch {
    return { text: undefined };
  } finally {
    await connection.close().catch(() => undefined);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
